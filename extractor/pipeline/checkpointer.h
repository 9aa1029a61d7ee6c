#ifndef EXTRACTOR_PIPELINE_CHECKPOINTER_H_
#define EXTRACTOR_PIPELINE_CHECKPOINTER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "extractor/pipeline/batcher.h"
#include "extractor/pipeline/run_report.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Says when a stream's next checkpoint is due and emits it, after all rows that were
// made before. Lives on the extraction's strand.
class Checkpointer {
 public:
  // One is due when any of these is reached; a unit is never split.
  struct Limits {
    int64_t rows = 5000;
    int64_t bytes = int64_t{16} << 20;
    absl::Duration age = absl::Seconds(5);
  };

  // All must outlive this. `emit` may block.
  Checkpointer(const RunReport* report, Batcher* batcher, absl::Time now,
               std::function<void(const v1::ExtractResponse&)> emit);

  // From now on there are checkpoints. `make_token` says where the extraction stands
  // now; it is called only between units and given the checkpoint's number.
  // `number`: of the last checkpoint of the stream that this one continues, or 0.
  void Enable(int64_t number, absl::AnyInvocable<std::string(int64_t number)> make_token);

  // A unit's rows have been committed and its walk knows.
  void OnUnit(absl::Time now);
  // Time has passed.
  void OnTick(absl::Time now);
  // Emits all rows and, where there are checkpoints, one whatever the limits say.
  void Finish(absl::Time now);

 private:
  struct Streamed {
    int64_t rows = 0;
    uint32_t generation = 0;
  };
  void Emit(absl::Time now);

  const RunReport* const report_;
  Batcher* const batcher_;
  const std::function<void(const v1::ExtractResponse&)> emit_;
  const Limits limits_;
  absl::AnyInvocable<std::string(int64_t number)> make_token_;
  int64_t number_ = 0;
  // Since the last checkpoint.
  bool any_unit_ = false;
  absl::Time last_;
  int64_t last_rows_ = 0;
  int64_t last_bytes_ = 0;
  // At the last checkpoint, by table.
  std::vector<Streamed> streamed_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CHECKPOINTER_H_

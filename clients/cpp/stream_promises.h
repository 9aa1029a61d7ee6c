#ifndef CLIENTS_CPP_STREAM_PROMISES_H_
#define CLIENTS_CPP_STREAM_PROMISES_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What the streams before one told, where it continues them.
struct StreamPosition {
  int64_t checkpoint = 0;                                  // The last one's number.
  absl::flat_hash_map<std::string, uint32_t> generations;  // Of tables, where known.
  // What tables that are not named are in: false: the first generation; true: unknown,
  // whatever their first rows say.
  bool others_unknown = false;
};

// Keeps the promises that a stream makes its reader: rows of an earlier generation never
// come out after their table began anew, a table's rows belong to the generation that was
// announced, checkpoints cover what came, and a call that ends well ends with a summary.
// No network, no clock. For one thread.
class StreamPromises {
 public:
  // `allows_uncovered`: whether rows after the last checkpoint may be followed by the
  // summary.
  StreamPromises(StreamPosition position, bool allows_uncovered)
      : position_(std::move(position)), allows_uncovered_(allows_uncovered) {}

  // Whether the event, which is the next one and has so many rows, is to come out. False where it
  // is void, or something that a newer server says, or breaks a promise: then status() is set.
  bool Accept(const v1::ExtractResponse& event, int rows);

  // kDataLoss: which promise was broken.
  const absl::Status& status() const { return status_; }

  // Once the call has ended well: whether that keeps the promises.
  absl::Status OnEnd() const;

  // Where another stream could go on: as of the last event. Right after a checkpoint that is
  // what its token stands for.
  const StreamPosition& position() const { return position_; }

  // Whether the summary has come.
  bool complete() const { return has_summary_; }

 private:
  // Whether what is of `sent` is of the table's present generation.
  bool AcceptGeneration(const std::string& table, uint32_t sent);
  bool AcceptRows(const v1::RowBatch& batch, int rows);
  bool AcceptRestart(const v1::TableRestarted& restarted);
  bool AcceptCheckpoint(const v1::Checkpoint& checkpoint);
  bool AcceptSummary();

  // The table's present generation; what is not known yet becomes `sent`.
  uint32_t GenerationOf(const std::string& table, uint32_t sent);
  bool Broken(const std::string& how);

  StreamPosition position_;
  const bool allows_uncovered_;
  absl::flat_hash_map<std::string, int64_t> rows_;  // Since the last checkpoint.
  bool has_summary_ = false;
  absl::Status status_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_STREAM_PROMISES_H_

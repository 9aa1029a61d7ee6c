#ifndef EXTRACTOR_PIPELINE_RESUME_POINT_H_
#define EXTRACTOR_PIPELINE_RESUME_POINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "extractor/checkpoint/resume_token.h"
#include "extractor/intercom/connection.h"
#include "extractor/pipeline/incremental.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/pipeline/walk.h"
#include "extractor/tables/table_catalog.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// Where a stream begins, and the tokens that say where it can be continued: both are
// bound to the connection and its privacy rules, to who asks and to what is asked for.
class ResumePoint {
 public:
  // `tables` (as RequestTables has them) and `incremental`: what the request selects; `caller`: who
  // asks, empty for nobody in particular. kFailedPrecondition when its token cannot be used, with
  // the reasons that the service's comments name.
  static absl::StatusOr<ResumePoint> Create(const v1::ExtractRequest& request,
                                            const std::vector<const TableInfo*>& tables,
                                            const Incremental& incremental,
                                            const Connection& connection, const std::string& caller,
                                            absl::Time now);

  // Where the stream that this one continues stood, if there is one.
  const std::optional<resume::State>& earlier() const { return earlier_; }
  // When that extraction began, on Intercom's clock.
  std::optional<absl::Time> start() const;
  // Checkpoints before this stream.
  int64_t number() const { return earlier_.has_value() ? earlier_->number() : 0; }

  // A token for where report and walks stand. Empty when it would be larger than
  // clients have to bear.
  std::string MakeToken(int64_t number, absl::Time start, absl::Time now, const RunReport& report,
                        const std::vector<const Walk*>& walks) const;

 private:
  ResumePoint(const Connection& connection, std::string request_digest, std::string privacy_digest)
      : codec_(connection),
        request_digest_(std::move(request_digest)),
        privacy_digest_(std::move(privacy_digest)) {}

  ResumeTokenCodec codec_;
  std::string request_digest_;
  std::string privacy_digest_;
  std::optional<resume::State> earlier_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_RESUME_POINT_H_

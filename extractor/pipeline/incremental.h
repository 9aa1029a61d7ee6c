#ifndef EXTRACTOR_PIPELINE_INCREMENTAL_H_
#define EXTRACTOR_PIPELINE_INCREMENTAL_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace intercom_extractor {

// Which records a run reads: all, or those that changed since; see
// `ExtractRequest.updated_since`. A plain value.
struct Incremental {
  // Unix seconds; absent: a full run.
  std::optional<int64_t> since;
  // Whether it also says which records are gone. Never in a full run, which need not.
  bool find_deleted = false;

  // Whether a record is read. One whose `updated_at` nobody can read is: it may have
  // changed.
  bool Reads(std::optional<int64_t> updated_at) const {
    return !since.has_value() || !updated_at.has_value() || *updated_at >= *since;
  }
};

// `updated_since` is null for a full run. kInvalidArgument (BAD_REQUEST) for a time that
// is none or lies in the future.
absl::StatusOr<Incremental> MakeIncremental(const google::protobuf::Timestamp* updated_since,
                                            bool find_deleted, absl::Time now);

// What an ExtractRequest or a PlanExtractionRequest asks for; errors as above.
template <typename Request>
absl::StatusOr<Incremental> IncrementalOf(const Request& request, absl::Time now) {
  return MakeIncremental(request.has_updated_since() ? &request.updated_since() : nullptr,
                         request.find_deleted(), now);
}

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_INCREMENTAL_H_

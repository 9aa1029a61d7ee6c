#include "extractor/pipeline/incremental.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "extractor/intercom/intercom_client.h"
#include "google/protobuf/util/time_util.h"

namespace intercom_extractor {
namespace {

using google::protobuf::util::TimeUtil;

// Clocks differ; a time in milliseconds is far beyond.
constexpr absl::Duration kClockTolerance = absl::Minutes(10);

absl::Status BadTime(absl::string_view what) {
  return StatusWithReason(absl::StatusCode::kInvalidArgument, "BAD_REQUEST",
                          absl::StrCat("updated_since ", what));
}

}  // namespace

absl::StatusOr<Incremental> MakeIncremental(const google::protobuf::Timestamp* updated_since,
                                            bool find_deleted, absl::Time now) {
  Incremental incremental;
  if (updated_since == nullptr) return incremental;
  if (updated_since->seconds() < TimeUtil::kTimestampMinSeconds ||
      updated_since->seconds() > TimeUtil::kTimestampMaxSeconds) {
    return BadTime("is no valid timestamp: give whole seconds since 1970");
  }
  const absl::Time since = absl::FromUnixSeconds(updated_since->seconds());
  if (since > now + kClockTolerance) {
    return BadTime(absl::StrCat("lies in the future (",
                                absl::FormatTime(absl::RFC3339_sec, since, absl::UTCTimeZone()),
                                ")"));
  }
  incremental.since = std::max<int64_t>(0, updated_since->seconds());
  incremental.find_deleted = find_deleted;
  return incremental;
}

}  // namespace intercom_extractor

#include "clients/cli/exit_code.h"

#include "proto/v1.h"

namespace intercom_extractor {

ExitCode ExitCodeForStatus(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kComplete;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::kAuthentication;
    // What the caller asked for cannot work, however often it is asked.
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return ExitCode::kUsage;
    // UNAVAILABLE and DEADLINE_EXCEEDED, and the codes of a server that broke
    // off: in all of them the rows did not come, and another try may help.
    default:
      return ExitCode::kUnreachable;
  }
}

ExitCode ExitCodeForSummary(const v1::Summary& summary, bool saw_warning) {
  bool missing = saw_warning;
  bool unreachable = false;
  for (const v1::TableSummary& table : summary.tables()) {
    if (table.status() == v1::TABLE_STATUS_COMPLETE) continue;
    missing = true;
    // A token that is revoked half way must be looked at by a person, whatever
    // else went wrong.
    if (table.error().code() == static_cast<int>(absl::StatusCode::kUnauthenticated)) {
      return ExitCode::kAuthentication;
    }
    unreachable = unreachable || table.error().reason() == "INTERCOM_UNREACHABLE";
  }
  if (unreachable) return ExitCode::kUnreachable;
  return missing ? ExitCode::kPartial : ExitCode::kComplete;
}

ExitCode ExitCodeForCheck(const v1::CheckConnectionResponse& response) {
  for (const v1::TableCheck& table : response.tables()) {
    if (table.access() != v1::TABLE_ACCESS_OK) return ExitCode::kPartial;
  }
  return ExitCode::kComplete;
}

}  // namespace intercom_extractor

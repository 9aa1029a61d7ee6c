#ifndef CLIENTS_CLI_EXIT_CODE_H_
#define CLIENTS_CLI_EXIT_CODE_H_

#include <string>

#include "absl/status/status.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What the program ends with. Scripts depend on these numbers: they never change.
enum class ExitCode {
  kComplete = 0,
  kUsage = 2,           // Flags or configuration are wrong.
  kAuthentication = 3,  // Intercom or the server refused a token.
  kPartial = 4,         // Some table or record is missing.
  kUnreachable = 5,     // Intercom or the server did not answer, or broke off.
  kOutput = 6,          // The local disk or standard output failed.
  kInterrupted = 130,   // SIGINT or SIGTERM, as a shell reports it.
};

// How a command ended: its code, and for people one line that says what
// happened, where, and what to do. An empty line means there is nothing to say.
struct Outcome {
  ExitCode code = ExitCode::kComplete;
  std::string message;
};

// The code for a call that ended with `status`.
ExitCode ExitCodeForStatus(const absl::Status& status);

// The code for an extraction that ran to its end. `saw_warning` says whether any
// notice was a warning or an error: the summary counts notices without that.
ExitCode ExitCodeForSummary(const v1::Summary& summary, bool saw_warning);

// The code for a check that was answered.
ExitCode ExitCodeForCheck(const v1::CheckConnectionResponse& response);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_EXIT_CODE_H_

#ifndef CLIENTS_CLI_SERVER_ERRORS_H_
#define CLIENTS_CLI_SERVER_ERRORS_H_

#include <string>

#include "absl/status/status.h"
#include "clients/cli/command_line.h"
#include "clients/cli/exit_code.h"
#include "clients/cpp/cancellation.h"

namespace intercom_extractor {

// What to tell people when a call ended with `status`: what happened, where, and
// what to do. `status` is not OK.
Outcome DescribeServerError(const absl::Status& status, const ConnectionOptions& options);

// What a call that ended with `status`, which is not OK, comes to: kInterrupted where the
// user wanted to stop, else as above.
Outcome CallOutcome(const absl::Status& status, const Cancellation& interrupt,
                    const ConnectionOptions& options);

// How people give this connection an access token, as "set
// INTERCOM_ACCESS_TOKEN".
std::string HowToGiveToken(const ConnectionOptions& options);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_SERVER_ERRORS_H_

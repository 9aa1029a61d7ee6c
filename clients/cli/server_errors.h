#ifndef CLIENTS_CLI_SERVER_ERRORS_H_
#define CLIENTS_CLI_SERVER_ERRORS_H_

#include <string>

#include "clients/cli/command_line.h"
#include "clients/cli/exit_code.h"
#include "grpcpp/support/status.h"

namespace intercom_extractor {

// The reason in the `google.rpc.ErrorInfo` that came with `status`, such as
// "TOKEN_INVALID"; empty when there is none.
std::string ErrorReason(const grpc::Status& status);

// What to tell people when a call ended with `status`: what happened, where, and
// what to do. `status` is not OK.
Outcome DescribeServerError(const grpc::Status& status, const ConnectionOptions& options);

// Whether the server refused a resume token, which it will do each time.
bool RefusesResumeToken(const grpc::Status& status);

// How people give this connection an access token, as "set
// INTERCOM_ACCESS_TOKEN".
std::string HowToGiveToken(const ConnectionOptions& options);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_SERVER_ERRORS_H_

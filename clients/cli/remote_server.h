#ifndef CLIENTS_CLI_REMOTE_SERVER_H_
#define CLIENTS_CLI_REMOTE_SERVER_H_

#include "absl/status/statusor.h"
#include "clients/cli/command_line.h"
#include "clients/cpp/client.h"

namespace intercom_extractor {

// A client of `options.server`; connects when first used. kInvalidArgument, with the flag
// that is to blame: a file cannot be read, or the address has no port.
absl::StatusOr<Client> ConnectToServer(const ConnectionOptions& options);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_REMOTE_SERVER_H_

#ifndef CLIENTS_CLI_EMBEDDED_SERVER_H_
#define CLIENTS_CLI_EMBEDDED_SERVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "clients/cli/command_line.h"
#include "server/extractor_server.h"
#include "server/server_config.h"

namespace intercom_extractor {

// What a server inside this process, on no port, is configured to; as StartEmbeddedServer().
absl::StatusOr<ServerConfig> EmbeddedServerConfig(const ConnectionOptions& options,
                                                  bool needs_token);

// Starts a server inside this process, on no port, with the connections that the
// flags describe. `needs_token` is false for commands that ask Intercom nothing.
// kInvalidArgument says what is missing or wrong, and how to give it.
absl::StatusOr<std::unique_ptr<ExtractorServer>> StartEmbeddedServer(
    const ConnectionOptions& options, bool needs_token);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_EMBEDDED_SERVER_H_

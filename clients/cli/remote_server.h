#ifndef CLIENTS_CLI_REMOTE_SERVER_H_
#define CLIENTS_CLI_REMOTE_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/cli/command_line.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace intercom_extractor {

// Whether "host:port" or "unix:/path" stays within this machine: only there may
// text travel in the clear.
bool IsLocalAddress(absl::string_view server);

// What every channel of ours is made with: rows of 64 MiB are accepted, and a
// peer that vanished without a word is noticed within two minutes.
grpc::ChannelArguments ClientChannelArguments();

// A channel to `options.server`; connects when first used. kInvalidArgument: a
// file cannot be read, or the address has no port.
absl::StatusOr<std::shared_ptr<grpc::Channel>> RemoteChannel(const ConnectionOptions& options);

// The token in `options.caller_token_file`, white space around it dropped; empty
// without one. kInvalidArgument names the file, never its content.
absl::StatusOr<std::string> ReadCallerToken(const ConnectionOptions& options);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_REMOTE_SERVER_H_

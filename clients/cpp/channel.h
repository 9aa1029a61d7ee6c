#ifndef CLIENTS_CPP_CHANNEL_H_
#define CLIENTS_CPP_CHANNEL_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace intercom_extractor {

// How an extractor server is reached; `{"localhost:50051"}` is enough on this machine.
struct ConnectOptions {
  // "host:port" or "unix:/path".
  std::string target{};

  // PEM files. TLS is used where any is named, and to everything that is not on this
  // machine. The authorities to trust, the system's where empty:
  std::string ca_file{};
  // The client's certificate and its key; both or none.
  std::string cert_file{};
  std::string key_file{};

  // The token that the server asks its callers for; may be empty. Secret.
  std::string caller_token{};
};

// Whether a target stays within this machine: only there may text travel in the clear.
bool IsLocalAddress(absl::string_view target);

// What every channel of ours is made with: rows of 64 MiB are accepted, and a peer that
// vanished without a word is noticed within two minutes.
grpc::ChannelArguments ClientChannelArguments();

// A channel to `options.target`; connects when first used. Takes no notice of the token,
// which goes with each call. kInvalidArgument: a file cannot be read, or the target has
// no port; the message begins with the field's name, as in "ca_file: cannot read ...".
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ConnectOptions& options);

// Whether a caller token can be sent. kInvalidArgument, without the token.
absl::Status CheckCallerToken(absl::string_view token);

// The token in a file, white space around it dropped. kInvalidArgument names the file,
// never its content.
absl::StatusOr<std::string> ReadCallerToken(const std::string& path);

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_CHANNEL_H_

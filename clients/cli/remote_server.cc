#include "clients/cli/remote_server.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "clients/cpp/channel.h"

namespace intercom_extractor {
namespace {

// The library's error with the name of the flag in place of its field's.
absl::Status WithFlag(const absl::Status& status) {
  const std::pair<absl::string_view, absl::string_view> flags[] = {{"target", "--server"},
                                                                   {"ca_file", "--ca-file"},
                                                                   {"cert_file", "--cert-file"},
                                                                   {"key_file", "--key-file"}};
  absl::string_view message = status.message();
  for (const auto& [field, flag] : flags) {
    if (absl::ConsumePrefix(&message, field)) {
      return absl::Status(status.code(), absl::StrCat(flag, message));
    }
  }
  return status;
}

}  // namespace

absl::StatusOr<Client> ConnectToServer(const ConnectionOptions& options) {
  ConnectOptions connect;
  connect.target = options.server;
  connect.ca_file = options.ca_file;
  connect.cert_file = options.cert_file;
  connect.key_file = options.key_file;
  if (!options.caller_token_file.empty()) {
    auto token = ReadCallerToken(options.caller_token_file);
    if (!token.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--caller-token-file: ", token.status().message()));
    }
    connect.caller_token = *std::move(token);
  }
  auto client = Client::Connect(connect);
  if (!client.ok()) return WithFlag(client.status());
  return client;
}

}  // namespace intercom_extractor

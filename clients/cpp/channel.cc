#include "clients/cpp/channel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace intercom_extractor {
namespace {

// A row may be this large; the server promises none above.
constexpr int kMaxMessageBytes = 64 << 20;
// The server says something at least every 10 s, so that pings are rare. More than
// one in 30 s it takes for an attack, and ends the connection.
constexpr int kKeepaliveMs = 60 * 1000;
constexpr int kKeepaliveTimeoutMs = 30 * 1000;
// gRPC waits up to two minutes before it connects again; calls fail meanwhile
// without having been tried.
constexpr int kMaxReconnectMs = 1000;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  if (file) content << file.rdbuf();
  if (!file || content.str().empty()) {
    const int error = errno;
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot read ", path, ": ", error != 0 ? std::strerror(error) : "it is empty"));
  }
  return content.str();
}

// "host" of "host:port" or "[v6]:port"; empty when there is no port.
std::string HostOf(absl::string_view target) {
  const size_t colon = target.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return "";
  int port = 0;
  if (!absl::SimpleAtoi(target.substr(colon + 1), &port) || port < 1 || port > 65535) return "";
  absl::string_view host = target.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return std::string(host);
}

// "127.0.0.0/8", digits and dots alone: "127.evil.example" is a name.
bool IsLoopbackV4(absl::string_view host) {
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  return parts.size() == 4 && parts[0] == "127" &&
         std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           int value = 0;
           return absl::SimpleAtoi(part, &value) && value >= 0 && value <= 255;
         });
}

}  // namespace

bool IsLocalAddress(absl::string_view target) {
  if (absl::StartsWith(target, "unix:")) return true;
  const std::string host = HostOf(target);
  return host == "localhost" || host == "::1" || IsLoopbackV4(host);
}

grpc::ChannelArguments ClientChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // As often as it takes: by default gRPC stops after two pings without data, and
  // data does not flow while the disk is what everybody waits for.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMs);
  return arguments;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ConnectOptions& options) {
  const bool is_unix = absl::StartsWith(options.target, "unix:");
  if (!is_unix && HostOf(options.target).empty()) {
    return absl::InvalidArgumentError(absl::StrCat("target ", options.target,
                                                   " is no address: write HOST:PORT, such as "
                                                   "localhost:50051, or unix:/path"));
  }
  grpc::SslCredentialsOptions tls;
  const struct {
    const char* field;
    const std::string& path;
    grpc::string* content;
  } files[] = {{"ca_file", options.ca_file, &tls.pem_root_certs},
               {"cert_file", options.cert_file, &tls.pem_cert_chain},
               {"key_file", options.key_file, &tls.pem_private_key}};
  bool wants_tls = !IsLocalAddress(options.target);
  for (const auto& file : files) {
    if (file.path.empty()) continue;
    wants_tls = true;
    auto content = ReadFile(file.path);
    if (!content.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(file.field, ": ", content.status().message()));
    }
    *file.content = *std::move(content);
  }
  grpc::ChannelArguments arguments = ClientChannelArguments();
  // A proxy for the internet has no business between us and this machine.
  if (IsLocalAddress(options.target)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(
      options.target, wants_tls ? grpc::SslCredentials(tls) : grpc::InsecureChannelCredentials(),
      arguments);
}

absl::Status CheckCallerToken(absl::string_view token) {
  // gRPC ends the process over metadata that it cannot send.
  if (std::all_of(token.begin(), token.end(), absl::ascii_isgraph)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the caller token must be one word of printable ASCII characters");
}

absl::StatusOr<std::string> ReadCallerToken(const std::string& path) {
  auto content = ReadFile(path);
  if (!content.ok()) return content.status();
  const std::string token(absl::StripAsciiWhitespace(*content));
  if (token.empty() || !CheckCallerToken(token).ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " must hold one token and nothing else"));
  }
  return token;
}

}  // namespace intercom_extractor

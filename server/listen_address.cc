#include "server/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace intercom_extractor {
namespace {

absl::Status Invalid(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" ", what));
}

bool IsLoopbackHost(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool IsHostName(absl::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-';
  });
}

}  // namespace

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  ListenAddress address;
  address.text = std::string(text);

  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
    if (rest.empty() || rest.size() > kMaxPath) {
      return Invalid(text, absl::StrCat("needs a path of 1 to ", kMaxPath,
                                        " bytes; write unix:/run/NAME.sock"));
    }
    address.is_unix_socket = true;
    address.is_local = true;
    return address;
  }

  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) {
    return Invalid(text, "has no port; write HOST:PORT, such as 127.0.0.1:50051");
  }
  int port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return Invalid(text, "needs a port from 0 (any free one) to 65535; write 127.0.0.1:50051");
  }
  absl::string_view host = text.substr(0, colon);
  if (host.empty()) {
    return Invalid(text, "has no host; write 127.0.0.1:PORT for this machine only");
  }
  if (absl::ConsumePrefix(&host, "[")) {
    in6_addr v6;
    if (!absl::ConsumeSuffix(&host, "]") ||
        inet_pton(AF_INET6, std::string(host).c_str(), &v6) != 1) {
      return Invalid(text, "is not an IPv6 address; write [::1]:PORT");
    }
  } else if (!IsHostName(host)) {
    return Invalid(text, "is not HOST:PORT or unix:PATH; an IPv6 host stands in brackets");
  }
  address.host = std::string(host);
  address.is_local = IsLoopbackHost(address.host);
  return address;
}

}  // namespace intercom_extractor

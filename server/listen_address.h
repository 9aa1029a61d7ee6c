#ifndef SERVER_LISTEN_ADDRESS_H_
#define SERVER_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// Where a server listens.
struct ListenAddress {
  // As gRPC wants it: "127.0.0.1:50051", "[::1]:50051", "unix:/run/x.sock".
  std::string text;
  // The part before the port, as written; empty for a unix socket.
  std::string host;
  bool is_unix_socket = false;
  // Only processes on this machine can reach it, so that it may do without TLS.
  bool is_local = false;
};

// Reads HOST:PORT (an IPv6 host in brackets) or unix:PATH. Only 127.0.0.0/8,
// ::1, the name "localhost" and unix sockets count as local: any other name could
// resolve to anything. kInvalidArgument says what to write instead.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

}  // namespace intercom_extractor

#endif  // SERVER_LISTEN_ADDRESS_H_

#ifndef SERVER_RAW_HTTP2_H_
#define SERVER_RAW_HTTP2_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace intercom_extractor {

// A TCP connection to a server on this machine, for tests that break the rules of what they
// speak. Not thread-safe.
class RawConnection {
 public:
  explicit RawConnection(int port);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // Sends all of it, as long as the server takes it; false once it has closed or has taken
  // nothing for 10 s.
  bool Send(absl::string_view bytes);

  // What has arrived within `timeout`, at least a byte; empty when nothing has or the server
  // has closed, which closed() then says.
  std::string Receive(absl::Duration timeout);

  // Reads and drops until the server closes; false when it has not within `timeout`.
  bool WaitForClose(absl::Duration timeout);

  bool closed() const { return closed_; }

 private:
  int fd_ = -1;
  bool closed_ = false;
};

using Http2Header = std::pair<std::string, std::string>;

// What an HTTP/2 client says first: the preface and empty settings.
std::string Http2Preface();

// Agrees to the server's settings, which count from then on.
std::string Http2SettingsAck();

// One frame, its length as that of `payload`.
std::string Http2Frame(char type, char flags, unsigned stream, absl::string_view payload);

// The header block of a gRPC call, uncompressed, with `more` after its own headers.
std::string GrpcHeaders(const std::string& path, const std::vector<Http2Header>& more);

// A whole call in as many frames as it takes: headers, one message, the end of the stream.
// `stream` is odd.
std::string GrpcCall(unsigned stream, const std::string& path, const std::vector<Http2Header>& more,
                     const std::string& message);

// All frames of a type in what a server sent, whole ones only: stream and payload.
std::vector<std::pair<unsigned, std::string>> FramesOfType(absl::string_view received, char type);

constexpr char kHttp2Data = 0x0;
constexpr char kHttp2Headers = 0x1;
constexpr char kHttp2ResetStream = 0x3;
constexpr char kHttp2Ping = 0x6;
constexpr char kHttp2GoAway = 0x7;
constexpr char kHttp2Continuation = 0x9;
constexpr char kHttp2EndStream = 0x1;
constexpr char kHttp2EndHeaders = 0x4;

}  // namespace intercom_extractor

#endif  // SERVER_RAW_HTTP2_H_

#ifndef TESTS_FAKE_INTERCOM_HTTP_SERVER_H_
#define TESTS_FAKE_INTERCOM_HTTP_SERVER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace intercom_extractor::fake {

// One request as the client sent it.
struct Request {
  std::string method;  // "GET"
  std::string target;  // "/contacts?per_page=2", still encoded.
  std::string path;    // "/contacts"
  // Decoded query parameters in their order.
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // The value of a header (name in any case) or of a query parameter; empty when
  // there is none.
  std::string_view Header(std::string_view name) const;
  std::string_view Query(std::string_view name) const;
  bool HasQuery(std::string_view name) const;
};

// How an answer travels that is not sent whole and by the book.
struct Delivery {
  // How its end is told: by Content-Length, by the last chunk, by the connection's end.
  enum class Framing { kLength, kChunked, kUntilClose };
  // What becomes of the connection: kept, closed as HTTP and TLS want it, closed without
  // TLS's farewell, reset.
  enum class End { kKeep, kClose, kAbrupt, kReset };

  // The connection is reset without an answer.
  bool reset = false;
  // These bytes go out instead of the answer.
  std::optional<std::string> raw;
  Framing framing = Framing::kLength;
  // Of the body only so many bytes go out.
  std::optional<size_t> body_bytes;
  // What Content-Length says too much.
  int64_t length_error = 0;
  // So many bytes at a time, with pauses between them; 0: all at once.
  size_t drip_bytes = 0;
  std::chrono::microseconds drip_interval{0};
  End end = End::kKeep;
  // Nothing listens for so long, and connections that are there are reset.
  std::chrono::microseconds refuse{0};

  // Whether all of the answer arrives.
  bool Whole() const {
    return !reset && !raw && !body_bytes && length_error == 0 && end != End::kReset &&
           refuse.count() == 0;
  }
  bool ByTheBook() const {
    return Whole() && framing == Framing::kLength && drip_bytes == 0 && end == End::kKeep;
  }
};

struct Response {
  int status = 200;
  // None where empty.
  std::string content_type = "application/json; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // How long the answer waits before its first byte; holds no thread meanwhile.
  std::chrono::microseconds delay{0};
  Delivery delivery;
  // Records in the answer; what page latency is charged for.
  size_t items = 0;
  // Whether X-RateLimit-* headers are added.
  bool rate_headers = true;
  // Called once when the answer was sent or could not be.
  std::function<void()> on_done;
};

// What becomes of a connection before any request.
enum class ConnectionFault {
  kNone,
  kReset,     // At once.
  kClose,     // At once.
  kSilence,   // It is never answered.
  kGarbage,   // What its first bytes get is neither TLS nor HTTP; then it closes.
  kTlsAlert,  // Its first bytes get TLS's alert "handshake failure"; then it closes.
};

// An HTTP/1.1 server (keep-alive, optional TLS, TCP_NODELAY) on the loopback
// interface. Connections cost no thread, so hundreds may stay open and answers
// may be delayed at will.
class HttpServer {
 public:
  struct Options {
    uint16_t port = 0;  // 0: any free port.
    int threads = 2;
    // PEM files; both empty: plain http.
    std::string tls_cert_file;
    std::string tls_key_file;
    // Asked for each connection, on any thread. Empty: all are served.
    std::function<ConnectionFault()> on_connection;
  };

  // Answers a request by filling `*response`. Called on any of the server's
  // threads, several at once; must not block.
  using Handler = std::function<void(const Request& request, Response* response)>;

  // Listens at once and serves until destroyed. Throws std::exception when the
  // port or the TLS files cannot be used.
  HttpServer(const Options& options, Handler handler);
  // Closes every connection and waits for the threads.
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Undoes percent-encoding and '+' of one query component.
std::string UrlDecode(std::string_view text);
// Percent-encodes everything but unreserved characters.
std::string UrlEncode(std::string_view text);

// The decoded parameters of a query or form, in their order.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view text);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_HTTP_SERVER_H_

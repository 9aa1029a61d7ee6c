#ifndef EXTRACTOR_HTTP_LOOPBACK_SERVER_H_
#define EXTRACTOR_HTTP_LOOPBACK_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// A server on 127.0.0.1 and a free port that sends the bytes it is told to, for
// tests of what must survive a peer that does not keep to HTTP. Each connection
// is served on a thread of its own. Thread-safe.
class LoopbackServer {
 public:
  struct Request {
    // The request line without its end: "GET /path HTTP/1.1".
    std::string line;
    // The request line and the headers, with their line ends.
    std::string head;
    std::string body;

    // "/path?query".
    std::string target() const;
    // The value of a header, or an empty string. Case of `name` does not count.
    std::string Header(absl::string_view name) const;
  };

  // One accepted connection; closed when `serve` returns.
  class Peer {
   public:
    explicit Peer(int socket) : socket_(socket) {}
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    // The next request; nothing once the client or the server has gone.
    std::optional<Request> Read();
    // False when the client or the server has gone.
    bool Write(absl::string_view bytes);
    // Waits until the client or the server goes.
    void WaitForEnd();

   private:
    const int socket_;
    std::string received_;
  };

  using Serve = std::function<void(Peer&)>;
  using Answer = std::function<std::string(const Request&)>;

  explicit LoopbackServer(Serve serve);
  // Ends every connection and joins the threads.
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  // Answers each request of a connection with the bytes that `answer` gives.
  static Serve Answering(Answer answer);

  int port() const { return port_; }
  // "http://127.0.0.1:PORT" and `path`.
  std::string Url(absl::string_view path = "") const;
  // Connections accepted so far.
  size_t connections() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Accept();

  const Serve serve_;
  int listener_ = -1;
  int port_ = 0;
  std::thread accepting_;

  mutable Mutex mu_;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<int> sockets_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> serving_ ABSL_GUARDED_BY(mu_);
};

// An HTTP/1.1 answer with Content-Length. `headers` are whole lines, each with
// its "\r\n".
std::string HttpAnswer(int status, absl::string_view body, absl::string_view headers = "");

}  // namespace intercom_extractor

#endif  // EXTRACTOR_HTTP_LOOPBACK_SERVER_H_

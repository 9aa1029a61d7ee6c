#ifndef EXTRACTOR_HTTP_HTTP_CLIENT_H_
#define EXTRACTOR_HTTP_HTTP_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/http/response_body.h"

namespace intercom_extractor {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  // "Name: value" each.
  std::vector<std::string> headers;
  std::string body;
  // False: never sent twice. curl otherwise repeats a request by itself when a
  // connection that it reuses turns out to be dead.
  bool repeatable = true;
  // Asked on the loop's thread at the last moment before the request goes out, also on a
  // connection that is there: false ends the transfer with kCancelled, and nothing goes out.
  // Must not block. Empty: it may go out.
  std::function<bool()> may_send;
};

struct HttpResponse {
  // OK when an answer of any status arrived whole, else why it did not:
  //   kUnavailable       not connected, or cut before the end; worth another try
  //   kDeadlineExceeded  too slow; worth another try
  //   kFailedPrecondition  the server's certificate is not trusted, or the proxy
  //                      or URL is unusable; a person must act
  //   kResourceExhausted local memory or disk could not hold the answer
  //   kCancelled         Cancel(), the client's end or a `may_send` came first
  absl::Status status;
  int status_code = 0;
  // Names in lower case, in order of arrival, of the final answer only.
  std::vector<std::pair<std::string, std::string>> headers;
  ResponseBody body;
  // Whether any of the request went out: without, the server cannot have acted.
  bool sent = false;
  // From the start of the transfer to its end.
  absl::Duration latency;

  // The first header of that (lower case) name, or an empty string.
  std::string Header(const std::string& name) const;
};

// Runs HTTP transfers on one curl multi event loop: many in flight, connections
// and HTTP/2 streams reused, answers decompressed, certificates verified.
//
// Thread-safe. Owns the loop's thread; the destructor cancels what is left, which
// still calls every `done`, and joins the thread.
class HttpClient {
 public:
  struct Options {
    absl::Duration connect_timeout = absl::Seconds(15);
    // For one whole transfer. Generous: Intercom's searches take 18 s and more
    // on large workspaces.
    absl::Duration transfer_timeout = absl::Seconds(300);
    // A transfer that moves less than 1 byte/s for this long is given up. Also
    // bounds the wait for the first byte, so it is no shorter than the slowest
    // answers known.
    absl::Duration low_speed_timeout = absl::Seconds(90);
    // Connections to one host.
    int max_connections = 256;
    // Answers above this size are kept in an unlinked temporary file, so that
    // memory stays bounded by transfers in flight times this. In bytes.
    size_t max_body_in_memory = size_t{2} << 20;
    // What the answers of all transfers may hold in memory together, also while they
    // wait to be read; those that find no room are kept in files. In bytes.
    size_t max_bodies_in_memory = size_t{64} << 20;
    // An answer above this size after decompression is an error. In bytes.
    size_t max_body = size_t{4} << 30;
    // Extra certificate authorities to trust (PEM file); empty for the system's.
    std::string ca_file;
    std::string user_agent = "intercom-extractor";
  };

  using TransferId = uint64_t;
  using Done = absl::AnyInvocable<void(HttpResponse) &&>;

  explicit HttpClient(const Options& options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Begins a transfer and calls `done` exactly once on the loop's thread, where
  // it must not block. A URL on the loopback never goes through a proxy; else
  // the usual proxy variables of the environment count.
  TransferId Start(HttpRequest request, Done done);

  // Ends a transfer early: `done` gets kCancelled, unless it was called before.
  void Cancel(TransferId id);

  // Runs `work` on the loop's thread, soon or no earlier than after `delay`.
  // Delayed work that is still waiting when the client ends is dropped.
  void Post(absl::AnyInvocable<void() &&> work);
  void PostAfter(absl::Duration delay, absl::AnyInvocable<void() &&> work);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_HTTP_HTTP_CLIENT_H_

#ifndef SERVER_WATCH_HTTP_H_
#define SERVER_WATCH_HTTP_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/listen_address.h"

namespace intercom_extractor {

// The HTTP port for those who watch a server: GET and HEAD of
//
//   /metrics      Prometheus' text format
//   /livez        200 while the process answers at all
//   /readyz       200 while the server takes calls, else 503
//   /             the status page, one file that loads nothing else
//   /status.json  what the page shows
//
// Plain HTTP without callers' tokens. On a local address requests must name it by an IP
// address or "localhost": otherwise any page in a browser of this machine could read the
// answers, under a name of its own that it lets point here.
//
// Thread-safe. Four requests are answered at a time.
class WatchHttp {
 public:
  // Each is called on any thread, several at a time.
  struct Content {
    std::function<std::string()> metrics;
    std::function<std::string()> status_json;
    std::function<bool()> ready;
  };

  // kInvalidArgument for a unix socket, kUnavailable when it cannot be bound.
  static absl::StatusOr<std::unique_ptr<WatchHttp>> Start(const ListenAddress& address,
                                                          Content content);
  virtual ~WatchHttp() = default;

  virtual int port() const = 0;
};

// The Content-Security-Policy that `page` needs: only its own inline script and style, and
// requests to where it is from.
std::string PagePolicy(const std::string& page);

}  // namespace intercom_extractor

#endif  // SERVER_WATCH_HTTP_H_

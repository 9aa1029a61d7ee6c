#ifndef CLIENTS_LOGIN_REDIRECT_LISTENER_H_
#define CLIENTS_LOGIN_REDIRECT_LISTENER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace intercom_extractor {

// Whether an address is this machine's own, http or https, so that a RedirectListener can
// wait there.
bool IsLoopbackUrl(const std::string& url);

// Waits at an address of the loopback for a browser that Intercom sends there. With https,
// which Intercom demands of redirect URLs, it shows a certificate made for this one time, of
// which browsers warn.
class RedirectListener {
 public:
  // Called with each whole address that a browser came with; on the listener's thread. The
  // browser shows that all is well, or the error's message, which must not hold what was in
  // the address.
  using OnRedirect = std::function<absl::Status(const std::string& address)>;

  // Port 0: any free one. kInvalidArgument: no such address; kUnavailable: the port is taken.
  static absl::StatusOr<std::unique_ptr<RedirectListener>> Start(const std::string& redirect_url,
                                                                 OnRedirect on_redirect);

  // Stops. Waits for an OnRedirect that runs.
  virtual ~RedirectListener() = default;

  // The address with the port that was bound.
  virtual const std::string& url() const = 0;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_LOGIN_REDIRECT_LISTENER_H_

#ifndef CLIENTS_CPP_RECONNECT_BACKOFF_H_
#define CLIENTS_CPP_RECONNECT_BACKOFF_H_

#include <functional>
#include <optional>
#include <utility>

#include "absl/time/time.h"

namespace intercom_extractor {

// How long to wait before a lost connection is tried again: 1, 2, 4, 8 and 16 s,
// less up to half of it, so that many clients of a server that comes back do not
// come at once. A server that restarts within 15 s is always met again. For one
// thread.
class ReconnectBackoff {
 public:
  static constexpr int kMaxTries = 5;

  // `random` gives numbers in [0, 1).
  explicit ReconnectBackoff(std::function<double()> random) : random_(std::move(random)) {}

  // The wait before the next try; none once all have failed in a row.
  std::optional<absl::Duration> Next() {
    if (tries_ == kMaxTries) return std::nullopt;
    const absl::Duration full = absl::Seconds(1) * (1 << tries_++);
    return full * (1 - random_() / 2);
  }

  // Tries since the last success, this one included.
  int tries() const { return tries_; }

  // The connection brought something new.
  void OnProgress() { tries_ = 0; }

 private:
  const std::function<double()> random_;
  int tries_ = 0;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_RECONNECT_BACKOFF_H_

#ifndef EXTRACTOR_QUOTA_PACER_H_
#define EXTRACTOR_QUOTA_PACER_H_

#include "absl/time/time.h"
#include "extractor/quota/quota_governor.h"

namespace intercom_extractor {

// Spreads the requests of a window over it: apps that share the quota find some of
// it left at any time, and what they use on the way is seen before we have spent
// it. A twentieth goes at once: a check, say, does not wait for a quota that it will
// not use up.
//
// Not thread-safe: belongs to the one who sends.
class Pacer {
 public:
  // How long to wait before the next request may go; zero when it may go now.
  // At most until the window ends.
  absl::Duration Wait(const QuotaGovernor::Window& window, absl::Time now);

  // A request went.
  void OnSent() { credit_ -= 1; }

 private:
  // Of which window `credit_` is.
  absl::Time window_end_ = absl::InfinitePast();
  absl::Time updated_at_ = absl::InfinitePast();
  // Requests that may go now.
  double credit_ = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_QUOTA_PACER_H_

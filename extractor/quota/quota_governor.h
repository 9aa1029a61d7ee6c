#ifndef EXTRACTOR_QUOTA_QUOTA_GOVERNOR_H_
#define EXTRACTOR_QUOTA_QUOTA_GOVERNOR_H_

#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "extractor/quota/rate_limit_headers.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Says when the next request may start, so that a 429 is the exception and not
// the signal we steer by. Learns the quota from the answers' headers: fixed
// windows of `limit` requests that end at `reset` on the server's clock.
//
// Thread-safe. Never blocks; the caller arms a timer with the answer.
class QuotaGovernor {
 public:
  struct Options {
    // Share of every window left to the token's other users, in [0, 1).
    double reserve = 0.1;
    // How long a window is until two resets have shown it. Intercom documents
    // 10 seconds.
    absl::Duration window = absl::Seconds(10);
  };

  // `clock` must outlive the governor. `random` gives numbers in [0, 1).
  QuotaGovernor(const Options& options, const Clock* clock, absl::AnyInvocable<double()> random);

  // Takes one request from the window and returns zero, or takes nothing and
  // returns how long to wait before asking again; infinite: until an answer
  // arrives (the first request of a token goes alone, to learn the quota).
  absl::Duration TryAcquire() ABSL_LOCKS_EXCLUDED(mu_);

  // To be called once for every request that TryAcquire() let go: with the
  // answer's headers, or without any when no answer came.
  void OnAnswer(const RateLimitHeaders& headers) ABSL_LOCKS_EXCLUDED(mu_);

  // Instead of OnAnswer() for a 429: closes the gate for all requests until the
  // window ends, plus up to 250 ms so that clients do not wake as a herd.
  void OnRateLimited(const RateLimitHeaders& headers) ABSL_LOCKS_EXCLUDED(mu_);

  struct State {
    int64_t limit = 0;
    int64_t remaining = 0;
  };
  // What the server last said; nothing while it has said nothing.
  std::optional<State> Stated() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Adopt(const RateLimitHeaders& headers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // When a moment on the server's clock is on ours.
  absl::Time ToLocal(absl::Time server) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t Usable(int64_t limit) const;

  const Options options_;
  const Clock* const clock_;

  mutable Mutex mu_;
  absl::AnyInvocable<double()> random_ ABSL_GUARDED_BY(mu_);
  // True once any answer came, with headers or without.
  bool learned_ ABSL_GUARDED_BY(mu_) = false;
  int64_t in_flight_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t limit_ ABSL_GUARDED_BY(mu_) = 0;  // 0: unknown, nothing is held back
  int64_t stated_remaining_ ABSL_GUARDED_BY(mu_) = 0;
  // What may still be sent in the present window, reserve taken off.
  int64_t left_ ABSL_GUARDED_BY(mu_) = 0;
  // The window's end as the server named it; our guess of it on our clock.
  absl::Time reset_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  absl::Time window_end_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  absl::Duration window_ ABSL_GUARDED_BY(mu_);
  // Our clock minus the server's; Date is rounded down, so each answer gives an
  // upper bound and the lowest is the best.
  std::optional<absl::Duration> clock_offset_ ABSL_GUARDED_BY(mu_);
  absl::Time gate_until_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  int blind_rejections_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_QUOTA_QUOTA_GOVERNOR_H_

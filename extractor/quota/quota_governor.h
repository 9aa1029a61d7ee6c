#ifndef EXTRACTOR_QUOTA_QUOTA_GOVERNOR_H_
#define EXTRACTOR_QUOTA_QUOTA_GOVERNOR_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "extractor/quota/rate_limit_headers.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Says whether the next request may start, so that a 429 is the exception and not
// the signal we steer by. Learns the quota from the answers' headers: fixed
// windows of `limit` requests that end at `reset` on the server's clock, which
// other apps of the workspace may use, too.
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

  // Goes with a request to its answer: the window in which it was sent.
  using Ticket = int64_t;

  // `clock` must outlive the governor. `random` gives numbers in [0, 1).
  QuotaGovernor(const Options& options, const Clock* clock, absl::AnyInvocable<double()> random);

  // Takes one request from the window and returns zero, or takes nothing and
  // returns how long to wait before asking again; infinite: until an answer
  // arrives. The first request of a token, and the first after a pause of more
  // than a window, goes alone, to learn the quota.
  absl::Duration TryAcquire(Ticket* ticket) ABSL_LOCKS_EXCLUDED(mu_);

  // To be called once for every request that TryAcquire() let go: with the
  // answer's headers, or without any when no answer came.
  void OnAnswer(Ticket ticket, const RateLimitHeaders& headers) ABSL_LOCKS_EXCLUDED(mu_);

  // Instead of OnAnswer() for a 429: closes the gate for all requests until the
  // window ends, plus up to 250 ms so that clients do not wake as a herd. One
  // that comes though requests remain speaks of a limit that the headers do not
  // show, the workspace's: our share shrinks by 30 % and grows back by 5 % a
  // window.
  void OnRateLimited(Ticket ticket, const RateLimitHeaders& headers) ABSL_LOCKS_EXCLUDED(mu_);

  // The window that is open now.
  struct Window {
    int64_t limit = 0;
    // What we may still send in it, reserve taken off.
    int64_t left = 0;
    // What others have used of it, as far as the answers tell.
    int64_t used_by_others = 0;
    absl::Time begin;
    absl::Time end;
  };
  // Nothing while no quota is known, or when the last known window is over.
  std::optional<Window> Present() const ABSL_LOCKS_EXCLUDED(mu_);

  struct State {
    int64_t limit = 0;
    int64_t remaining = 0;
    // Of the limit: what we may use, reserve taken off.
    int64_t usable = 0;
    absl::Duration window;
  };
  // What the server last said; nothing while it has said nothing.
  std::optional<State> Stated() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  static constexpr int64_t kNotTold = std::numeric_limits<int64_t>::min();

  void Adopt(Ticket ticket, const RateLimitHeaders& headers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OpenWindow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AdjustClock(const RateLimitHeaders& headers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // When a moment on the server's clock is on ours.
  absl::Time ToLocal(absl::Time server) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t Usable() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t Left() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return Usable() - ours_ - std::max<int64_t>(0, used_by_others_);
  }

  const Options options_;
  const Clock* const clock_;

  mutable Mutex mu_;
  absl::AnyInvocable<double()> random_ ABSL_GUARDED_BY(mu_);
  // True once any answer came, with headers or without.
  bool learned_ ABSL_GUARDED_BY(mu_) = false;
  int64_t in_flight_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t limit_ ABSL_GUARDED_BY(mu_) = 0;  // 0: unknown, nothing is held back
  int64_t stated_remaining_ ABSL_GUARDED_BY(mu_) = 0;
  // Of what the reserve leaves, what a hidden limit has taught us to use.
  double share_ ABSL_GUARDED_BY(mu_) = 1;

  // The present window: a number that only counts up.
  Ticket window_number_ ABSL_GUARDED_BY(mu_) = 0;
  // Our requests that count in it, as far as we know: those sent in it, and those
  // from before that were on the way when it began.
  int64_t ours_ ABSL_GUARDED_BY(mu_) = 0;
  // As the answers tell when all of `ours_` are counted in them: negative when they
  // are not.
  int64_t used_by_others_ ABSL_GUARDED_BY(mu_) = kNotTold;
  bool rejected_ ABSL_GUARDED_BY(mu_) = false;
  // The last window's end that the server named. The present window is that one,
  // or one after it that no answer has described yet.
  absl::Time stated_reset_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  bool described_ ABSL_GUARDED_BY(mu_) = false;
  // On our clock.
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

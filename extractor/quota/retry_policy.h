#ifndef EXTRACTOR_QUOTA_RETRY_POLICY_H_
#define EXTRACTOR_QUOTA_RETRY_POLICY_H_

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "extractor/sync/clock.h"

namespace intercom_extractor {

// How long to pause before a failed request is tried again: "full jitter", a
// random share of an exponentially growing bound, so that clients that failed
// together do not come back together. Not thread-safe.
class RetryPolicy {
 public:
  struct Options {
    absl::Duration first_bound = absl::Seconds(1);
    absl::Duration largest_bound = absl::Seconds(30);
  };

  // `random` gives numbers in [0, 1).
  RetryPolicy(const Options& options, absl::AnyInvocable<double()> random);

  // The pause after the `failures`-th failure of a request, from 1.
  absl::Duration Pause(int failures);

 private:
  const Options options_;
  absl::AnyInvocable<double()> random_;
};

// Bounds the share of retries in the traffic: an upstream that fails everything
// gets a trickle, not a multiple of the load. An empty budget delays a retry, it
// never cancels one: that would lose rows; and it delays none for long, so that an
// outage of a second is over soon after it. Not thread-safe.
class RetryBudget {
 public:
  struct Options {
    // Retries that each successful request pays for.
    double per_success = 0.2;
    // Retries per second that are always affordable.
    double per_second = 5;
    // Retries that can be saved up; also the start.
    double capacity = 50;
    // No retry waits longer: what is in flight is bounded as well.
    absl::Duration longest_wait = absl::Seconds(10);
  };

  // `clock` must outlive the budget.
  RetryBudget(const Options& options, const Clock* clock);

  void OnSuccess();

  // Takes a retry and returns how long it must wait for being affordable.
  absl::Duration Take();

 private:
  void Refill();

  const Options options_;
  const Clock* const clock_;
  // Negative while retries are waiting for what they took.
  double tokens_;
  absl::Time refilled_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_QUOTA_RETRY_POLICY_H_

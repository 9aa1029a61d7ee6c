#include "extractor/quota/retry_policy.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace intercom_extractor {

RetryPolicy::RetryPolicy(const Options& options, absl::AnyInvocable<double()> random)
    : options_(options), random_(std::move(random)) {}

absl::Duration RetryPolicy::Pause(int failures) {
  // The exponent is bounded as 2^62 nanoseconds would overflow anything.
  const double growth = std::pow(2.0, std::clamp(failures - 1, 0, 30));
  return std::min(options_.first_bound * growth, options_.largest_bound) * random_();
}

RetryBudget::RetryBudget(const Options& options, const Clock* clock)
    : options_(options), clock_(clock), tokens_(options.capacity), refilled_(clock->Now()) {}

void RetryBudget::Refill() {
  const absl::Time now = clock_->Now();
  tokens_ = std::min(options_.capacity,
                     tokens_ + absl::ToDoubleSeconds(now - refilled_) * options_.per_second);
  refilled_ = now;
}

void RetryBudget::OnSuccess() {
  Refill();
  tokens_ = std::min(options_.capacity, tokens_ + options_.per_success);
}

absl::Duration RetryBudget::Take() {
  Refill();
  tokens_ =
      std::max(tokens_ - 1, -options_.per_second * absl::ToDoubleSeconds(options_.longest_wait));
  if (tokens_ >= 0) return absl::ZeroDuration();
  return absl::Seconds(-tokens_ / options_.per_second);
}

}  // namespace intercom_extractor

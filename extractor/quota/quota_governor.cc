#include "extractor/quota/quota_governor.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace intercom_extractor {
namespace {

// A server's Date that moves the offset by more than this means that a clock was
// set, not that the network was slow.
constexpr absl::Duration kClockJump = absl::Seconds(3);
// A reset further away than this is not believed.
constexpr absl::Duration kLongestWindow = absl::Minutes(2);
constexpr absl::Duration kWakeUpJitter = absl::Milliseconds(250);
constexpr absl::Duration kLongestBlindGate = absl::Seconds(60);

}  // namespace

QuotaGovernor::QuotaGovernor(const Options& options, const Clock* clock,
                             absl::AnyInvocable<double()> random)
    : options_(options), clock_(clock), random_(std::move(random)), window_(options.window) {}

int64_t QuotaGovernor::Usable(int64_t limit) const {
  // At least one, or a tiny quota with a large reserve would stand still.
  return std::max<int64_t>(
      1, limit - static_cast<int64_t>(std::ceil(static_cast<double>(limit) * options_.reserve)));
}

absl::Duration QuotaGovernor::TryAcquire() {
  MutexLock lock(&mu_);
  const absl::Time now = clock_->Now();
  if (now < gate_until_) return gate_until_ - now;
  if (!learned_) {
    if (in_flight_ > 0) return absl::InfiniteDuration();
  } else if (limit_ > 0) {
    if (now >= window_end_) {
      // Assume the next window until an answer describes it; requests that are
      // still on the way may count in it.
      window_end_ = now + window_;
      left_ = Usable(limit_) - in_flight_;
    }
    if (left_ <= 0) return std::max(window_end_ - now, absl::Milliseconds(1));
    --left_;
  }
  ++in_flight_;
  return absl::ZeroDuration();
}

void QuotaGovernor::OnAnswer(const RateLimitHeaders& headers) {
  MutexLock lock(&mu_);
  --in_flight_;
  if (headers.answered || headers.date.has_value() || headers.limit.has_value()) {
    learned_ = true;
    blind_rejections_ = 0;
  } else if (!learned_) {
    // No answer at all: the next request is the first again.
    return;
  }
  Adopt(headers);
}

void QuotaGovernor::OnRateLimited(const RateLimitHeaders& headers) {
  MutexLock lock(&mu_);
  --in_flight_;
  learned_ = true;
  Adopt(headers);
  left_ = 0;
  const absl::Time now = clock_->Now();
  absl::Time open;
  if (headers.reset.has_value() && ToLocal(*headers.reset) - now <= kLongestWindow) {
    open = std::max(ToLocal(*headers.reset), now);
  } else if (now < gate_until_) {
    // On the way when the gate closed: one burst is one rejection.
    open = now;
  } else {
    // Nothing tells how long: a window, then longer.
    const double factor = std::pow(2.0, std::min(blind_rejections_, 6)) * (0.5 + 0.5 * random_());
    open = now + std::min(options_.window * factor, kLongestBlindGate);
    ++blind_rejections_;
  }
  gate_until_ = std::max(gate_until_, open + random_() * kWakeUpJitter);
  window_end_ = gate_until_;
}

void QuotaGovernor::Adopt(const RateLimitHeaders& headers) {
  const absl::Time now = clock_->Now();
  if (headers.date.has_value()) {
    const absl::Duration offset = now - *headers.date;
    if (!clock_offset_.has_value() || offset < *clock_offset_ ||
        offset > *clock_offset_ + kClockJump) {
      clock_offset_ = offset;
    }
  }
  if (!headers.limit.has_value() || !headers.remaining.has_value()) return;
  const int64_t held_back = *headers.limit - Usable(*headers.limit);
  const int64_t usable = *headers.remaining - held_back;
  if (!headers.reset.has_value()) {
    limit_ = *headers.limit;
    stated_remaining_ = *headers.remaining;
    left_ = std::min(left_, usable);
    return;
  }
  // An answer that was overtaken describes a window that is over. One from much
  // longer ago tells that the last reset was wrong.
  const absl::Duration step = *headers.reset - reset_;
  if (step < absl::ZeroDuration() && step >= -kLongestWindow) return;
  if (step != absl::ZeroDuration()) {
    if (step > absl::ZeroDuration() && step <= kLongestWindow) {
      // The shortest distance between resets is the window; idle windows skip some.
      window_ = std::min(window_, step);
    }
    reset_ = *headers.reset;
    left_ = usable - in_flight_;
  } else {
    // Within a window the count only falls: an answer that left the server before
    // our other requests arrived there must not hand their places back.
    left_ = std::min(left_, usable);
  }
  limit_ = *headers.limit;
  stated_remaining_ = *headers.remaining;
  absl::Time end = ToLocal(reset_);
  if (end - now > kLongestWindow || end < now - kLongestWindow) end = now + window_;
  window_end_ = end;
}

absl::Time QuotaGovernor::ToLocal(absl::Time server) const {
  return server + clock_offset_.value_or(absl::ZeroDuration());
}

std::optional<QuotaGovernor::State> QuotaGovernor::Stated() const {
  MutexLock lock(&mu_);
  if (limit_ == 0) return std::nullopt;
  return State{limit_, stated_remaining_};
}

}  // namespace intercom_extractor

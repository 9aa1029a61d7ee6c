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
// When an answer shows that the window goes on after we thought it over.
constexpr absl::Duration kLateWindow = absl::Milliseconds(10);
constexpr double kShareAfterHiddenLimit = 0.7;
constexpr double kShareGrowth = 0.05;

}  // namespace

QuotaGovernor::QuotaGovernor(const Options& options, const Clock* clock,
                             absl::AnyInvocable<double()> random)
    : options_(options), clock_(clock), random_(std::move(random)), window_(options.window) {}

int64_t QuotaGovernor::Usable() const {
  const auto reserved =
      static_cast<int64_t>(std::ceil(static_cast<double>(limit_) * options_.reserve));
  const auto shared = static_cast<int64_t>(static_cast<double>(limit_ - reserved) * share_);
  // At least one, or a tiny quota with a large reserve would stand still.
  return std::max<int64_t>(1, shared);
}

void QuotaGovernor::OpenWindow() {
  ++window_number_;
  // Whatever is on the way may count in it, until its answer says otherwise.
  ours_ = in_flight_;
  used_by_others_ = kNotTold;
  described_ = false;
  if (!rejected_) share_ = std::min(1.0, share_ + kShareGrowth);
  rejected_ = false;
}

absl::Duration QuotaGovernor::TryAcquire(Ticket* ticket) {
  MutexLock lock(&mu_);
  const absl::Time now = clock_->Now();
  if (now < gate_until_) return gate_until_ - now;
  // A quota that was not heard of for a whole window may be another one by now.
  if (limit_ > 0 && in_flight_ == 0 && now >= window_end_ + window_) learned_ = false;
  if (!learned_) {
    if (in_flight_ > 0) return absl::InfiniteDuration();
  } else if (limit_ > 0) {
    if (now >= window_end_) {
      // Assume the next window until an answer describes it.
      window_end_ = std::max(now, window_end_ + window_);
      if (window_end_ == now) window_end_ = now + window_;
      OpenWindow();
    }
    if (Left() <= 0) return std::max(window_end_ - now, absl::Milliseconds(1));
  }
  ++ours_;
  ++in_flight_;
  *ticket = window_number_;
  return absl::ZeroDuration();
}

void QuotaGovernor::OnAnswer(Ticket ticket, const RateLimitHeaders& headers) {
  MutexLock lock(&mu_);
  --in_flight_;
  if (headers.answered || headers.date.has_value() || headers.limit.has_value()) {
    learned_ = true;
    blind_rejections_ = 0;
  } else if (!learned_) {
    // No answer at all: the next request is the first again.
    return;
  }
  Adopt(ticket, headers);
}

void QuotaGovernor::OnRateLimited(Ticket ticket, const RateLimitHeaders& headers) {
  MutexLock lock(&mu_);
  --in_flight_;
  learned_ = true;
  Adopt(ticket, headers);
  if (headers.remaining.value_or(0) > 0 && !rejected_) share_ *= kShareAfterHiddenLimit;
  rejected_ = true;
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
  // What opens then is the next window.
  window_end_ = std::min(window_end_, gate_until_);
}

void QuotaGovernor::AdjustClock(const RateLimitHeaders& headers) {
  if (!headers.date.has_value()) return;
  const absl::Duration offset = clock_->Now() - *headers.date;
  if (!clock_offset_.has_value() || offset < *clock_offset_ ||
      offset > *clock_offset_ + kClockJump) {
    clock_offset_ = offset;
  }
}

void QuotaGovernor::Adopt(Ticket ticket, const RateLimitHeaders& headers) {
  AdjustClock(headers);
  if (!headers.limit.has_value() || !headers.remaining.has_value()) return;
  const absl::Time now = clock_->Now();
  if (headers.reset.has_value()) {
    // One from much longer ago tells that the last reset was wrong.
    const absl::Duration step = *headers.reset - stated_reset_;
    const bool overtaken = step < absl::ZeroDuration() && step >= -kLongestWindow;
    if (overtaken || (step == absl::ZeroDuration() && !described_ && ticket < window_number_)) {
      // It counted in a window that is over.
      if (ticket < window_number_ && ours_ > 0) {
        --ours_;
        if (used_by_others_ != kNotTold) ++used_by_others_;
      }
      return;
    }
    if (step != absl::ZeroDuration()) {
      if (step > absl::ZeroDuration() && step <= kLongestWindow) {
        // The shortest distance between resets is the window; idle windows skip some.
        window_ = std::min(window_, step);
      }
      if (described_) {
        // The server's window began before we knew; this request counts in it.
        OpenWindow();
        ++ours_;
      }
      stated_reset_ = *headers.reset;
    }
    described_ = true;
    absl::Time end = ToLocal(stated_reset_);
    if (end - now > kLongestWindow || end < now - kLongestWindow) {
      end = now + window_;
    } else if (step == absl::ZeroDuration()) {
      end = std::max(end, now + kLateWindow);
    }
    window_end_ = end;
  } else if (window_end_ == absl::InfinitePast()) {
    window_end_ = now + window_;
  }
  if (limit_ != 0 && limit_ != *headers.limit) {
    // What counts is what remains of the new one.
    ours_ = in_flight_;
    used_by_others_ = *headers.limit - *headers.remaining;
  }
  limit_ = *headers.limit;
  stated_remaining_ = *headers.remaining;
  // What is on the way may or may not be counted in `remaining`; as if it were
  // all, so that our own requests are never taken for others'.
  used_by_others_ = std::max(used_by_others_, limit_ - *headers.remaining - ours_);
}

absl::Time QuotaGovernor::ToLocal(absl::Time server) const {
  return server + clock_offset_.value_or(absl::ZeroDuration());
}

std::optional<QuotaGovernor::Window> QuotaGovernor::Present() const {
  MutexLock lock(&mu_);
  if (!learned_ || limit_ == 0 || clock_->Now() >= window_end_) return std::nullopt;
  return Window{limit_, Left(), std::max<int64_t>(0, used_by_others_), window_end_ - window_,
                window_end_};
}

std::optional<QuotaGovernor::State> QuotaGovernor::Stated() const {
  MutexLock lock(&mu_);
  if (limit_ == 0) return std::nullopt;
  return State{limit_, stated_remaining_, Usable(), window_};
}

}  // namespace intercom_extractor

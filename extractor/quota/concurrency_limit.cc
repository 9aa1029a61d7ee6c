#include "extractor/quota/concurrency_limit.h"

#include <algorithm>
#include <cmath>

namespace intercom_extractor {
namespace {

// Weights of the newest answer: over all operations, and in what is usual for one.
constexpr double kNewest = 0.05;
constexpr double kNewestOfUsual = 0.02;
// Before this many answers nothing is usual.
constexpr int kFewAnswers = 20;
constexpr double kMuchLonger = 3;
// Below this, latency is noise.
constexpr absl::Duration kNoise = absl::Milliseconds(100);
constexpr double kShrinkWhenFailed = 0.7;
constexpr double kShrinkWhenSlow = 0.9;

}  // namespace

int ConcurrencyLimit::Limit(std::optional<double> quota_rate) const {
  double limit = bearable_;
  if (quota_rate.has_value() && latency_.has_value()) {
    limit = std::min(limit,
                     std::ceil(*quota_rate * absl::ToDoubleSeconds(*latency_) * options_.headroom));
  }
  return std::clamp(static_cast<int>(limit), options_.min, options_.max);
}

void ConcurrencyLimit::OnAnswer(const std::string& operation, absl::Duration latency, bool failed,
                                absl::Time now) {
  if (failed) {
    Shrink(kShrinkWhenFailed, now);
    return;
  }
  latency_ = latency_.has_value() ? *latency_ + kNewest * (latency - *latency_) : latency;
  Usual& usual = usual_[operation];
  const bool slow = usual.answers >= kFewAnswers &&
                    latency > std::max(kMuchLonger * usual.latency, usual.latency + kNoise);
  // The first few count alike, so that no single one sets what is usual.
  ++usual.answers;
  usual.latency += std::max(kNewestOfUsual, 1.0 / usual.answers) * (latency - usual.latency);
  if (slow) {
    Shrink(kShrinkWhenSlow, now);
    return;
  }
  // Probing doubles with each round trip; afterwards one more for each round trip.
  bearable_ = std::min<double>(options_.max, bearable_ + (probing_ ? 1 : 1 / bearable_));
}

void ConcurrencyLimit::Shrink(double factor, absl::Time now) {
  probing_ = false;
  // What was in flight together fails together: one burst counts once.
  const absl::Duration round_trip = latency_.value_or(absl::Seconds(1));
  if (now - shrunk_at_ < round_trip) return;
  shrunk_at_ = now;
  bearable_ = std::max<double>(options_.min, bearable_ * factor);
}

}  // namespace intercom_extractor

#include "tests/fake_intercom/quota.h"

#include <algorithm>
#include <stdexcept>

#include "absl/strings/numbers.h"

namespace intercom_extractor::fake {
namespace {

constexpr size_t kHistory = 1000;

}  // namespace

Quota::Options Quota::Parse(const std::string& text) {
  Options options;
  const size_t slash = text.find('/');
  const bool limit_read = absl::SimpleAtoi(text.substr(0, slash), &options.limit);
  if (limit_read && options.limit == 0 && slash == std::string::npos) return options;
  if (limit_read && options.limit > 0 && slash != std::string::npos &&
      absl::ParseDuration(text.substr(slash + 1), &options.window) &&
      options.window > absl::ZeroDuration()) {
    return options;
  }
  throw std::invalid_argument("quota: want N/WINDOW such as 1666/10s, or 0; got " + text);
}

Quota::Answer Quota::Take(Who who) {
  Answer answer;
  if (!limited()) return answer;
  const absl::Duration since_epoch = clock_() - absl::UnixEpoch();
  absl::Duration rest;
  const int64_t window_number = absl::IDivDuration(since_epoch, options_.window, &rest);
  const absl::Duration end = options_.window * (window_number + 1);
  const std::lock_guard<std::mutex> lock(mu_);
  if (windows_.empty() || windows_.back().number != window_number) {
    if (windows_.size() == kHistory) windows_.pop_front();
    windows_.push_back({window_number});
  }
  WindowUse& window = windows_.back();
  window.limit = limit_;
  const bool other_app = who == Who::kOtherApp;
  answer.allowed = window.used + window.used_by_other_apps < limit_;
  if (answer.allowed) {
    ++(other_app ? window.used_by_other_apps : window.used);
  } else {
    ++(other_app ? window.rejected_of_other_apps : window.rejected);
  }
  answer.limit = limit_;
  answer.remaining = std::max(0, limit_ - window.used - window.used_by_other_apps);
  answer.reset = absl::ToInt64Seconds(absl::Ceil(end, absl::Seconds(1)));
  return answer;
}

void Quota::SetLimit(int limit) {
  const std::lock_guard<std::mutex> lock(mu_);
  limit_ = limit;
}

std::vector<Quota::WindowUse> Quota::History() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return {windows_.begin(), windows_.end()};
}

}  // namespace intercom_extractor::fake

#include "tests/fake_intercom/quota.h"

#include <algorithm>
#include <stdexcept>

#include "absl/strings/numbers.h"

namespace intercom_extractor::fake {

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

Quota::Answer Quota::Take() {
  Answer answer;
  if (!limited()) return answer;
  const absl::Duration since_epoch = clock_() - absl::UnixEpoch();
  absl::Duration rest;
  const int64_t window_number = absl::IDivDuration(since_epoch, options_.window, &rest);
  const absl::Duration end = options_.window * (window_number + 1);
  const std::lock_guard<std::mutex> lock(mu_);
  if (window_number != window_number_) {
    window_number_ = window_number;
    used_ = 0;
  }
  answer.allowed = used_ < options_.limit;
  if (answer.allowed) ++used_;
  answer.limit = options_.limit;
  answer.remaining = std::max(0, options_.limit - used_);
  answer.reset = absl::ToInt64Seconds(absl::Ceil(end, absl::Seconds(1)));
  return answer;
}

}  // namespace intercom_extractor::fake

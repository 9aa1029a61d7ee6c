#include "tests/fake_intercom/quota.h"

#include <algorithm>
#include <stdexcept>

namespace intercom_extractor::fake {

Quota::Options Quota::Parse(const std::string& text) {
  Options options;
  try {
    size_t end = 0;
    options.limit = std::stoi(text, &end);
    if (end == text.size() && options.limit == 0) return options;
    if (end < text.size() && text[end] == '/' && options.limit > 0 &&
        absl::ParseDuration(text.substr(end + 1), &options.window) &&
        options.window > absl::ZeroDuration()) {
      return options;
    }
  } catch (const std::exception&) {
    // Falls through to the one message that helps.
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

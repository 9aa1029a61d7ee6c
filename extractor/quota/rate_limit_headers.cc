#include "extractor/quota/rate_limit_headers.h"

#include <algorithm>

#include "absl/strings/numbers.h"

namespace intercom_extractor {
namespace {

std::optional<int64_t> NonNegative(const std::string& text) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < 0) return std::nullopt;
  return value;
}

// More than any server gives; what is counted with it does not overflow.
std::optional<int64_t> Requests(const std::string& text) {
  constexpr int64_t kMost = 1'000'000'000;
  const std::optional<int64_t> requests = NonNegative(text);
  return requests.has_value() ? std::optional<int64_t>(std::min(*requests, kMost)) : requests;
}

}  // namespace

RateLimitHeaders ParseRateLimitHeaders(
    const std::vector<std::pair<std::string, std::string>>& headers) {
  RateLimitHeaders result;
  result.answered = !headers.empty();
  for (const auto& [name, value] : headers) {
    if (name == "x-ratelimit-limit") {
      result.limit = Requests(value);
      if (result.limit == 0) result.limit.reset();
    } else if (name == "x-ratelimit-remaining") {
      result.remaining = Requests(value);
    } else if (name == "x-ratelimit-reset") {
      if (auto seconds = NonNegative(value)) result.reset = absl::FromUnixSeconds(*seconds);
    } else if (name == "date") {
      absl::Time time;
      std::string error;
      if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", value, &time, &error)) result.date = time;
    }
  }
  return result;
}

}  // namespace intercom_extractor

#include "extractor/quota/rate_limit_headers.h"

#include "absl/strings/numbers.h"

namespace intercom_extractor {
namespace {

std::optional<int64_t> NonNegative(const std::string& text) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < 0) return std::nullopt;
  return value;
}

}  // namespace

RateLimitHeaders ParseRateLimitHeaders(
    const std::vector<std::pair<std::string, std::string>>& headers) {
  RateLimitHeaders result;
  result.answered = !headers.empty();
  for (const auto& [name, value] : headers) {
    if (name == "x-ratelimit-limit") {
      result.limit = NonNegative(value);
      if (result.limit == 0) result.limit.reset();
    } else if (name == "x-ratelimit-remaining") {
      result.remaining = NonNegative(value);
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

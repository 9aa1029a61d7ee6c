#ifndef EXTRACTOR_QUOTA_RATE_LIMIT_HEADERS_H_
#define EXTRACTOR_QUOTA_RATE_LIMIT_HEADERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace intercom_extractor {

// What an answer says of the quota. Intercom may leave headers out; what is
// missing or malformed is not set.
struct RateLimitHeaders {
  // An answer came, whatever it says.
  bool answered = false;
  // Requests per window.
  std::optional<int64_t> limit;
  // Requests left in the window.
  std::optional<int64_t> remaining;
  // When the window ends, on the server's clock.
  std::optional<absl::Time> reset;
  // The server's clock when it answered; whole seconds, rounded down.
  std::optional<absl::Time> date;
};

// Reads X-RateLimit-* and Date. `headers` have names in lower case.
RateLimitHeaders ParseRateLimitHeaders(
    const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_QUOTA_RATE_LIMIT_HEADERS_H_

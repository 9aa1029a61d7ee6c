#ifndef SERVER_RETRY_DELAY_H_
#define SERVER_RETRY_DELAY_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace intercom_extractor {

// `status` (not OK) with how long to wait before the same call may succeed.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);

// What WithRetryDelay() has put there; in whole milliseconds.
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

}  // namespace intercom_extractor

#endif  // SERVER_RETRY_DELAY_H_

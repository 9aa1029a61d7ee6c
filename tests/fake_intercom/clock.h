#ifndef TESTS_FAKE_INTERCOM_CLOCK_H_
#define TESTS_FAKE_INTERCOM_CLOCK_H_

#include <functional>

#include "absl/time/time.h"

namespace intercom_extractor::fake {

// The time, for what depends on it: quota windows, the scroll's expiry, the Date
// header. Called from any thread. Latency is not simulated but real.
using Clock = std::function<absl::Time()>;

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_CLOCK_H_

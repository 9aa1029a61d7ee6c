#ifndef EXTRACTOR_SYNC_CLOCK_H_
#define EXTRACTOR_SYNC_CLOCK_H_

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace intercom_extractor {

// Tells the time. Policies get theirs through the constructor, so that tests
// decide what time it is. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

// Starts at the wall clock's time and then follows the steady clock: somebody
// setting the machine's clock moves no deadline.
class SteadyClock : public Clock {
 public:
  absl::Time Now() const override {
    return start_ + absl::FromChrono(std::chrono::steady_clock::now() - steady_start_);
  }

 private:
  const absl::Time start_ = absl::Now();
  const std::chrono::steady_clock::time_point steady_start_ = std::chrono::steady_clock::now();
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_SYNC_CLOCK_H_

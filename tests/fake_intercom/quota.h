#ifndef TESTS_FAKE_INTERCOM_QUOTA_H_
#define TESTS_FAKE_INTERCOM_QUOTA_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "tests/fake_intercom/clock.h"

namespace intercom_extractor::fake {

// Intercom's rate limit: so many requests per window; windows are aligned to the
// Unix epoch and do not slide. Thread-safe.
class Quota {
 public:
  struct Options {
    int limit = 0;  // 0: no quota, no headers.
    absl::Duration window = absl::Seconds(10);
  };

  // Reads "1666/10s", "83/2s", "5/500ms" or "0". Throws std::invalid_argument.
  static Options Parse(const std::string& text);

  Quota(const Options& options, Clock clock) : options_(options), clock_(std::move(clock)) {}

  struct Answer {
    bool allowed = true;
    int limit = 0;
    int remaining = 0;
    int64_t reset = 0;  // Unix second in which the next window begins, rounded up.
  };
  // Counts one request.
  Answer Take();

  bool limited() const { return options_.limit > 0; }
  absl::Duration window() const { return options_.window; }

 private:
  const Options options_;
  const Clock clock_;

  std::mutex mu_;
  // Guarded by mu_.
  int64_t window_number_ = -1;
  int used_ = 0;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_QUOTA_H_

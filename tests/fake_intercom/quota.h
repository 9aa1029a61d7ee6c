#ifndef TESTS_FAKE_INTERCOM_QUOTA_H_
#define TESTS_FAKE_INTERCOM_QUOTA_H_

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

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
  // Whose request it is: other apps of the workspace share the count.
  enum class Who { kExtractor, kOtherApp };
  // Counts one request.
  Answer Take(Who who = Who::kExtractor);

  // From now on; the open window keeps what it has counted. Not 0.
  void SetLimit(int limit);

  // What a window saw.
  struct WindowUse {
    int64_t number = 0;  // Windows since the Unix epoch.
    int limit = 0;       // At its last request.
    int used = 0;        // By the extractor.
    int used_by_other_apps = 0;
    int rejected = 0;  // The extractor's.
    int rejected_of_other_apps = 0;
  };
  // Of windows with requests, the oldest first; the last 1,000.
  std::vector<WindowUse> History() const;

  bool limited() const { return options_.limit > 0; }
  absl::Duration window() const { return options_.window; }

 private:
  const Options options_;
  const Clock clock_;

  mutable std::mutex mu_;
  // Guarded by mu_.
  int limit_ = options_.limit;
  std::deque<WindowUse> windows_;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_QUOTA_H_

#ifndef EXTRACTOR_SYNC_FAKE_CLOCK_H_
#define EXTRACTOR_SYNC_FAKE_CLOCK_H_

#include "absl/time/time.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// A clock that stands still until a test moves it. Thread-safe.
class FakeClock : public Clock {
 public:
  absl::Time Now() const override {
    MutexLock lock(&mu_);
    return now_;
  }

  void Advance(absl::Duration by) {
    MutexLock lock(&mu_);
    now_ += by;
  }

 private:
  mutable Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_) = absl::FromUnixSeconds(1700000000);
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_SYNC_FAKE_CLOCK_H_

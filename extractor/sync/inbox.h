#ifndef EXTRACTOR_SYNC_INBOX_H_
#define EXTRACTOR_SYNC_INBOX_H_

#include <cstddef>
#include <deque>
#include <utility>

#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Hands values from the threads of what is tested to the test, in order: a test
// waits for what happens, never for time to pass. Thread-safe.
template <typename T>
class Inbox {
 public:
  void Put(T value) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    values_.push_back(std::move(value));
    changed_.SignalAll();
  }

  // The oldest value; waits for it as long as the test may run.
  T Take() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    while (values_.empty()) changed_.Wait(&mu_);
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }

  size_t size() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    return values_.size();
  }

 private:
  mutable Mutex mu_;
  CondVar changed_;
  std::deque<T> values_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_SYNC_INBOX_H_

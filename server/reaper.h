#ifndef SERVER_REAPER_H_
#define SERVER_REAPER_H_

#include <deque>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Destroys things on a thread of its own, for those whose destructor waits for
// another thread. gRPC runs the last callback of a call on any thread, even
// (over the in-process transport) within the call of Finish() on the extraction's
// own thread: destroying an extraction there would wait for itself.
//
// Thread-safe. What is waiting is bounded by the calls that have just ended. The
// destructor destroys what is left before it returns.
class Reaper {
 public:
  Reaper();
  ~Reaper();
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

  // Takes `object` over and returns at once.
  template <typename T>
  void Destroy(std::unique_ptr<T> object) {
    Enqueue(std::shared_ptr<void>(std::move(object)));
  }

 private:
  void Enqueue(std::shared_ptr<void> object) ABSL_LOCKS_EXCLUDED(mu_);
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  CondVar changed_;
  std::deque<std::shared_ptr<void>> doomed_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;

  // Last: it uses the members above.
  std::thread thread_;
};

}  // namespace intercom_extractor

#endif  // SERVER_REAPER_H_

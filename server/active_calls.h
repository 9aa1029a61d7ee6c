#ifndef SERVER_ACTIVE_CALLS_H_
#define SERVER_ACTIVE_CALLS_H_

#include <functional>
#include <list>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Counts the calls that a stopping server waits for. gRPC's own graceful shutdown
// waits for connections instead, and clients that are idle keep theirs open: it
// would always take the whole grace.
//
// Thread-safe.
class ActiveCalls {
 public:
  struct Leave {
    void operator()(ActiveCalls* calls) const { calls->End(); }
  };
  // Held for as long as a call runs. Must not outlive the ActiveCalls.
  using Token = std::unique_ptr<ActiveCalls, Leave>;

  // Null once Drain() has been called: the call must be refused.
  Token Begin() ABSL_LOCKS_EXCLUDED(mu_);

  // What a call does to end soon, called by Drain(), or at once if that was before;
  // it must not block. Forgotten when the registration goes, after which it is not
  // being called either. Must not outlive the ActiveCalls.
  class Registration;
  std::unique_ptr<Registration> OnDrain(std::function<void()> end_soon) ABSL_LOCKS_EXCLUDED(mu_);

  // From now on Begin() gives nothing. Tells the calls that run. Returns when no call is left or
  // after `timeout`; true when none is left.
  bool Drain(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void End() ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  CondVar changed_;
  std::list<std::function<void()>> end_soon_ ABSL_GUARDED_BY(mu_);
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
};

class ActiveCalls::Registration {
 public:
  Registration(ActiveCalls* calls, std::list<std::function<void()>>::iterator position)
      : calls_(calls), position_(position) {}
  ~Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  ActiveCalls* const calls_;
  const std::list<std::function<void()>>::iterator position_;
};

}  // namespace intercom_extractor

#endif  // SERVER_ACTIVE_CALLS_H_

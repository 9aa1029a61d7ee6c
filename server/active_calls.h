#ifndef SERVER_ACTIVE_CALLS_H_
#define SERVER_ACTIVE_CALLS_H_

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

  // From now on Begin() gives nothing. Returns when no call is left or after
  // `timeout`; true when none is left.
  bool Drain(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void End() ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  CondVar changed_;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace intercom_extractor

#endif  // SERVER_ACTIVE_CALLS_H_

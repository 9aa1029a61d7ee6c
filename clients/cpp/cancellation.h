#ifndef CLIENTS_CPP_CANCELLATION_H_
#define CLIENTS_CPP_CANCELLATION_H_

#include <condition_variable>
#include <mutex>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"

namespace intercom_extractor {

// Remembers that somebody wants calls to end, and cancels those that run then.
// Thread-safe.
class Cancellation {
 public:
  Cancellation() = default;
  // Also ends with `parent`, which may be null and must outlive this one.
  explicit Cancellation(Cancellation* parent);
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // While it lives, Cancel() cancels `context`; at once if it came before.
  class Scope {
   public:
    // Both must outlive the scope; `cancellation` may be null.
    Scope(Cancellation* cancellation, grpc::ClientContext* context);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Cancellation* const cancellation_;
    grpc::ClientContext* const context_;
  };

  // Idempotent; there is no way back.
  void Cancel();
  bool cancelled() const;

  // Waits that long, or until Cancel(); true after that, also when it came before.
  bool WaitFor(absl::Duration duration);

 private:
  Cancellation* const parent_ = nullptr;
  mutable std::mutex mutex_;  // A parent's is taken before those of its children.
  std::condition_variable was_cancelled_;
  bool cancelled_ = false;                              // Guarded by `mutex_`.
  absl::flat_hash_set<grpc::ClientContext*> contexts_;  // Guarded by `mutex_`.
  absl::flat_hash_set<Cancellation*> children_;         // Guarded by `mutex_`.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_CANCELLATION_H_

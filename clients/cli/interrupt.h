#ifndef CLIENTS_CLI_INTERRUPT_H_
#define CLIENTS_CLI_INTERRUPT_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "grpcpp/client_context.h"

namespace intercom_extractor {

// Remembers that the user wants to stop, and cancels the call that runs then.
// Thread-safe.
class Interrupt {
 public:
  // While it lives, Trigger() cancels `context`; at once if it came before.
  class Scope {
   public:
    // Both must outlive the scope; one scope at a time.
    Scope(Interrupt* interrupt, grpc::ClientContext* context);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt* const interrupt_;
  };

  void Trigger();
  bool triggered() const;

  // Waits that long, or until Trigger(); true after that, also when it came before.
  bool WaitFor(absl::Duration duration);

 private:
  mutable std::mutex mutex_;
  std::condition_variable was_triggered_;
  bool triggered_ = false;                  // Guarded by `mutex_`.
  grpc::ClientContext* context_ = nullptr;  // Guarded by `mutex_`; null between calls.
};

// Turns SIGINT and SIGTERM into Interrupt::Trigger(). A second one ends the
// process at once with code 130, whatever it does: nothing that matters is lost,
// as finished files are never touched before their rename.
//
// Make one at the begin of main(), before there are other threads: they must
// inherit the signal mask. Also makes writing to a closed pipe or beyond a size
// limit an error instead of the process's end.
class SignalWatcher {
 public:
  // `interrupt` must outlive the watcher.
  explicit SignalWatcher(Interrupt* interrupt);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  void Watch();

  Interrupt* const interrupt_;
  int signal_fd_ = -1;
  int stop_fd_ = -1;
  std::thread thread_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_INTERRUPT_H_

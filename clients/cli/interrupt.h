#ifndef CLIENTS_CLI_INTERRUPT_H_
#define CLIENTS_CLI_INTERRUPT_H_

#include <thread>

#include "clients/cpp/cancellation.h"

namespace intercom_extractor {

// Turns SIGINT and SIGTERM into Cancellation::Cancel(). A second one ends the
// process at once with code 130, whatever it does: nothing that matters is lost,
// as finished files are never touched before their rename.
//
// Make one at the begin of main(), before there are other threads: they must
// inherit the signal mask. Also makes writing to a closed pipe or beyond a size
// limit an error instead of the process's end.
class SignalWatcher {
 public:
  // `interrupt` must outlive the watcher.
  explicit SignalWatcher(Cancellation* interrupt);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  void Watch();

  Cancellation* const interrupt_;
  int signal_fd_ = -1;
  int stop_fd_ = -1;
  std::thread thread_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_INTERRUPT_H_

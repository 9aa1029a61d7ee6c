#ifndef SERVER_EVENT_PUMP_H_
#define SERVER_EVENT_PUMP_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "extractor/pipeline/event.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Decides what a stream does next: write an event, finish, or nothing. Keeps to
// what gRPC demands (one write at a time, one finish, nothing after it) while the
// queue's producer and gRPC's callbacks run on different threads.
//
// States: idle -> writing -> idle ... -> finished. Both questions below pop the
// queue while they hold the pump's lock. So when an event arrives just as the
// queue was found empty, its OnReady waits for the lock, then finds the pump idle
// and the event there: no wake-up is lost, and none starts a second write.
//
// Thread-safe. The caller acts on the answer after the call, without any lock:
// gRPC may call back at once, on the same thread.
class EventPump {
 public:
  struct Step {
    enum Kind { kNothing, kWrite, kFinish };
    Kind kind = kNothing;
    Event event;          // For kWrite.
    bool more = false;    // For kWrite: another one waits already.
    absl::Status status;  // For kFinish.
  };

  // `events` must outlive the pump, which is its only consumer.
  explicit EventPump(EventQueue* events) : events_(events) {}

  // There may be something to do: the stream has begun, or the queue is ready.
  Step OnReady() ABSL_LOCKS_EXCLUDED(mu_);

  // The write of the last kWrite step has ended. When it failed the stream is
  // broken: it finishes with kCancelled whatever the queue holds.
  Step OnWriteDone(bool ok) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  enum class State { kIdle, kWriting, kFinished };

  Step Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  EventQueue* const events_;
  // Taken before the queue's own lock, never after it.
  Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kIdle;
};

}  // namespace intercom_extractor

#endif  // SERVER_EVENT_PUMP_H_

#ifndef EXTRACTOR_PIPELINE_EVENT_QUEUE_H_
#define EXTRACTOR_PIPELINE_EVENT_QUEUE_H_

#include <cstddef>
#include <deque>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "extractor/pipeline/event.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Carries the events of one extraction to whoever writes them to the client. Bounded in the
// memory that they hold: a slow reader blocks the extraction, never the heap.
//
// Thread-safe: one thread pushes, one pops, any may cancel.
class EventQueue {
 public:
  // `max_bytes`: an event is taken while those that wait hold fewer bytes than this, so
  // the queue holds at most this plus one event.
  explicit EventQueue(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Called (without locks, on the thread that pushes, finishes or cancels)
  // whenever something may be there to pop after Pop() had returned nothing. Set
  // before the first push; must not block.
  void OnReady(absl::AnyInvocable<void()> ready) { ready_ = std::move(ready); }

  // Appends an event, waiting for room. False once cancelled: the event is
  // dropped and the producer should stop.
  bool Push(Event event) ABSL_LOCKS_EXCLUDED(mu_);

  // Ends the stream after what has been pushed. The first call counts.
  void Finish(absl::Status status) ABSL_LOCKS_EXCLUDED(mu_);

  // The consumer has gone: drops what waits and wakes the producer.
  void Cancel() ABSL_LOCKS_EXCLUDED(mu_);

  // The oldest event, or nothing when none waits now. `more`, which may be null: whether
  // another one waits.
  std::optional<Event> Pop(bool* more = nullptr) ABSL_LOCKS_EXCLUDED(mu_);

  // Set once Finish() was called and every event has been popped.
  std::optional<absl::Status> Finished() const ABSL_LOCKS_EXCLUDED(mu_);

  // Memory that the waiting events hold.
  size_t bytes() const ABSL_LOCKS_EXCLUDED(mu_);

  // True while Push() waits for the consumer.
  bool ProducerWaits() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const size_t max_bytes_;
  absl::AnyInvocable<void()> ready_;

  mutable Mutex mu_;
  CondVar room_;
  std::deque<Event> events_ ABSL_GUARDED_BY(mu_);
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  bool producer_waits_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> final_status_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_EVENT_QUEUE_H_

#include "extractor/pipeline/event_queue.h"

#include <utility>

namespace intercom_extractor {

bool EventQueue::Push(Event event) {
  {
    MutexLock lock(&mu_);
    while (bytes_ >= max_bytes_ && !cancelled_) {
      producer_waits_ = true;
      room_.Wait(&mu_);
    }
    producer_waits_ = false;
    if (cancelled_) return false;
    bytes_ += event.held();
    events_.push_back(std::move(event));
  }
  if (ready_) ready_();
  return true;
}

void EventQueue::Finish(absl::Status status) {
  {
    MutexLock lock(&mu_);
    if (final_status_.has_value()) return;
    final_status_ = std::move(status);
  }
  if (ready_) ready_();
}

void EventQueue::Cancel() {
  {
    MutexLock lock(&mu_);
    cancelled_ = true;
    events_.clear();
    bytes_ = 0;
    if (!final_status_.has_value()) final_status_ = absl::CancelledError("cancelled");
    room_.SignalAll();
  }
  if (ready_) ready_();
}

std::optional<Event> EventQueue::Pop(bool* more) {
  MutexLock lock(&mu_);
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  bytes_ -= event.held();
  if (more != nullptr) *more = !events_.empty();
  // Not at each event: a producer that is woken for one switches threads twice per batch.
  if (producer_waits_ && bytes_ <= max_bytes_ / 2) room_.SignalAll();
  return event;
}

std::optional<absl::Status> EventQueue::Finished() const {
  MutexLock lock(&mu_);
  if (!events_.empty()) return std::nullopt;
  return final_status_;
}

size_t EventQueue::bytes() const {
  MutexLock lock(&mu_);
  return bytes_;
}

bool EventQueue::ProducerWaits() const {
  MutexLock lock(&mu_);
  return producer_waits_;
}

}  // namespace intercom_extractor

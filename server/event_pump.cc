#include "server/event_pump.h"

#include <optional>
#include <utility>

namespace intercom_extractor {

EventPump::Step EventPump::OnReady() {
  MutexLock lock(&mu_);
  if (state_ != State::kIdle) return Step();
  return Next();
}

EventPump::Step EventPump::OnWriteDone(bool ok) {
  MutexLock lock(&mu_);
  if (state_ != State::kWriting) return Step();
  if (!ok) {
    state_ = State::kFinished;
    Step step;
    step.kind = Step::kFinish;
    step.status = absl::CancelledError("the client has gone");
    return step;
  }
  state_ = State::kIdle;
  return Next();
}

EventPump::Step EventPump::Next() {
  Step step;
  if (std::optional<Event> event = events_->Pop(&step.more)) {
    state_ = State::kWriting;
    step.kind = Step::kWrite;
    step.event = *std::move(event);
    return step;
  }
  // Asked after Pop(): between the two an event may come, but then its OnReady
  // follows, and Finished() is not set while an event waits.
  if (std::optional<absl::Status> status = events_->Finished()) {
    state_ = State::kFinished;
    step.kind = Step::kFinish;
    step.status = *std::move(status);
  }
  return step;
}

}  // namespace intercom_extractor

#include "server/active_calls.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace intercom_extractor {

ActiveCalls::Token ActiveCalls::Begin() {
  MutexLock lock(&mu_);
  if (draining_) return nullptr;
  ++running_;
  return Token(this);
}

bool ActiveCalls::Drain(absl::Duration timeout) {
  // The wall clock does: at worst a grace is as wrong as somebody set the clock.
  const absl::Time deadline = absl::Now() + timeout;
  MutexLock lock(&mu_);
  draining_ = true;
  for (const std::function<void()>& end_soon : end_soon_) end_soon();
  while (running_ > 0) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    // Also an infinite wait is made of finite ones.
    changed_.WaitWithTimeout(&mu_, std::min(left, absl::Hours(1)));
  }
  return true;
}

std::unique_ptr<ActiveCalls::Registration> ActiveCalls::OnDrain(std::function<void()> end_soon) {
  MutexLock lock(&mu_);
  if (draining_) end_soon();
  return std::make_unique<Registration>(this,
                                        end_soon_.insert(end_soon_.end(), std::move(end_soon)));
}

ActiveCalls::Registration::~Registration() {
  MutexLock lock(&calls_->mu_);
  calls_->end_soon_.erase(position_);
}

void ActiveCalls::End() {
  MutexLock lock(&mu_);
  --running_;
  changed_.SignalAll();
}

}  // namespace intercom_extractor

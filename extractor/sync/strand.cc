#include "extractor/sync/strand.h"

#include <utility>

namespace intercom_extractor {

Strand::~Strand() {
  Stop();
  Join();
}

void Strand::Join() {
  if (thread_.joinable()) thread_.join();
}

void Strand::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Strand::Post(Work work) {
  MutexLock lock(&mu_);
  if (stopped_) return;
  ready_.push_back(std::move(work));
  wake_.SignalAll();
}

void Strand::PostAfter(absl::Duration delay, Work work) {
  MutexLock lock(&mu_);
  if (stopped_) return;
  later_.emplace(clock_->Now() + delay, std::move(work));
  wake_.SignalAll();
}

void Strand::Stop() {
  // Destroyed after the lock is gone: work may own what calls back into us.
  std::deque<Work> ready;
  std::multimap<absl::Time, Work> later;
  MutexLock lock(&mu_);
  stopped_ = true;
  ready.swap(ready_);
  later.swap(later_);
  wake_.SignalAll();
}

void Strand::Run() {
  while (Work work = Next()) std::move(work)();
}

absl::Duration Strand::BusyFor() const {
  MutexLock lock(&mu_);
  if (working_since_ == absl::InfiniteFuture()) return busy_;
  return busy_ + (clock_->Now() - working_since_);
}

Strand::Work Strand::Next() {
  MutexLock lock(&mu_);
  if (working_since_ != absl::InfiniteFuture()) {
    busy_ += clock_->Now() - working_since_;
    working_since_ = absl::InfiniteFuture();
  }
  while (!stopped_) {
    const absl::Time now = clock_->Now();
    if (!later_.empty() && later_.begin()->first <= now) {
      Work work = std::move(later_.begin()->second);
      later_.erase(later_.begin());
      working_since_ = now;
      return work;
    }
    if (!ready_.empty()) {
      Work work = std::move(ready_.front());
      ready_.pop_front();
      working_since_ = now;
      return work;
    }
    if (later_.empty()) {
      wake_.Wait(&mu_);
    } else {
      wake_.WaitWithTimeout(&mu_, later_.begin()->first - now);
    }
  }
  return nullptr;
}

}  // namespace intercom_extractor

#include "server/reaper.h"

#include <utility>

namespace intercom_extractor {

Reaper::Reaper() : thread_([this] { Run(); }) {}

Reaper::~Reaper() {
  {
    MutexLock lock(&mu_);
    closing_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

void Reaper::Enqueue(std::shared_ptr<void> object) {
  MutexLock lock(&mu_);
  doomed_.push_back(std::move(object));
  changed_.SignalAll();
}

void Reaper::Run() {
  while (true) {
    std::shared_ptr<void> object;
    {
      MutexLock lock(&mu_);
      while (doomed_.empty() && !closing_) changed_.Wait(&mu_);
      if (doomed_.empty()) return;
      object = std::move(doomed_.front());
      doomed_.pop_front();
    }
    // Destroyed here, without the lock: this may take a while.
  }
}

}  // namespace intercom_extractor

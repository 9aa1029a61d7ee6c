#include "clients/cpp/cancellation.h"

namespace intercom_extractor {

Cancellation::Cancellation(Cancellation* parent) : parent_(parent) {
  if (parent_ == nullptr) return;
  std::lock_guard<std::mutex> lock(parent_->mutex_);
  parent_->children_.insert(this);
  // Nobody else knows this one yet.
  cancelled_ = parent_->cancelled_;
}

Cancellation::~Cancellation() {
  if (parent_ == nullptr) return;
  std::lock_guard<std::mutex> lock(parent_->mutex_);
  parent_->children_.erase(this);
}

Cancellation::Scope::Scope(Cancellation* cancellation, grpc::ClientContext* context)
    : cancellation_(cancellation), context_(context) {
  if (cancellation_ == nullptr) return;
  std::lock_guard<std::mutex> lock(cancellation_->mutex_);
  cancellation_->contexts_.insert(context);
  // TryCancel() before the call begins lets the call end at its begin.
  if (cancellation_->cancelled_) context->TryCancel();
}

Cancellation::Scope::~Scope() {
  if (cancellation_ == nullptr) return;
  std::lock_guard<std::mutex> lock(cancellation_->mutex_);
  cancellation_->contexts_.erase(context_);
}

void Cancellation::Cancel() {
  std::lock_guard<std::mutex> lock(mutex_);
  cancelled_ = true;
  was_cancelled_.notify_all();
  for (grpc::ClientContext* context : contexts_) context->TryCancel();
  for (Cancellation* child : children_) child->Cancel();
}

bool Cancellation::cancelled() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return cancelled_;
}

bool Cancellation::WaitFor(absl::Duration duration) {
  std::unique_lock<std::mutex> lock(mutex_);
  return was_cancelled_.wait_for(lock, absl::ToChronoMilliseconds(duration),
                                 [this] { return cancelled_; });
}

}  // namespace intercom_extractor

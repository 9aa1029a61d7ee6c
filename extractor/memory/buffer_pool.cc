#include "extractor/memory/buffer_pool.h"

#include <utility>

namespace intercom_extractor {

class BufferPool::Kept {
 public:
  explicit Kept(size_t max_bytes) : max_bytes_(max_bytes) {}

  GrowingBuffer Take() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    if (buffers_.empty()) return GrowingBuffer();
    // The last one: its memory is the likeliest to be in a cache.
    GrowingBuffer buffer = std::move(buffers_.back());
    buffers_.pop_back();
    bytes_ -= buffer.capacity();
    return buffer;
  }

  void Give(GrowingBuffer buffer) ABSL_LOCKS_EXCLUDED(mu_) {
    if (buffer.capacity() == 0) return;
    buffer.Clear();
    MutexLock lock(&mu_);
    if (bytes_ + buffer.capacity() > max_bytes_) return;
    bytes_ += buffer.capacity();
    buffers_.push_back(std::move(buffer));
  }

  size_t bytes() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(&mu_);
    return bytes_;
  }

 private:
  const size_t max_bytes_;
  mutable Mutex mu_;
  std::vector<GrowingBuffer> buffers_ ABSL_GUARDED_BY(mu_);
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

BufferPool::BufferPool(size_t max_kept) : kept_(std::make_shared<Kept>(max_kept)) {}

GrowingBuffer BufferPool::Take() { return kept_->Take(); }

void BufferPool::Give(GrowingBuffer buffer) { kept_->Give(std::move(buffer)); }

std::shared_ptr<const GrowingBuffer> BufferPool::Share(GrowingBuffer buffer) {
  if (!buffer.half_full()) {
    GrowingBuffer copy;
    copy.Append(buffer.view());
    kept_->Give(std::move(buffer));
    return std::make_shared<const GrowingBuffer>(std::move(copy));
  }
  return {new GrowingBuffer(std::move(buffer)), [kept = kept_](GrowingBuffer* shared) {
            kept->Give(std::move(*shared));
            delete shared;
          }};
}

size_t BufferPool::kept() const { return kept_->bytes(); }

}  // namespace intercom_extractor

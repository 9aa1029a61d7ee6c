#ifndef EXTRACTOR_MEMORY_BUFFER_POOL_H_
#define EXTRACTOR_MEMORY_BUFFER_POOL_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "extractor/memory/growing_buffer.h"
#include "extractor/sync/mutex.h"

namespace intercom_extractor {

// Keeps the memory of buffers that have served for the next ones: of batches that
// clients have received, of answers that have been read. Buffers may come back after
// the pool is gone: then their memory is freed. Thread-safe.
class BufferPool {
 public:
  // In bytes, of all that wait to be used again.
  explicit BufferPool(size_t max_kept);

  // An empty buffer, maybe with memory.
  GrowingBuffer Take();

  void Give(GrowingBuffer buffer);

  // Lets any number hold the buffer; the last one gives its memory back. Of a buffer that
  // is not even half full a copy is held.
  std::shared_ptr<const GrowingBuffer> Share(GrowingBuffer buffer);

  size_t kept() const;

 private:
  class Kept;
  const std::shared_ptr<Kept> kept_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_MEMORY_BUFFER_POOL_H_

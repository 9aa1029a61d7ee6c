#ifndef EXTRACTOR_MEMORY_GROWING_BUFFER_H_
#define EXTRACTOR_MEMORY_GROWING_BUFFER_H_

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

namespace intercom_extractor {

// Bytes that grow at their end, written in place: unlike a std::string's, memory that
// is about to be written is not filled first, and clearing keeps it. Not thread-safe;
// movable.
class GrowingBuffer {
 public:
  GrowingBuffer() = default;
  GrowingBuffer(GrowingBuffer&& other) noexcept { *this = std::move(other); }
  GrowingBuffer& operator=(GrowingBuffer&& other) noexcept {
    memory_ = std::move(other.memory_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  const char* data() const { return memory_.get(); }
  std::string_view view() const { return {memory_.get(), size_}; }

  // At least half of the memory is used: holding it costs at most twice what is in it.
  bool half_full() const { return size_ >= capacity_ / 2; }

  // Makes room for at least `room` more bytes.
  void Reserve(size_t room) {
    if (capacity_ - size_ < room) Grow(room);
  }
  // Where the next byte belongs, with that room.
  char* End(size_t room) {
    Reserve(room);
    return memory_.get() + size_;
  }
  // The end of the memory.
  const char* limit() const { return memory_.get() + capacity_; }
  // What was written in place ends at `end`.
  void SetEnd(const char* end) { size_ = static_cast<size_t>(end - memory_.get()); }

  void Append(std::string_view bytes);
  // Keeps the memory.
  void Clear() { size_ = 0; }

 private:
  void Grow(size_t room);

  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char[], Free> memory_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_MEMORY_GROWING_BUFFER_H_

#include "extractor/memory/growing_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace intercom_extractor {

void GrowingBuffer::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(End(bytes.size()), bytes.data(), bytes.size());
  size_ += bytes.size();
}

void GrowingBuffer::Grow(size_t room) {
  constexpr size_t kLeast = 256;
  const size_t capacity = std::max({kLeast, size_ + room, capacity_ * 2});
  // Nothing to keep: realloc would copy it all the same.
  if (size_ == 0) memory_.reset();
  auto* const memory = static_cast<char*>(std::realloc(memory_.get(), capacity));
  if (memory == nullptr) throw std::bad_alloc();
  (void)memory_.release();
  memory_.reset(memory);
  capacity_ = capacity;
}

}  // namespace intercom_extractor

#ifndef TESTS_FUZZ_INPUT_BYTES_H_
#define TESTS_FUZZ_INPUT_BYTES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace intercom_extractor::fuzz {

// Takes a fuzzer's input apart from its front on. What is not there any more is zero.
class InputBytes {
 public:
  InputBytes(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  absl::string_view rest() const { return rest_; }

  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return byte;
  }
  // Below `bound`, which is at most 256.
  size_t Below(size_t bound) { return Byte() % bound; }

  uint64_t Word() {
    uint64_t word = 0;
    const absl::string_view bytes = Text(sizeof(word));
    std::memcpy(&word, bytes.data(), bytes.size());
    return word;
  }

  // At most so long.
  absl::string_view Text(size_t size) {
    const absl::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(text.size());
    return text;
  }
  // To the next line end, which is left out, or the end.
  absl::string_view Line() {
    const absl::string_view line = Text(std::min(rest_.find('\n'), rest_.size()));
    if (!rest_.empty()) rest_.remove_prefix(1);
    return line;
  }

 private:
  absl::string_view rest_;
};

}  // namespace intercom_extractor::fuzz

#endif  // TESTS_FUZZ_INPUT_BYTES_H_

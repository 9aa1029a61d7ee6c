#ifndef EXTRACTOR_TABLES_JSON_NUMBER_H_
#define EXTRACTOR_TABLES_JSON_NUMBER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace intercom_extractor {

// Whether the text is decimal digits and nothing else, at least one.
inline bool AllDigits(std::string_view text) {
  if (text.empty()) return false;
  size_t i = 0;
  // Eight at a time: the high halves of the bytes must all be 3, and those of the bytes
  // plus 6, too.
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof(word));
    constexpr uint64_t kHigh = 0xf0f0f0f0f0f0f0f0;
    if (((word & kHigh) | (((word + 0x0606060606060606) & kHigh) >> 4)) != 0x3333333333333333) {
      return false;
    }
  }
  for (; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  return true;
}

// Eight digits at a time: first neighbours become two-digit numbers, then these
// four-digit ones.
inline uint64_t EightDigits(const char* digits) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  uint64_t word = 0;
  std::memcpy(&word, digits, sizeof(word));
  word = (word & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
  word = (word & 0x00ff00ff00ff00ff) * 6553601 >> 16;
  return (word & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

// What FastInt64() leaves.
bool SlowInt64(std::string_view text, int64_t* value);

// The same as ParseInt64(), below, for the converter: a std::optional is written in parts and
// read as a whole, for which a processor waits longer than the digits take.
inline bool FastInt64(std::string_view text, int64_t* value) {
  // Always fit.
  constexpr size_t kMost = 18;
  if (text.size() > kMost || !AllDigits(text)) return SlowInt64(text, value);
  uint64_t result = 0;
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) result = result * 100000000 + EightDigits(text.data() + i);
  for (; i < text.size(); ++i) result = result * 10 + static_cast<uint64_t>(text[i] - '0');
  *value = static_cast<int64_t>(result);
  return true;
}

// The whole text as a number, as JSON writes numbers; nothing when it is none or
// does not fit. An integer may be written with a fraction of zero or an
// exponent, as long as a double holds it exactly.
std::optional<int64_t> ParseInt64(std::string_view text);
std::optional<double> ParseDouble(std::string_view text);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_JSON_NUMBER_H_

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

// The whole text as a number, as JSON writes numbers; nothing when it is none or
// does not fit. An integer may be written with a fraction of zero or an
// exponent, as long as a double holds it exactly.
std::optional<int64_t> ParseInt64(std::string_view text);
std::optional<double> ParseDouble(std::string_view text);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_JSON_NUMBER_H_

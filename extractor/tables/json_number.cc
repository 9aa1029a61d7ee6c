#include "extractor/tables/json_number.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace intercom_extractor {
namespace {

// Eight digits at a time: first neighbours become two-digit numbers, then these
// four-digit ones.
uint64_t EightDigits(const char* digits) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  uint64_t word = 0;
  std::memcpy(&word, digits, sizeof(word));
  word = (word & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
  word = (word & 0x00ff00ff00ff00ff) * 6553601 >> 16;
  return (word & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

// Of digits only, as most numbers are, and no more than always fit.
std::optional<int64_t> ParseDigits(std::string_view text) {
  constexpr size_t kMost = 18;
  if (text.size() > kMost || !AllDigits(text)) return std::nullopt;
  uint64_t value = 0;
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) value = value * 100000000 + EightDigits(text.data() + i);
  for (; i < text.size(); ++i) value = value * 10 + static_cast<uint64_t>(text[i] - '0');
  return static_cast<int64_t>(value);
}

// from_chars also takes "inf" and "nan", which are not decimal numbers.
bool StartsAsNumber(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

}  // namespace

std::optional<int64_t> ParseInt64(std::string_view text) {
  if (const auto digits = ParseDigits(text)) return digits;
  if (!StartsAsNumber(text)) return std::nullopt;
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end) return value;
  if (error == std::errc::result_out_of_range && stop == end) return std::nullopt;
  // From 2^53 on a double no longer says which integer was meant.
  constexpr double kFirstInexact = 9007199254740992.0;
  const std::optional<double> real = ParseDouble(text);
  if (!real.has_value() || std::trunc(*real) != *real || std::abs(*real) >= kFirstInexact) {
    return std::nullopt;
  }
  return static_cast<int64_t>(*real);
}

std::optional<double> ParseDouble(std::string_view text) {
  if (!StartsAsNumber(text)) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace intercom_extractor

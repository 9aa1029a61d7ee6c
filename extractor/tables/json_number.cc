#include "extractor/tables/json_number.h"

#include <charconv>
#include <cmath>

namespace intercom_extractor {
namespace {

// from_chars also takes "inf" and "nan", which are not decimal numbers.
bool StartsAsNumber(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

}  // namespace

bool SlowInt64(std::string_view text, int64_t* value) {
  if (!StartsAsNumber(text)) return false;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  if (error == std::errc() && stop == end) return true;
  if (error == std::errc::result_out_of_range && stop == end) return false;
  // From 2^53 on a double no longer says which integer was meant.
  constexpr double kFirstInexact = 9007199254740992.0;
  const std::optional<double> real = ParseDouble(text);
  if (!real.has_value() || std::trunc(*real) != *real || std::abs(*real) >= kFirstInexact) {
    return false;
  }
  *value = static_cast<int64_t>(*real);
  return true;
}

std::optional<int64_t> ParseInt64(std::string_view text) {
  int64_t value = 0;
  if (!FastInt64(text, &value)) return std::nullopt;
  return value;
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

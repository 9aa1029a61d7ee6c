#include "extractor/intercom/id_form.h"

#include <cstddef>

namespace intercom_extractor {

std::optional<ObjectId> ObjectIdOf(absl::string_view id) {
  ObjectId bytes{};
  if (id.size() != 2 * bytes.size()) return std::nullopt;
  for (size_t i = 0; i < id.size(); ++i) {
    const char c = id[i];
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else {
      return std::nullopt;
    }
    bytes[i / 2] = static_cast<uint8_t>(bytes[i / 2] << 4 | digit);
  }
  return bytes;
}

std::optional<uint64_t> NumberIdOf(absl::string_view id) {
  // Longer ones may not fit.
  if (id.empty() || id.size() > 19 || (id[0] == '0' && id.size() > 1)) return std::nullopt;
  uint64_t number = 0;
  for (const char c : id) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

}  // namespace intercom_extractor

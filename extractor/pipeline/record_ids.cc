#include "extractor/pipeline/record_ids.h"

namespace intercom_extractor {

bool RecordIds::Pack(absl::string_view id, Packed* packed) {
  if (id.size() != 24) return false;
  for (size_t i = 0; i < id.size(); ++i) {
    const char c = id[i];
    uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      // Capital letters would be another id.
      digit = static_cast<uint32_t>(c - 'a' + 10);
    } else {
      return false;
    }
    uint32_t& word = (*packed)[i / 8];
    word = word << 4 | digit;
  }
  return true;
}

bool RecordIds::ToNumber(absl::string_view id, uint64_t* number) {
  // Longer ones may not fit; "007" would be another id than "7".
  if (id.empty() || id.size() > 19 || (id[0] == '0' && id.size() > 1)) return false;
  *number = 0;
  for (const char c : id) {
    if (c < '0' || c > '9') return false;
    *number = *number * 10 + static_cast<uint64_t>(c - '0');
  }
  return true;
}

void RecordIds::Insert(absl::string_view id) {
  Packed packed{};
  uint64_t number = 0;
  if (Pack(id, &packed)) {
    packed_.insert(packed);
  } else if (ToNumber(id, &number)) {
    numbers_.insert(number);
  } else {
    others_.emplace(id);
  }
}

bool RecordIds::Contains(absl::string_view id) const {
  Packed packed{};
  uint64_t number = 0;
  if (Pack(id, &packed)) return packed_.contains(packed);
  if (ToNumber(id, &number)) return numbers_.contains(number);
  return others_.contains(id);
}

}  // namespace intercom_extractor

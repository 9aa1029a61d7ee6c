#include "extractor/pipeline/contact_ids.h"

namespace intercom_extractor {

bool ContactIds::Pack(absl::string_view id, Packed* packed) {
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

void ContactIds::Insert(absl::string_view id) {
  Packed packed{};
  if (Pack(id, &packed)) {
    packed_.insert(packed);
  } else {
    others_.emplace(id);
  }
}

bool ContactIds::Contains(absl::string_view id) const {
  Packed packed{};
  return Pack(id, &packed) ? packed_.contains(packed) : others_.contains(id);
}

}  // namespace intercom_extractor

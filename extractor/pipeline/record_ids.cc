#include "extractor/pipeline/record_ids.h"

namespace intercom_extractor {

void RecordIds::Insert(absl::string_view id) {
  if (const auto object_id = ObjectIdOf(id)) {
    object_ids_.insert(*object_id);
  } else if (const auto number = NumberIdOf(id)) {
    numbers_.insert(*number);
  } else {
    others_.emplace(id);
  }
}

bool RecordIds::Contains(absl::string_view id) const {
  if (const auto object_id = ObjectIdOf(id)) return object_ids_.contains(*object_id);
  if (const auto number = NumberIdOf(id)) return numbers_.contains(*number);
  return others_.contains(id);
}

}  // namespace intercom_extractor

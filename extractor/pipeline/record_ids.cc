#include "extractor/pipeline/record_ids.h"

namespace intercom_extractor {

RecordId::RecordId(absl::string_view id) {
  if (const auto object_id = ObjectIdOf(id)) {
    form_ = *object_id;
  } else if (const auto number = NumberIdOf(id)) {
    form_ = *number;
  } else {
    form_ = std::string(id);
  }
}

void RecordIds::Insert(const RecordId& id) {
  if (const auto* object_id = std::get_if<ObjectId>(&id.form_)) {
    object_ids_.insert(*object_id);
  } else if (const auto* number = std::get_if<uint64_t>(&id.form_)) {
    numbers_.insert(*number);
  } else {
    others_.insert(std::get<std::string>(id.form_));
  }
}

bool RecordIds::Contains(absl::string_view id) const {
  if (const auto object_id = ObjectIdOf(id)) return object_ids_.contains(*object_id);
  if (const auto number = NumberIdOf(id)) return numbers_.contains(*number);
  return others_.contains(id);
}

}  // namespace intercom_extractor

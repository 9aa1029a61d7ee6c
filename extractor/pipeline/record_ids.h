#ifndef EXTRACTOR_PIPELINE_RECORD_IDS_H_
#define EXTRACTOR_PIPELINE_RECORD_IDS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "extractor/intercom/id_form.h"

namespace intercom_extractor {

// A record's id in the form in which a set keeps it: of an id that has one of Intercom's
// forms without memory of its own.
class RecordId {
 public:
  explicit RecordId(absl::string_view id);

 private:
  friend class RecordIds;
  std::variant<ObjectId, uint64_t, std::string> form_;
};

// A set of records' ids. Intercom's are 24 hexadecimal digits (contacts) or whole
// numbers (conversations) and take 12 or 8 bytes here (about 20 or 14 with the
// table's free places); others are kept as they are. Exact: a hash instead might
// take a record for another and lose it. Not thread-safe.
class RecordIds {
 public:
  void Insert(const RecordId& id);
  bool Contains(absl::string_view id) const;
  size_t size() const { return object_ids_.size() + numbers_.size() + others_.size(); }

 private:
  absl::flat_hash_set<ObjectId> object_ids_;
  absl::flat_hash_set<uint64_t> numbers_;
  absl::flat_hash_set<std::string> others_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_RECORD_IDS_H_

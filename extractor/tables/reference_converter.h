#ifndef EXTRACTOR_TABLES_REFERENCE_CONVERTER_H_
#define EXTRACTOR_TABLES_REFERENCE_CONVERTER_H_

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "extractor/tables/reference_json.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// The rows of a record made slowly and plainly, for comparing the real converter
// with: a tree of the whole JSON text, every column of every table looked up in
// it by its annotated path, set by reflection. It shares the annotations with
// RecordConverter and nothing else.
//
// Rules of its own that the annotations do not tell:
// - A repeated key has its last value.
// - A value below something that is neither an object nor null (`"location": 5`)
//   is misplaced: its column is null with a notice, as is one of a wrong type.
//   Not so where another path of the column takes what stands there.
// - Elements of a list that are no objects are passed over; the list, or
//   something else in its place, is one notice for each of its tables.

// What a record cannot say of itself.
struct ReferenceContext {
  // Of a contact's sub-resource: the contact.
  std::string parent_id;
  v1::ContactRole parent_role = v1::CONTACT_ROLE_UNSPECIFIED;
  // Contacts' roles by id, as far as known.
  std::map<std::string, std::string> roles;
  std::optional<bool> parts_truncated;
};

struct ReferenceNotice {
  std::string table;
  v1::NoticeCode code = v1::NOTICE_CODE_UNSPECIFIED;
  std::string record_id;
  // Empty when it is about a list or a role.
  std::string column;

  bool operator<(const ReferenceNotice& other) const { return Key() < other.Key(); }
  bool operator==(const ReferenceNotice& other) const { return Key() == other.Key(); }

 private:
  std::tuple<const std::string&, v1::NoticeCode, const std::string&, const std::string&> Key()
      const {
    return std::tie(table, code, record_id, column);
  }
};

struct ReferenceRows {
  v1::RowBatch batch;
  std::vector<ReferenceNotice> notices;
};

// The rows of every table that is made of this kind of record.
ReferenceRows ReferenceConvert(v1::SourceRecord kind, const ReferenceJson& record,
                               const ReferenceContext& context);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_REFERENCE_CONVERTER_H_

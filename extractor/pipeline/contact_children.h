#ifndef EXTRACTOR_PIPELINE_CONTACT_CHILDREN_H_
#define EXTRACTOR_PIPELINE_CONTACT_CHILDREN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "extractor/tables/page_reader.h"
#include "extractor/tables/record_converter.h"
#include "extractor/tables/record_reader.h"
#include "extractor/tables/shape.h"
#include "extractor/tables/table_catalog.h"
#include "proto/v1.h"

namespace intercom_extractor {

// The role that a contact's tables go by; unspecified for any other text.
v1::ContactRole ContactRoleOf(absl::string_view role);

// One kind of list below contacts: how it is asked for and becomes rows.
struct ContactChild {
  enum class Kind { kTags, kSegments, kCompanies, kNotes, kEvents };

  ContactChild(Kind kind, v1::SourceRecord record, std::vector<std::string> items, int per_page,
               std::string operation, const std::vector<const TableInfo*>& wanted);

  // Tables that the list of a contact feeds.
  TableSet TablesFor(v1::ContactRole role) const {
    return role == v1::CONTACT_ROLE_USER ? user_tables : lead_tables;
  }
  std::string Path(const std::string& contact_id) const;
  // Whether Intercom embeds the beginning of the list in the contact, rows and all.
  bool IsEmbedded() const { return kind == Kind::kTags || kind == Kind::kCompanies; }
  // Whether each contact has to be asked for it.
  bool IsNeverEmbedded() const { return kind == Kind::kSegments || kind == Kind::kEvents; }

  const Kind kind;
  // Mutable within: reading learns the order of keys, converting keeps buffers.
  mutable RecordConverter converter;
  mutable PageReader reader;
  const ValueRef id;
  // 0: the list is not paged.
  const int per_page;
  const std::string operation;
  TableSet user_tables;
  TableSet lead_tables;
};

// The lists below contacts that the wanted tables need. Lives on one thread.
class ContactChildren {
 public:
  // Adds to `shape` what tells whether a contact's lists are complete.
  ContactChildren(const std::vector<const TableInfo*>& wanted, Shape* shape);

  const std::vector<std::unique_ptr<ContactChild>>& kinds() const { return kinds_; }

  // Null when it is not wanted.
  const ContactChild* Find(ContactChild::Kind kind) const;

  // A list of a contact that has to be asked for.
  struct Missing {
    const ContactChild* child = nullptr;
    // Pages that it has, as far as the contact tells.
    int64_t pages = 1;
  };
  std::vector<Missing> MissingIn(const RecordValues& contact, v1::ContactRole role) const;

 private:
  // An embedded list: complete, or only its beginning.
  struct Embedded {
    int list = -1;
    ValueRef has_more;
    ValueRef total_count;
  };
  Embedded AddEmbedded(const std::string& key);
  const Embedded* EmbeddedOf(ContactChild::Kind kind) const;
  bool IsComplete(const RecordValues& contact, const Embedded& embedded) const;

  Shape* const shape_;
  const Embedded tags_;
  const Embedded companies_;
  const Embedded notes_;
  std::vector<std::unique_ptr<ContactChild>> kinds_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONTACT_CHILDREN_H_

#include "extractor/pipeline/contact_children.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/plan/request_plan.h"
#include "extractor/tables/json_number.h"

namespace intercom_extractor {
namespace {

using Kind = ContactChild::Kind;

constexpr int kNotesPerPage = 60;
constexpr int kCompaniesPerPage = 60;
// Lists embedded in a contact are cut here.
constexpr size_t kEmbeddedLimit = 10;

}  // namespace

v1::ContactRole ContactRoleOf(absl::string_view role) {
  if (role == "user") return v1::CONTACT_ROLE_USER;
  if (role == "lead") return v1::CONTACT_ROLE_LEAD;
  return v1::CONTACT_ROLE_UNSPECIFIED;
}

ContactChild::ContactChild(Kind kind, v1::SourceRecord record, std::vector<std::string> items,
                           int per_page, std::string operation,
                           const std::vector<const TableInfo*>& wanted)
    : kind(kind),
      converter(record, wanted),
      reader(std::move(items), "", converter.shape()),
      id(converter.shape()->AddValue(-1, "id")),
      per_page(per_page),
      operation(std::move(operation)) {
  for (const TableInfo* table : wanted) {
    for (const v1::TableSource& source : table->description.table().sources()) {
      if (source.record() != record) continue;
      const v1::ContactRole role = table->description.table().role();
      if (role != v1::CONTACT_ROLE_LEAD) user_tables.set(table->index);
      if (role != v1::CONTACT_ROLE_USER) lead_tables.set(table->index);
    }
  }
}

std::string ContactChild::Path(const std::string& contact_id) const {
  const std::string encoded = UrlEncode(contact_id);
  switch (kind) {
    case Kind::kTags:
      return absl::StrCat("/contacts/", encoded, "/tags");
    case Kind::kSegments:
      return absl::StrCat("/contacts/", encoded, "/segments");
    case Kind::kCompanies:
      return absl::StrCat("/contacts/", encoded, "/companies");
    case Kind::kNotes:
      return absl::StrCat("/contacts/", encoded, "/notes");
    case Kind::kEvents:
      return absl::StrCat("/events?type=user&intercom_user_id=", encoded, "&summary=true");
  }
  return "";
}

ContactChildren::ContactChildren(const std::vector<const TableInfo*>& wanted, Shape* shape)
    : shape_(shape),
      tags_(AddEmbedded("tags")),
      companies_(AddEmbedded("companies")),
      notes_(AddEmbedded("notes")) {
  const auto add = [&](Kind kind, v1::SourceRecord record, std::vector<std::string> items,
                       int per_page, const char* operation) {
    auto child =
        std::make_unique<ContactChild>(kind, record, std::move(items), per_page, operation, wanted);
    if (child->converter.wanted()) kinds_.push_back(std::move(child));
  };
  add(Kind::kTags, v1::SOURCE_RECORD_CONTACT_TAG, {"data", "tags"}, 0, "GET /contacts/{id}/tags");
  add(Kind::kSegments, v1::SOURCE_RECORD_CONTACT_SEGMENT, {"data", "segments"}, 0,
      "GET /contacts/{id}/segments");
  add(Kind::kCompanies, v1::SOURCE_RECORD_CONTACT_COMPANY, {"data", "companies"}, kCompaniesPerPage,
      "GET /contacts/{id}/companies");
  add(Kind::kNotes, v1::SOURCE_RECORD_NOTE, {"data", "notes"}, kNotesPerPage,
      "GET /contacts/{id}/notes");
  // The answer is one record, which holds the list.
  add(Kind::kEvents, v1::SOURCE_RECORD_EVENT_SUMMARY, {}, 0, "GET /events");
}

const ContactChild* ContactChildren::Find(Kind kind) const {
  for (const auto& child : kinds_) {
    if (child->kind == kind) return child.get();
  }
  return nullptr;
}

ContactChildren::Embedded ContactChildren::AddEmbedded(const std::string& key) {
  return {shape_->AddList(-1, absl::StrCat(key, ".data")),
          shape_->AddValue(-1, absl::StrCat(key, ".has_more")),
          shape_->AddValue(-1, absl::StrCat(key, ".total_count"))};
}

const ContactChildren::Embedded* ContactChildren::EmbeddedOf(Kind kind) const {
  switch (kind) {
    case Kind::kTags:
      return &tags_;
    case Kind::kCompanies:
      return &companies_;
    case Kind::kNotes:
      return &notes_;
    case Kind::kSegments:
    case Kind::kEvents:
      break;
  }
  return nullptr;
}

bool ContactChildren::IsComplete(const RecordValues& contact, const Embedded& embedded) const {
  const size_t count = contact.lists[embedded.list].count;
  const JsonValue& has_more = contact.Get(*shape_, embedded.has_more, 0);
  if (has_more.kind == JsonValue::Kind::kTrue) return false;
  const JsonValue& total = contact.Get(*shape_, embedded.total_count, 0);
  if (const auto number = ParseInt64(total.text)) {
    return *number <= static_cast<int64_t>(count);
  }
  // Nothing says so: a list as long as the limit may have been cut.
  return has_more.kind == JsonValue::Kind::kFalse || count < kEmbeddedLimit;
}

std::vector<ContactChildren::Missing> ContactChildren::MissingIn(const RecordValues& contact,
                                                                 v1::ContactRole role) const {
  std::vector<Missing> missing;
  for (const auto& child : kinds_) {
    if (child->TablesFor(role).none()) continue;
    Missing list{child.get(), 1};
    if (const Embedded* embedded = EmbeddedOf(child->kind)) {
      // Embedded notes are ids only.
      const bool rows_embedded = child->IsEmbedded() || contact.lists[embedded->list].count == 0;
      if (rows_embedded && IsComplete(contact, *embedded)) continue;
      const auto total = ParseInt64(contact.Get(*shape_, embedded->total_count, 0).text);
      if (child->per_page > 0 && total.has_value()) {
        list.pages = PagesOf(*total, child->per_page);
      }
    }
    missing.push_back(list);
  }
  return missing;
}

}  // namespace intercom_extractor

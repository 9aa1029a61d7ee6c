#include "tests/fake_intercom/fixed_workspace.h"

#include <utility>

#include "tests/fake_intercom/json_edit.h"
#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor::fake {
namespace {

// Tolerant: what is no JSON has no members.
JsonValue Parse(const std::string& json) { return JsonValue::Parse(json).value_or(JsonValue()); }

std::set<std::string> Ids(const std::vector<std::string>& records) {
  std::set<std::string> ids;
  for (const std::string& record : records) ids.insert(Parse(record)["id"].text());
  return ids;
}

}  // namespace

FixedWorkspace::FixedWorkspace(FixedRecords records) : records_(std::move(records)) {
  for (size_t i = 0; i < records_.contacts.size(); ++i) {
    FixedRecords::Contact& contact = records_.contacts[i];
    const JsonValue json = Parse(contact.json);
    ContactKey key;
    key.created_at = json["created_at"].AsInt().value_or(0);
    key.updated_at = json["updated_at"].AsInt().value_or(0);
    key.last_seen_at = json["last_seen_at"].AsInt().value_or(ContactKey::kNever);
    key.role = *roles_.insert(json["role"].text()).first;
    contact_keys_.push_back(key);
    contact_ids_.push_back(json["id"].text());
    contact_index_.emplace(json["id"].text(), i);
    const auto embedded = [&](std::string_view name) {
      const std::string_view list = RawMember(contact.json, name);
      return json[name].IsObject() ? RawElements(RawMember(list, "data"))
                                   : std::vector<std::string>();
    };
    if (contact.tags.empty()) contact.tags = embedded("tags");
    if (contact.companies.empty()) contact.companies = embedded("companies");
    if (contact.event_summary.empty()) {
      contact.event_summary = R"({"type":"event.summary","email":null,"intercom_user_id":")" +
                              contact_ids_.back() + R"(","user_id":null,"events":[]})";
    }
    contact_tag_ids_.push_back(Ids(contact.tags));
    contact_segment_ids_.push_back(Ids(contact.segments));
  }
  for (const std::string& company : records_.companies) {
    const JsonValue json = Parse(company);
    company_ids_.push_back(json["id"].text());
    company_has_users_.push_back(json["user_count"].AsInt().value_or(1) != 0);
    company_last_request_at_.push_back(json["last_request_at"].AsInt().value_or(0));
  }
  for (size_t i = 0; i < records_.conversations.size(); ++i) {
    FixedRecords::Conversation& conversation = records_.conversations[i];
    if (conversation.html_detail.empty()) conversation.html_detail = conversation.detail;
    if (conversation.list_item.empty()) {
      conversation.list_item = WithoutMember(conversation.html_detail, "conversation_parts");
    }
    const JsonValue json = Parse(conversation.list_item);
    conversation_keys_.push_back(
        {json["created_at"].AsInt().value_or(0), json["updated_at"].AsInt().value_or(0)});
    conversation_ids_.push_back(json["id"].text());
    conversation_index_.emplace(json["id"].text(), i);
  }
}

std::optional<size_t> FixedWorkspace::FindContact(std::string_view id) const {
  const auto found = contact_index_.find(std::string(id));
  if (found == contact_index_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> FixedWorkspace::MergedInto(std::string_view id) const {
  const auto found = records_.merged.find(std::string(id));
  if (found == records_.merged.end()) return std::nullopt;
  return found->second;
}

void FixedWorkspace::AppendContact(size_t contact, std::string* out) const {
  *out += records_.contacts[contact].json;
}

std::vector<std::string> FixedWorkspace::ContactTags(size_t contact) const {
  return records_.contacts[contact].tags;
}

std::vector<std::string> FixedWorkspace::ContactSegments(size_t contact) const {
  return records_.contacts[contact].segments;
}

std::vector<std::string> FixedWorkspace::ContactCompanies(size_t contact) const {
  return records_.contacts[contact].companies;
}

std::vector<std::string> FixedWorkspace::ContactNotes(size_t contact) const {
  return records_.contacts[contact].notes;
}

std::string FixedWorkspace::EventSummary(size_t contact) const {
  return records_.contacts[contact].event_summary;
}

bool FixedWorkspace::HasTag(size_t contact, std::string_view tag_id) const {
  return contact_tag_ids_[contact].count(std::string(tag_id)) > 0;
}

bool FixedWorkspace::InSegment(size_t contact, std::string_view segment_id) const {
  return contact_segment_ids_[contact].count(std::string(segment_id)) > 0;
}

void FixedWorkspace::AppendCompany(size_t company, std::string* out) const {
  *out += records_.companies[company];
}

int64_t FixedWorkspace::CompanyLastRequestAt(size_t company) const {
  return company_last_request_at_[company];
}

std::vector<std::string> FixedWorkspace::Segments(bool include_count) const {
  if (include_count) return records_.segments;
  std::vector<std::string> segments;
  segments.reserve(records_.segments.size());
  for (const std::string& segment : records_.segments) {
    segments.push_back(WithoutMember(segment, "count"));
  }
  return segments;
}

ConversationKey FixedWorkspace::conversation_key(size_t conversation) const {
  return conversation_keys_[conversation];
}

std::string FixedWorkspace::ConversationId(size_t conversation) const {
  return conversation_ids_[conversation];
}

std::optional<size_t> FixedWorkspace::FindConversation(std::string_view id) const {
  const auto found = conversation_index_.find(std::string(id));
  if (found == conversation_index_.end()) return std::nullopt;
  return found->second;
}

void FixedWorkspace::AppendConversation(size_t conversation, std::string* out) const {
  *out += records_.conversations[conversation].list_item;
}

std::string FixedWorkspace::ConversationDetail(size_t conversation, bool plaintext) const {
  const FixedRecords::Conversation& given = records_.conversations[conversation];
  return plaintext ? given.detail : given.html_detail;
}

}  // namespace intercom_extractor::fake

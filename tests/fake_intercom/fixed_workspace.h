#ifndef TESTS_FAKE_INTERCOM_FIXED_WORKSPACE_H_
#define TESTS_FAKE_INTERCOM_FIXED_WORKSPACE_H_

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// Exactly given records, each a JSON text that is sent as it is.
struct FixedRecords {
  struct Contact {
    std::string json;
    // Sub-resources, each element one record. Tags and companies that are not
    // given are what `json` embeds.
    std::vector<std::string> tags;
    std::vector<std::string> segments;
    std::vector<std::string> companies;
    std::vector<std::string> notes;
    // The answer of GET /events; empty: a summary without events.
    std::string event_summary;
  };
  struct Conversation {
    // The answer of GET /conversations/{id}?display_as=plaintext.
    std::string detail;
    // The answer without display_as; empty: `detail`.
    std::string html_detail;
    // What lists give; empty: the HTML detail without its parts.
    std::string list_item;
  };

  std::vector<Contact> contacts;
  std::vector<std::string> companies;
  std::vector<std::string> admins;
  std::vector<std::string> teams;
  std::vector<std::string> tags;
  // With `count`; without include_count the member is taken out.
  std::vector<std::string> segments;
  std::vector<Conversation> conversations;
  // The oldest deletion first.
  std::vector<std::string> deleted_conversations;
  // Merged contacts: id -> id of the contact they went into.
  std::map<std::string, std::string> merged;
};

// A workspace of given records. What searches compare (role, times, membership)
// is read from the records; times that cannot be read are 0, and `null` or absent
// last_seen_at matches no search.
class FixedWorkspace : public Workspace {
 public:
  explicit FixedWorkspace(FixedRecords records);

  size_t contact_count() const override { return records_.contacts.size(); }
  ContactKey contact_key(size_t contact) const override { return contact_keys_[contact]; }
  std::string ContactId(size_t contact) const override { return contact_ids_[contact]; }
  std::optional<size_t> FindContact(std::string_view id) const override;
  std::optional<std::string> MergedInto(std::string_view id) const override;
  void AppendContact(size_t contact, std::string* out) const override;
  std::vector<std::string> ContactTags(size_t contact) const override;
  std::vector<std::string> ContactSegments(size_t contact) const override;
  std::vector<std::string> ContactCompanies(size_t contact) const override;
  std::vector<std::string> ContactNotes(size_t contact) const override;
  std::string EventSummary(size_t contact) const override;
  bool HasTag(size_t contact, std::string_view tag_id) const override;
  bool InSegment(size_t contact, std::string_view segment_id) const override;

  size_t company_count() const override { return records_.companies.size(); }
  std::string CompanyId(size_t company) const override { return company_ids_[company]; }
  void AppendCompany(size_t company, std::string* out) const override;
  bool CompanyHasUsers(size_t company) const override { return company_has_users_[company]; }
  int64_t CompanyLastRequestAt(size_t company) const override;

  const std::vector<std::string>& admins() const override { return records_.admins; }
  const std::vector<std::string>& teams() const override { return records_.teams; }
  const std::vector<std::string>& tags() const override { return records_.tags; }
  std::vector<std::string> Segments(bool include_count) const override;

  size_t conversation_count() const override { return records_.conversations.size(); }
  ConversationKey conversation_key(size_t conversation) const override;
  std::string ConversationId(size_t conversation) const override;
  std::optional<size_t> FindConversation(std::string_view id) const override;
  void AppendConversation(size_t conversation, std::string* out) const override;
  std::string ConversationDetail(size_t conversation, bool plaintext) const override;
  const std::vector<std::string>& deleted_conversations() const override {
    return records_.deleted_conversations;
  }

 private:
  using Index = std::unordered_map<std::string, size_t>;

  FixedRecords records_;
  // Constant after construction; by the records' numbers.
  std::set<std::string> roles_;
  std::vector<ContactKey> contact_keys_;
  std::vector<std::string> contact_ids_;
  Index contact_index_;
  std::vector<std::set<std::string>> contact_tag_ids_;
  std::vector<std::set<std::string>> contact_segment_ids_;
  std::vector<std::string> company_ids_;
  std::vector<bool> company_has_users_;
  std::vector<int64_t> company_last_request_at_;
  std::vector<ConversationKey> conversation_keys_;
  std::vector<std::string> conversation_ids_;
  Index conversation_index_;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_FIXED_WORKSPACE_H_

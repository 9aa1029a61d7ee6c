#ifndef TESTS_FAKE_INTERCOM_CHANGING_WORKSPACE_H_
#define TESTS_FAKE_INTERCOM_CHANGING_WORKSPACE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/fake_intercom/clock.h"
#include "tests/fake_intercom/random.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// One thing that happened to a workspace.
struct Change {
  enum class Kind { kCreate, kUpdate, kDelete, kMerge, kConvert };

  Kind kind = Kind::kUpdate;
  bool contact = true;  // Else a conversation.
  std::string id;
  // kMerge: the contact that `id` went into; that contact changed, too.
  std::string into;
  int64_t at = 0;  // Unix seconds.
};

// A workspace that changes while it is read: another one, of which it keeps only
// what became different, and what came new. New records are numbered after all
// others; what is gone keeps its number, but does not exist.
//
// Each change carries the time of the clock when it happens: the `updated_at` of
// what it leaves behind, never before the clock's time at the change before. As
// the fake's Date header comes from the same clock, everything that changes after
// an answer has an `updated_at` of that answer's Date or later.
//
// Changes may come from any thread. Who reads while they may come holds it still.
class ChangingWorkspace : public Workspace {
 public:
  struct Options {
    uint64_t seed = 1;
    // So many changes happen by themselves, the first ones as OnRequest() is called:
    // one for each `requests_between` requests, on average.
    size_t changes = 0;
    size_t requests_between = 3;
  };

  ChangingWorkspace(std::shared_ptr<const Workspace> base, const Options& options, Clock clock);

  // A request is about to be answered.
  void OnRequest();
  // Lets the next `count` changes that are drawn happen now.
  void ChangeNow(size_t count);

  // Let this happen now. Do nothing when the record does not exist.
  void UpdateContact(size_t contact);
  void DeleteContact(size_t contact);
  void MergeContact(size_t contact, size_t into);
  void ConvertToUser(size_t lead);
  void UpdateConversation(size_t conversation);
  void DeleteConversation(size_t conversation);
  // Return the number of the new record.
  size_t CreateContact(std::string_view role);
  size_t CreateConversation();

  // Everything that happened, in its order.
  std::vector<Change> changes() const;

  std::shared_lock<std::shared_mutex> HoldStill() const override;
  uint64_t version() const override { return changes_.size(); }
  bool ContactExists(size_t contact) const override;
  size_t living_contact_count() const override { return living_contacts_; }
  bool ConversationExists(size_t conversation) const override;

  size_t contact_count() const override { return base_->contact_count() + new_contacts_.size(); }
  ContactKey contact_key(size_t contact) const override;
  std::string ContactId(size_t contact) const override;
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

  size_t company_count() const override { return base_->company_count(); }
  std::string CompanyId(size_t company) const override { return base_->CompanyId(company); }
  void AppendCompany(size_t company, std::string* out) const override {
    base_->AppendCompany(company, out);
  }
  bool CompanyHasUsers(size_t company) const override { return base_->CompanyHasUsers(company); }
  int64_t CompanyLastRequestAt(size_t company) const override {
    return base_->CompanyLastRequestAt(company);
  }

  const std::vector<std::string>& admins() const override { return base_->admins(); }
  const std::vector<std::string>& teams() const override { return base_->teams(); }
  const std::vector<std::string>& tags() const override { return base_->tags(); }
  std::vector<std::string> Segments(bool include_count) const override;

  size_t conversation_count() const override {
    return base_->conversation_count() + new_conversations_.size();
  }
  ConversationKey conversation_key(size_t conversation) const override;
  std::string ConversationId(size_t conversation) const override;
  std::optional<size_t> FindConversation(std::string_view id) const override;
  void AppendConversation(size_t conversation, std::string* out) const override;
  std::string ConversationDetail(size_t conversation, bool plaintext) const override;
  const std::vector<std::string>& deleted_conversations() const override {
    return deleted_conversations_;
  }

 private:
  // What became different, complete.
  struct Contact {
    bool exists = true;
    ContactKey key;
    std::string id;
    std::string json;
    std::vector<std::string> tags;
    std::vector<std::string> segments;
    std::vector<std::string> companies;
    std::vector<std::string> notes;
    std::string event_summary;
  };
  struct Conversation {
    bool exists = true;
    ConversationKey key;
    std::string id;
    std::string list_item;
    std::string html_detail;
    std::string text_detail;
  };

  // These need mu_ held alone.
  int64_t Now();
  void Happened(Change::Kind kind, bool contact, const std::string& id, const std::string& into);
  void DrawChange();
  void DrawContactChange(Random* random);
  void DrawConversationChange(Random* random);
  Contact& Edit(size_t contact);
  Conversation& EditConversation(size_t conversation);
  void Touch(Contact* contact, int64_t now);
  void Update(size_t contact, Random* random);
  void Remove(size_t contact);
  void Merge(size_t contact, size_t into, Random* random);
  void Convert(size_t lead);
  void UpdateConversationAs(size_t conversation, Random* random);
  void RemoveConversation(size_t conversation);
  size_t NewContact(std::string_view role, Random* random);
  size_t NewConversation(Random* random);
  void CountMember(const Contact& contact, int64_t change);
  // One that exists, of the role where one is given; nothing if there is none.
  std::optional<size_t> PickContact(Random* random, std::string_view role) const;
  std::optional<size_t> PickConversation(Random* random) const;
  // Draws for a change; each gets its own.
  Random NextRandom();

  const Contact* Changed(size_t contact) const;
  const Conversation* ChangedConversation(size_t conversation) const;

  const std::shared_ptr<const Workspace> base_;
  const Options options_;
  const Clock clock_;

  mutable std::shared_mutex mu_;
  // Guarded by mu_.
  std::unordered_map<size_t, Contact> contacts_;
  std::unordered_map<std::string, size_t> new_contacts_;
  size_t living_contacts_;
  std::map<std::string, std::string> merged_;
  std::map<std::string, int64_t> more_members_;  // By segment.
  std::unordered_map<size_t, Conversation> conversations_;
  std::unordered_map<std::string, size_t> new_conversations_;
  std::vector<std::string> deleted_conversations_;
  std::vector<Change> changes_;
  uint64_t drawn_ = 0;
  size_t due_changes_ = 0;
  size_t requests_to_next_;
  int64_t last_time_ = 0;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_CHANGING_WORKSPACE_H_

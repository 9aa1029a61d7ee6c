#ifndef TESTS_FAKE_INTERCOM_GENERATED_WORKSPACE_H_
#define TESTS_FAKE_INTERCOM_GENERATED_WORKSPACE_H_

#include <string>
#include <vector>

#include "tests/fake_intercom/companies.h"
#include "tests/fake_intercom/conversations.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/people.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// A workspace made of a seed: the same options give the same bytes everywhere.
// The first records of each kind hold the edge cases of edge_cases.h. Listed
// records are written once, at construction, as far as the cache allows; the rest
// is written when asked for, so that a million contacts fit.
class GeneratedWorkspace : public Workspace {
 public:
  explicit GeneratedWorkspace(const GeneratorOptions& options);

  size_t contact_count() const override { return contact_keys_.size(); }
  ContactKey contact_key(size_t contact) const override { return contact_keys_[contact]; }
  std::string ContactId(size_t contact) const override { return people_.Id(contact); }
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

  size_t company_count() const override { return companies_.count(); }
  std::string CompanyId(size_t company) const override { return companies_.Id(company); }
  void AppendCompany(size_t company, std::string* out) const override;
  bool CompanyHasUsers(size_t company) const override { return companies_.HasUsers(company); }
  int64_t CompanyLastRequestAt(size_t company) const override;

  const std::vector<std::string>& admins() const override { return admins_; }
  const std::vector<std::string>& teams() const override { return teams_; }
  const std::vector<std::string>& tags() const override { return tags_; }
  std::vector<std::string> Segments(bool include_count) const override;

  size_t conversation_count() const override { return conversation_keys_.size(); }
  ConversationKey conversation_key(size_t conversation) const override {
    return conversation_keys_[conversation];
  }
  std::string ConversationId(size_t conversation) const override;
  std::optional<size_t> FindConversation(std::string_view id) const override;
  void AppendConversation(size_t conversation, std::string* out) const override;
  std::string ConversationDetail(size_t conversation, bool plaintext) const override;
  const std::vector<std::string>& deleted_conversations() const override {
    return deleted_conversations_;
  }

  // All parts of a conversation, also those that its detail leaves out.
  size_t PartCount(size_t conversation) const { return conversations_.PartCount(conversation); }

 private:
  const GeneratorOptions options_;
  const Companies companies_;
  const People people_;
  const Conversations conversations_;

  // Constant after construction. The caches hold the first records only.
  std::vector<ContactKey> contact_keys_;
  std::vector<uint32_t> segment_masks_;
  std::vector<int64_t> segment_counts_;
  std::vector<ConversationKey> conversation_keys_;
  std::vector<std::string> deleted_conversations_;
  std::vector<std::string> admins_;
  std::vector<std::string> teams_;
  std::vector<std::string> tags_;
  std::vector<std::string> contact_cache_;
  std::vector<std::string> company_cache_;
  std::vector<std::string> conversation_cache_;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_GENERATED_WORKSPACE_H_

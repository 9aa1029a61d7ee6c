#ifndef TESTS_FAKE_INTERCOM_WORKSPACE_H_
#define TESTS_FAKE_INTERCOM_WORKSPACE_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace intercom_extractor::fake {

// What searches compare of a contact; its JSON text may say something else on
// purpose (a wrong type, null).
struct ContactKey {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

  int64_t created_at = 0;  // Unix seconds, as all times here.
  int64_t updated_at = 0;
  int64_t last_seen_at = kNever;
  std::string_view role;  // "user", "lead", ...; static text.
};

struct ConversationKey {
  int64_t created_at = 0;
  int64_t updated_at = 0;
};

// Everything an Intercom workspace holds, as the JSON texts that its API answers.
// It does not change while it is held still, most never do: then it is thread-safe.
// Records are numbered from 0 in the order in which plain lists give them; what was
// deleted keeps its number, but does not exist. Lists are always complete here; what the API cuts
// from them (10 embedded, pages, 500 parts) is cut by those who serve it, except that a contact's
// own text embeds its lists and a conversation's detail its parts.
class Workspace {
 public:
  virtual ~Workspace() = default;

  // While the caller keeps what this returns, nothing changes. Not to be called
  // twice by one thread.
  virtual std::shared_lock<std::shared_mutex> HoldStill() const { return {}; }
  // Another one after each change.
  virtual uint64_t version() const { return 0; }

  // How many numbers contacts have, and how many of them exist.
  virtual size_t contact_count() const = 0;
  virtual size_t living_contact_count() const { return contact_count(); }
  virtual bool ContactExists(size_t /*contact*/) const { return true; }
  virtual ContactKey contact_key(size_t contact) const = 0;
  virtual std::string ContactId(size_t contact) const = 0;
  // Only of one that exists, as with conversations.
  virtual std::optional<size_t> FindContact(std::string_view id) const = 0;
  // The id of the contact that `id` was merged into, if it was.
  virtual std::optional<std::string> MergedInto(std::string_view id) const = 0;
  // The contact as lists and GET /contacts/{id} give it.
  virtual void AppendContact(size_t contact, std::string* out) const = 0;
  virtual std::vector<std::string> ContactTags(size_t contact) const = 0;
  virtual std::vector<std::string> ContactSegments(size_t contact) const = 0;
  virtual std::vector<std::string> ContactCompanies(size_t contact) const = 0;
  virtual std::vector<std::string> ContactNotes(size_t contact) const = 0;
  // The whole answer of GET /events?summary=true.
  virtual std::string EventSummary(size_t contact) const = 0;
  virtual bool HasTag(size_t contact, std::string_view tag_id) const = 0;
  virtual bool InSegment(size_t contact, std::string_view segment_id) const = 0;

  virtual size_t company_count() const = 0;
  virtual std::string CompanyId(size_t company) const = 0;
  virtual void AppendCompany(size_t company, std::string* out) const = 0;
  // Companies without users are scrolled, but never listed.
  virtual bool CompanyHasUsers(size_t company) const = 0;
  virtual int64_t CompanyLastRequestAt(size_t company) const = 0;

  virtual const std::vector<std::string>& admins() const = 0;
  virtual const std::vector<std::string>& teams() const = 0;
  virtual const std::vector<std::string>& tags() const = 0;
  // With or without the member `count`.
  virtual std::vector<std::string> Segments(bool include_count) const = 0;

  virtual size_t conversation_count() const = 0;
  virtual bool ConversationExists(size_t /*conversation*/) const { return true; }
  virtual ConversationKey conversation_key(size_t conversation) const = 0;
  virtual std::string ConversationId(size_t conversation) const = 0;
  virtual std::optional<size_t> FindConversation(std::string_view id) const = 0;
  // The conversation as lists give it: HTML bodies, no parts.
  virtual void AppendConversation(size_t conversation, std::string* out) const = 0;
  // The answer of GET /conversations/{id}; `plaintext` as of display_as.
  virtual std::string ConversationDetail(size_t conversation, bool plaintext) const = 0;
  // What GET /conversations/deleted lists, the oldest deletion first.
  virtual const std::vector<std::string>& deleted_conversations() const = 0;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_WORKSPACE_H_

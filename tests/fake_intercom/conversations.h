#ifndef TESTS_FAKE_INTERCOM_CONVERSATIONS_H_
#define TESTS_FAKE_INTERCOM_CONVERSATIONS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fake_intercom/edge_cases.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/json_writer.h"
#include "tests/fake_intercom/people.h"
#include "tests/fake_intercom/random.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// Writes generated conversations with their parts; each record is a function of
// its number. Thread-safe.
class Conversations {
 public:
  // The most parts that GET /conversations/{id} gives; the newest.
  static constexpr size_t kMaxParts = 500;

  // `people` must outlive this.
  Conversations(const GeneratorOptions& options, const People* people)
      : options_(options), people_(*people) {}

  size_t count() const { return options_.conversations; }
  ConversationKey Key(size_t conversation) const;
  std::string Id(size_t conversation) const;
  std::optional<size_t> Find(std::string_view id) const;
  // All parts, also those that the API cuts.
  size_t PartCount(size_t conversation) const;
  // Appends the conversation; without parts as lists give it.
  void Append(size_t conversation, bool plaintext, bool with_parts, std::string* out) const;
  // The conversations that are no more, the oldest deletion first. No other
  // conversation has their ids.
  std::vector<std::string> Deleted() const;

 private:
  enum class AuthorKind { kContact, kAdmin, kBot };

  // What a conversation's references need to know, drawn once.
  struct Cast {
    std::optional<size_t> contact;
    AuthorKind author = AuthorKind::kContact;
    std::string author_id;
    std::string author_type;
  };

  Cast CastOf(size_t conversation, ConversationContacts contacts) const;
  void AppendContacts(size_t conversation, ConversationContacts contacts, const Cast& cast,
                      JsonWriter* json) const;
  void AppendReference(std::string_view type, const std::string& id, const std::string& external_id,
                       JsonWriter* json) const;
  void AppendSource(size_t conversation, const Cast& cast, const ConversationEdge& edge,
                    bool plaintext, Escaping escaping, std::string* out) const;
  void AppendParts(size_t conversation, const Cast& cast, bool plaintext, Escaping escaping,
                   std::string* out) const;
  void AppendPart(size_t conversation, size_t part, int64_t created_at, const Cast& cast,
                  bool plaintext, Escaping escaping, std::string* out) const;
  void AppendAttachments(size_t count, size_t first, const std::string& owner,
                         std::string* out) const;

  const GeneratorOptions options_;
  const People& people_;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_CONVERSATIONS_H_

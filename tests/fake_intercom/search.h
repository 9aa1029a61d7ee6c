#ifndef TESTS_FAKE_INTERCOM_SEARCH_H_
#define TESTS_FAKE_INTERCOM_SEARCH_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/fake_intercom/json_value.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// Why a search was refused: an error code and message of Intercom's.
struct SearchError {
  std::string code;
  std::string message;
};

// How `created_at`, `updated_at` and `last_seen_at` of contacts are compared.
enum class DateRule {
  // Up to version 2.16: by whole days of the workspace's time zone. `>` begins at
  // the next day, `<` ends before the day, `=` is the day.
  kWholeDays,
  // From version 2.17, and for conversations in every version.
  kExactSeconds,
};

// A condition, or a group of conditions.
struct Condition {
  enum class Kind { kAnd, kOr, kDate, kText };
  enum class Field { kCreatedAt, kUpdatedAt, kLastSeenAt, kId, kRole, kTagId, kSegmentId };

  Kind kind = Kind::kAnd;
  std::vector<Condition> conditions;  // Of a group.
  Field field = Field::kId;
  // kDate: from `low` to before `high`, Unix seconds.
  int64_t low = 0;
  int64_t high = 0;
  // kText: one of the values, or none of them.
  std::vector<std::string> values;
  bool negated = false;
};

// A search request's `query`, checked as Intercom does: known fields and
// operators, at most two levels of groups and 15 conditions in each.
class SearchQuery {
 public:
  enum class Target { kContacts, kConversations };

  // Returns false and fills `*error` when Intercom would refuse.
  static bool Parse(const JsonValue& query, Target target, DateRule rule,
                    const absl::TimeZone& time_zone, Condition* condition, SearchError* error);
};

// How results are ordered; ties in the records' own order.
struct SearchSort {
  Condition::Field field = Condition::Field::kCreatedAt;
  bool ascending = false;
};

// Returns false and fills `*error` for a `sort` that Intercom would refuse. An
// absent sort is `*sort` as it comes in.
bool ParseSort(const JsonValue& json, SearchQuery::Target target, SearchSort* sort,
               SearchError* error);

// Finds records. Results are kept, as a walk asks for the same query many times,
// until the workspace changes. Thread-safe while the workspace is held still.
class Searcher {
 public:
  // `workspace` must outlive this. The `missing_newest` contacts created last are
  // not in the search index yet.
  Searcher(const Workspace* workspace, size_t missing_newest);

  using Matches = std::shared_ptr<const std::vector<uint32_t>>;
  // `hidden` contacts are in no tag and no segment. `key` names everything that the
  // result depends on.
  Matches Contacts(const Condition& condition, const SearchSort& sort,
                   const std::unordered_set<size_t>& hidden, const std::string& key);
  Matches Conversations(const Condition& condition, const SearchSort& sort, const std::string& key);
  // Every conversation that there is.
  Matches AllConversations(const SearchSort& sort);

  // What records are sorted by.
  int64_t ContactDate(size_t contact, Condition::Field field) const;
  int64_t ConversationDate(size_t conversation, Condition::Field field) const;

 private:
  Matches Cached(const std::string& query, const std::function<std::vector<uint32_t>()>& compute);
  bool ContactMatches(size_t contact, const Condition& condition,
                      const std::unordered_set<size_t>& hidden) const;
  bool ConversationMatches(size_t conversation, const Condition& condition) const;
  // The contacts that may match; narrow where the query names ids or days.
  std::vector<uint32_t> ContactCandidates(const Condition& condition) const;

  // Contacts and the seconds of one of their dates, sorted.
  using Index = std::vector<std::pair<int64_t, uint32_t>>;
  // Those from `low` to before `high`.
  struct Range {
    Index::const_iterator begin;
    Index::const_iterator end;
  };
  static Range Between(const Index& index, int64_t low, int64_t high);
  // Of a workspace that does not change; made when it is first needed.
  const Index& ByUpdatedAt() const;

  const Workspace& workspace_;
  // Constant after construction: the contacts of then by created_at, which no change
  // changes, and those not indexed.
  Index by_created_at_;
  std::unordered_set<size_t> missing_;

  mutable std::once_flag by_updated_at_once_;
  mutable Index by_updated_at_;

  std::mutex mu_;
  // Guarded by mu_: the oldest results leave first.
  std::deque<std::pair<std::string, Matches>> cache_;
  size_t cached_entries_ = 0;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_SEARCH_H_

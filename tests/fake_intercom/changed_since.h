#ifndef TESTS_FAKE_INTERCOM_CHANGED_SINCE_H_
#define TESTS_FAKE_INTERCOM_CHANGED_SINCE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// What an incremental run reads: the contacts and conversations that changed at
// `updated_since` or later. Times are Unix seconds.
//
// A record whose own `updated_at` nobody can read (null, absent, no integer) counts
// as changed where search gives it, as nobody can tell otherwise. Search (search.cc)
// compares ContactKey and ConversationKey: there a generated record has its true
// time all the same, and a record of a FixedWorkspace has 0, so that search never
// gives it.
struct ChangedSince {
  int64_t updated_since = 0;
  // From when on search gives contacts: earlier than `updated_since` where it
  // compares whole days. Matters for those that do not say their time.
  int64_t contacts_searched_since = 0;
  // All contacts are listed, to find the deleted ones. Then those that do not say
  // their time are all read.
  bool find_deleted = false;

  // For whom search compares exact seconds.
  static ChangedSince Exactly(int64_t updated_since) {
    return {updated_since, updated_since, false};
  }
  // For whom search compares contacts by whole days. Throws std::invalid_argument
  // for a time zone that does not exist.
  static ChangedSince ByDays(int64_t updated_since, const std::string& time_zone);

  // Whether a record is read. Throw std::runtime_error when it is no JSON.
  bool Contact(const Workspace& workspace, size_t contact) const;
  bool Conversation(const Workspace& workspace, size_t conversation) const;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_CHANGED_SINCE_H_

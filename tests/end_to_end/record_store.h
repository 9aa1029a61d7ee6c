#ifndef TESTS_END_TO_END_RECORD_STORE_H_
#define TESTS_END_TO_END_RECORD_STORE_H_

#include <map>
#include <set>
#include <string>
#include <utility>

#include "tests/end_to_end/extraction_harness.h"
#include "tests/end_to_end/oracle_comparison.h"

namespace intercom_extractor {

// A contact or a conversation: its table ("users", "leads" or "conversations") and id.
using RecordKey = std::pair<std::string, std::string>;

// What a consumer of full and incremental runs keeps, by the rules that the service
// states: each contact and conversation together with its rows in the tables below it.
class RecordStore {
 public:
  RecordStore() = default;
  // As a full run leaves it.
  explicit RecordStore(const Rows& rows);

  // After an incremental run: what was read is replaced with everything that belongs to
  // it, other tables are replaced as a whole, what is said to be deleted goes. With
  // `find_deleted` contacts that are neither among the rows nor among the living go, too.
  void Apply(const Extracted& got, bool find_deleted);

  // With its children; empty when there is none.
  Rows Of(const RecordKey& record) const;
  std::set<RecordKey> Records() const;
  // The tables that belong to no contact and no conversation.
  const Rows& others() const { return others_; }
  Rows All() const;

 private:
  std::map<RecordKey, Rows> records_;
  Rows others_;
};

// `rows` without what conversations say of the roles of these contacts. A conversation
// is not read again when a contact in it becomes a user or is deleted.
Rows WithoutRolesOf(const std::set<std::string>& contacts, const Rows& rows);

}  // namespace intercom_extractor

#endif  // TESTS_END_TO_END_RECORD_STORE_H_

#ifndef TESTS_FAKE_INTERCOM_ORACLE_H_
#define TESTS_FAKE_INTERCOM_ORACLE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/fake_intercom/changed_since.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor::fake {

// What a correct extraction of a workspace gives, said a second time: it shares
// neither code nor table annotations with the extractor, so that a mistake there
// shows as a difference here.

struct OracleTable {
  std::string name;
  // Documented columns first, then extension columns.
  std::vector<std::string> columns;
  size_t documented = 0;
};

// All 22 tables, in documented order.
const std::vector<OracleTable>& OracleTables();

// Null, or the text that a CSV field stands for.
using OracleCell = std::optional<std::string>;
using OracleRow = std::vector<OracleCell>;

struct OracleOptions {
  bool plaintext = true;
  // Not set: a full run.
  std::optional<ChangedSince> since = std::nullopt;
  // Numbers of contacts whose sub-resources, and of conversations whose details,
  // answer 404 or 410.
  std::vector<size_t> vanished_contacts;
  std::vector<size_t> vanished_conversations;
};

// Receives the rows, table by table or mixed; `table` indexes OracleTables().
using OracleSink = std::function<void(size_t table, const OracleRow& row)>;

// Gives every row of the workspace. Throws std::runtime_error when a record is no
// JSON.
void ExpectedRows(const Workspace& workspace, const OracleOptions& options, const OracleSink& sink);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_ORACLE_H_

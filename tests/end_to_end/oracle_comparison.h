#ifndef TESTS_END_TO_END_ORACLE_COMPARISON_H_
#define TESTS_END_TO_END_ORACLE_COMPARISON_H_

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/fake_intercom/oracle.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor {

// By table, the values of each row as the oracle writes them.
using Rows = std::map<std::string, std::multiset<fake::OracleRow>>;

Rows RowsOf(const v1::RowBatch& got);
Rows OracleRowsOf(const fake::Workspace& workspace, const fake::OracleOptions& options = {});

// What one row of `table` has in `column`; null for a column that it has not.
fake::OracleCell CellOf(const std::string& table, const std::string& column,
                        const fake::OracleRow& row);

// Expects that so many tables were read, that each is complete, and that its rows
// are those that the oracle derives from the workspace. For a full run no table may
// be empty, as that would show nothing.
void ExpectComplete(const Extracted& got, const fake::Workspace& workspace, size_t tables,
                    const fake::OracleOptions& options = {});

// Says which rows of `table` are missing and which are too many, up to a few.
std::string Difference(const Rows& expected, const Rows& got, const std::string& table);

}  // namespace intercom_extractor

#endif  // TESTS_END_TO_END_ORACLE_COMPARISON_H_

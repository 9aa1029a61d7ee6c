#include "tests/end_to_end/oracle_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/fake_intercom/oracle.h"

namespace intercom_extractor {
namespace {

using ::testing::SizeIs;

// A row's values as the oracle writes them.
fake::OracleRow RowOf(const google::protobuf::Message& row,
                      const std::vector<std::string>& columns) {
  const google::protobuf::Reflection& values = *row.GetReflection();
  fake::OracleRow cells;
  for (const std::string& column : columns) {
    const google::protobuf::FieldDescriptor* field = row.GetDescriptor()->FindFieldByName(column);
    if (!values.HasField(row, field)) {
      cells.emplace_back();
    } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
      cells.emplace_back(values.GetString(row, field));
    } else {
      std::string text;
      google::protobuf::TextFormat::PrintFieldValueToString(row, field, -1, &text);
      cells.emplace_back(text);
    }
  }
  return cells;
}

// A few records of `a` that `b` has not, or not as often.
std::string Lacking(const std::multiset<fake::OracleRow>& a,
                    const std::multiset<fake::OracleRow>& b) {
  std::vector<fake::OracleRow> lacking;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(lacking));
  std::string text = std::to_string(lacking.size());
  for (size_t i = 0; i < std::min<size_t>(3, lacking.size()); ++i) {
    text += "\n   ";
    for (const fake::OracleCell& cell : lacking[i]) text += " " + cell.value_or("null");
  }
  return text;
}

}  // namespace

Rows RowsOf(const v1::RowBatch& got) {
  Rows rows;
  for (const fake::OracleTable& table : fake::OracleTables()) {
    const auto* field = got.GetDescriptor()->FindFieldByName(table.name);
    for (int i = 0; i < got.GetReflection()->FieldSize(got, field); ++i) {
      rows[table.name].insert(
          RowOf(got.GetReflection()->GetRepeatedMessage(got, field, i), table.columns));
    }
  }
  return rows;
}

Rows OracleRowsOf(const fake::Workspace& workspace, const fake::OracleOptions& options) {
  Rows rows;
  fake::ExpectedRows(workspace, options, [&](size_t table, const fake::OracleRow& row) {
    rows[fake::OracleTables()[table].name].insert(row);
  });
  return rows;
}

fake::OracleCell CellOf(const std::string& table, const std::string& column,
                        const fake::OracleRow& row) {
  for (const fake::OracleTable& described : fake::OracleTables()) {
    if (described.name != table) continue;
    for (size_t i = 0; i < described.columns.size(); ++i) {
      if (described.columns[i] == column) return row[i];
    }
  }
  return std::nullopt;
}

std::string Difference(const Rows& expected, const Rows& got, const std::string& table) {
  static const std::multiset<fake::OracleRow> kNone;
  const auto rows_of = [&](const Rows& rows) -> const std::multiset<fake::OracleRow>& {
    const auto found = rows.find(table);
    return found == rows.end() ? kNone : found->second;
  };
  if (rows_of(expected) == rows_of(got)) return "";
  return table + ": missing " + Lacking(rows_of(expected), rows_of(got)) + "\n  too many " +
         Lacking(rows_of(got), rows_of(expected));
}

void ExpectComplete(const Extracted& got, const fake::Workspace& workspace, size_t tables,
                    const fake::OracleOptions& options) {
  ASSERT_TRUE(got.status.ok()) << got.status;
  ASSERT_THAT(got.summary.tables(), SizeIs(tables));
  const Rows expected = OracleRowsOf(workspace, options);
  const Rows rows = RowsOf(got.rows);
  for (const v1::TableSummary& table : got.summary.tables()) {
    EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.table();
    if (!options.since) {
      ASSERT_EQ(expected.count(table.table()), 1u) << "the workspace has none, so nothing is shown";
    }
    EXPECT_EQ(Difference(expected, rows, table.table()), "");
  }
}

}  // namespace intercom_extractor

#include "tests/end_to_end/oracle_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
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

// By table.
using Rows = std::map<std::string, std::multiset<fake::OracleRow>>;

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

Rows OracleRowsOf(const fake::Workspace& workspace) {
  Rows rows;
  fake::ExpectedRows(workspace, {}, [&](size_t table, const fake::OracleRow& row) {
    rows[fake::OracleTables()[table].name].insert(row);
  });
  return rows;
}

}  // namespace

void ExpectComplete(const Extracted& got, const fake::Workspace& workspace, size_t tables) {
  ASSERT_TRUE(got.status.ok()) << got.status;
  ASSERT_THAT(got.summary.tables(), SizeIs(tables));
  const Rows expected = OracleRowsOf(workspace);
  const Rows rows = RowsOf(got.rows);
  for (const v1::TableSummary& table : got.summary.tables()) {
    EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.table();
    ASSERT_EQ(expected.count(table.table()), 1u) << "the workspace has none, so nothing is shown";
    ASSERT_EQ(rows.count(table.table()), 1u) << table.table();
    EXPECT_TRUE(rows.at(table.table()) == expected.at(table.table())) << table.table();
  }
}

}  // namespace intercom_extractor

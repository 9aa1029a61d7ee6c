#include "extractor/tables/request_tables.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<const TableInfo*> Named(const std::vector<std::string>& names) {
  std::vector<const TableInfo*> tables;
  for (const std::string& name : names) tables.push_back(TableCatalog::Get().Find(name));
  return tables;
}

std::vector<std::string> ColumnsOf(const TableInfo& table) {
  std::vector<std::string> names;
  for (const auto& column : table.description.columns()) names.push_back(column.name());
  return names;
}

std::string ErrorOf(const std::vector<std::string>& tables,
                    const std::vector<std::string>& columns) {
  const auto created = RequestTables::Create(Named(tables), columns, nullptr);
  EXPECT_TRUE(absl::IsInvalidArgument(created.status()));
  return std::string(created.status().message());
}

TEST(RequestTablesTest, WithoutColumnsAndRulesTheyAreTheCatalogsOwn) {
  const auto tables = RequestTables::Create(Named({"users", "tags"}), {}, nullptr);
  EXPECT_EQ(tables->tables(), Named({"users", "tags"}));
  const auto no_rules =
      RequestTables::Create(Named({"users"}), {}, std::make_shared<PrivacyRules>());
  EXPECT_EQ(no_rules->tables(), Named({"users"}));
}

TEST(RequestTablesTest, KeepTheColumnsAskedForAndTheKeysInTheTablesOrder) {
  const auto tables = RequestTables::Create(Named({"users", "users_tags"}),
                                            {"name", "email", "users_tags.type"}, nullptr);
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_THAT(ColumnsOf(*tables->tables()[0]), ElementsAre("id", "email", "name"));
  EXPECT_THAT(ColumnsOf(*tables->tables()[1]), ElementsAre("type", "id", "users_pk"));
  EXPECT_EQ(tables->tables()[0]->index, TableCatalog::Get().Find("users")->index);
}

TEST(RequestTablesTest, AStarIsForAllColumns) {
  const auto tables =
      RequestTables::Create(Named({"users", "tags"}), {"users.email", "tags.*"}, nullptr);
  ASSERT_TRUE(tables.ok());
  EXPECT_THAT(ColumnsOf(*tables->tables()[0]), ElementsAre("id", "email"));
  EXPECT_THAT(ColumnsOf(*tables->tables()[1]), ElementsAre("type", "id", "name"));
}

TEST(RequestTablesTest, ForOutputKeysAreLeftOutAsWell) {
  std::vector<v1::TableDescription> tables = {TableCatalog::Get().Find("users")->description};
  ASSERT_TRUE(KeepColumns({"email"}, /*with_keys=*/false, &tables).ok());
  ASSERT_EQ(tables[0].columns_size(), 1);
  EXPECT_EQ(tables[0].columns(0).name(), "email");
}

TEST(RequestTablesTest, UnknownColumnsAreRefusedWithTheNearest) {
  EXPECT_THAT(ErrorOf({"users"}, {"emial"}),
              HasSubstr("has a column \"emial\"; did you mean \"email\"?"));
  EXPECT_THAT(ErrorOf({"users"}, {"users.emial"}), HasSubstr("did you mean \"users.email\"?"));
  EXPECT_THAT(ErrorOf({"users"}, {"leads.email"}), HasSubstr("did you mean \"users.email\"?"));
  EXPECT_THAT(ErrorOf({"users"}, {"user.*"}), HasSubstr("has a column \"user.*\""));
  EXPECT_THAT(ErrorOf({"users"}, {""}), HasSubstr("has a column \"\""));
  EXPECT_THAT(ErrorOf({"users"}, {"\x1b[2J"}), HasSubstr("has a column \"\\x1b[2J\""));
}

TEST(RequestTablesTest, ATableOfWhichNothingIsAskedForIsRefused) {
  EXPECT_EQ(ErrorOf({"users", "tags"}, {"email"}),
            "columns: none of tags was asked for; add tags.* for all of them, or leave the table "
            "out");
}

TEST(RequestTablesTest, RulesTravelWithTheTables) {
  auto rules = std::make_shared<PrivacyRules>();
  ASSERT_TRUE(rules->AddColumn("users.email", v1::PRIVACY_ACTION_MASK).ok());
  auto created = RequestTables::Create(Named({"users", "tags"}), {}, rules);
  const RequestTables tables = *std::move(created);
  for (const TableInfo* table : tables.tables()) EXPECT_EQ(table->privacy, rules);
  for (const auto& column : tables.tables()[0]->description.columns()) {
    EXPECT_EQ(column.privacy() == v1::PRIVACY_ACTION_MASK, column.name() == "email");
  }
  EXPECT_THAT(TableCatalog::Get().Find("users")->privacy, testing::IsNull());
}

}  // namespace
}  // namespace intercom_extractor

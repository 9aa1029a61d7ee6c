#include "clients/sinks/records/record_table.h"

#include <string>
#include <vector>

#include "clients/cli/test_tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/tables.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

std::vector<v1::TableDescription> AllTables() {
  const auto response = DescribeAllTables();
  return {response.tables().begin(), response.tables().end()};
}

template <typename Row>
RecordTable TableOf(RecordFormat format = RecordFormat::kProtobuf) {
  auto table = RecordTable::Make(DescribeTable(*Row::descriptor()), AllTables(), format);
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

template <typename Row>
std::string KeyOf(const Row& row) {
  std::string key;
  EXPECT_TRUE(TableOf<Row>().AppendKey(row.SerializeAsString(), &key));
  return key;
}

TEST(RecordTableTest, AKeyOfOneColumnIsItsValue) {
  v1::User user;
  user.set_id("5f0\"a");
  EXPECT_EQ(KeyOf(user), "5f0\"a");
}

TEST(RecordTableTest, AKeyOfSeveralColumnsIsAJsonArrayInWhichNullDiffersFromText) {
  v1::UserTag tag;
  tag.set_users_pk("5f0");
  tag.set_id("a\"b");
  EXPECT_EQ(KeyOf(tag), R"(["5f0","a\"b"])");
  tag.set_id("null");
  EXPECT_EQ(KeyOf(tag), R"(["5f0","null"])");
  tag.clear_id();
  EXPECT_EQ(KeyOf(tag), R"(["5f0",null])");
}

TEST(RecordTableTest, OrdinalsInKeysAreNumbers) {
  v1::UserSocialProfile profile;
  profile.set_users_pk("5f0");
  profile.set_ordinal(3);
  EXPECT_EQ(KeyOf(profile), R"(["5f0",3])");
}

TEST(RecordTableTest, AKeyIsAppended) {
  v1::UserTag tag;
  tag.set_users_pk("a");
  tag.set_id("b");
  std::string text = "before";
  EXPECT_TRUE(TableOf<v1::UserTag>().AppendKey(tag.SerializeAsString(), &text));
  EXPECT_EQ(text, R"(before["a","b"])");
}

TEST(RecordTableTest, AValueIsTheMessageOrAJsonObjectWithEveryColumn) {
  v1::Tag tag;
  tag.set_id("1");
  const std::string row = tag.SerializeAsString();
  std::string scratch;
  EXPECT_EQ(TableOf<v1::Tag>().ValueOf(row, &scratch), row);
  const RecordTable as_json = TableOf<v1::Tag>(RecordFormat::kJson);
  const std::string json(as_json.ValueOf(row, &scratch));
  EXPECT_THAT(json, StartsWith("{"));
  EXPECT_THAT(json, HasSubstr(R"("id":"1")"));
  EXPECT_THAT(json, HasSubstr(R"("name":null)"));
  EXPECT_EQ(json.back(), '}');
  EXPECT_EQ(as_json.ValueOf(row, &scratch), json);
}

TEST(RecordTableTest, WhatIsNoMessageHasNoKey) {
  std::string key;
  EXPECT_FALSE(TableOf<v1::Tag>().AppendKey("\xff", &key));
  EXPECT_FALSE(TableOf<v1::UserTag>().AppendKey("\xff", &key));
  EXPECT_EQ(key, "");
}

TEST(RecordTableTest, AnotherColumnIsAnotherSchemaVersion) {
  v1::TableDescription description = DescribeTable(*v1::Tag::descriptor());
  const auto before = RecordTable::Make(description, AllTables(), RecordFormat::kJson);
  EXPECT_THAT(before->schema_version(), MatchesRegex("v1/[0-9a-f]+"));
  v1::ColumnDescription& column = *description.add_columns();
  column.set_name("color");
  column.set_number(199);
  column.set_type(v1::COLUMN_TYPE_STRING);
  const auto after = RecordTable::Make(description, AllTables(), RecordFormat::kJson);
  EXPECT_NE(before->schema_version(), after->schema_version());
}

TEST(RecordTableTest, ATableSaysWhatItsRowsBelongTo) {
  EXPECT_EQ(TableOf<v1::User>().owner().column, "");
  EXPECT_EQ(TableOf<v1::UserTag>().owner().column, "users_pk");
  const RecordTable attachments = TableOf<v1::ConversationPartAttachment>();
  EXPECT_EQ(attachments.owner().column, "conversation_parts_pk");
  EXPECT_EQ(attachments.owner().through, "conversation_parts");
  EXPECT_EQ(attachments.owner().through_column, "conversations_pk");
}

TEST(RecordTableTest, ATableWithoutAKeyIsRefused) {
  v1::TableDescription description = DescribeTable(*v1::Tag::descriptor());
  description.mutable_table()->clear_key();
  const auto table = RecordTable::Make(description, AllTables(), RecordFormat::kJson);
  EXPECT_EQ(table.status().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace intercom_extractor

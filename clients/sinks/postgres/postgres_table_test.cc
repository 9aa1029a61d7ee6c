#include "clients/sinks/postgres/postgres_table.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/test_tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

v1::TableDescription Description(const std::string& name) {
  const v1::ListTablesResponse all = DescribeAllTables();
  for (const v1::TableDescription& table : all.tables()) {
    if (table.table().name() == name) return table;
  }
  ADD_FAILURE() << name;
  return {};
}

PostgresTable Make(const v1::TableDescription& description, const std::string& schema = "raw") {
  const v1::ListTablesResponse all = DescribeAllTables();
  auto table = PostgresTable::Make(schema, description, {all.tables().begin(), all.tables().end()});
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

PostgresTable Table(const std::string& name) { return Make(Description(name)); }

TEST(PostgresTableTest, ColumnsHaveTheTypesOfTheirAnnotations) {
  EXPECT_THAT(Table("users").CreateSql(),
              AllOf(HasSubstr("\"id\" text,"), HasSubstr("\"created_at\" timestamptz,"),
                    HasSubstr("\"session_count\" bigint,"), HasSubstr("\"anonymous\" boolean,"),
                    HasSubstr("\"location_data_latitude\" double precision,"),
                    HasSubstr("\"custom_attributes\" jsonb")));
  // A number of seconds that is no point in time stays a number.
  EXPECT_THAT(Table("segments").CreateSql(), HasSubstr("\"count\" bigint"));
}

TEST(PostgresTableTest, ADocumentedKeyIsPrimaryAndALinkMayLackItsId) {
  EXPECT_THAT(Table("users").CreateSql(), HasSubstr("PRIMARY KEY (\"id\")"));
  EXPECT_THAT(Table("admins").CreateSql(), HasSubstr("PRIMARY KEY (\"type\", \"id\")"));
  EXPECT_THAT(Table("users_tags").CreateSql(),
              AllOf(HasSubstr("UNIQUE NULLS NOT DISTINCT (\"users_pk\", \"id\")"),
                    Not(HasSubstr("PRIMARY KEY"))));
}

TEST(PostgresTableTest, EveryTableOfThisProgramHasAKey) {
  const v1::ListTablesResponse all = DescribeAllTables();
  for (const v1::TableDescription& table : all.tables()) {
    EXPECT_THAT(Make(table).key(), Not(ElementsAre())) << table.table().name();
  }
}

TEST(PostgresTableTest, ATableWithoutAKeyIsRefused) {
  v1::TableDescription description = Description("tags");
  description.mutable_table()->clear_key();
  const auto table = PostgresTable::Make("raw", description, {});
  EXPECT_EQ(table.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("tags"));
}

TEST(PostgresTableTest, CommentsAndNamesAreQuoted) {
  v1::TableDescription description = Description("tags");
  description.mutable_table()->set_description("a 'quoted' \\ text");
  EXPECT_THAT(Make(description, "my \"own\"").CreateSql(),
              AllOf(HasSubstr("CREATE TABLE \"my \"\"own\"\"\".\"tags\""),
                    HasSubstr("IS E'a ''quoted'' \\\\ text';")));
}

TEST(PostgresTableTest, OnlyColumnsThatAreMissingAreAdded) {
  const PostgresTable tags = Table("tags");
  EXPECT_EQ(tags.AddColumnsSql({"type", "id", "name", "of a person"}), "");
  EXPECT_THAT(tags.AddColumnsSql({"type", "id"}),
              AllOf(HasSubstr("ALTER TABLE \"raw\".\"tags\" ADD COLUMN \"name\" text;"),
                    Not(HasSubstr("\"id\""))));
}

TEST(PostgresTableTest, StagedRowsAreWrittenOverThoseThatAreThere) {
  EXPECT_EQ(Table("tags").MergeSql(/*keys_repeat=*/false),
            "INSERT INTO \"raw\".\"tags\" (\"type\", \"id\", \"name\") SELECT \"type\", \"id\", "
            "\"name\" FROM pg_temp.\"rows_tags\" ON CONFLICT (\"id\") DO UPDATE SET \"type\" = "
            "EXCLUDED.\"type\", \"id\" = EXCLUDED.\"id\", \"name\" = EXCLUDED.\"name\"");
}

TEST(PostgresTableTest, OfAKeyThatIsStagedTwiceTheLastRowCounts) {
  EXPECT_THAT(Table("tags").MergeSql(/*keys_repeat=*/true),
              HasSubstr("SELECT DISTINCT ON (\"id\") \"type\", \"id\", \"name\" FROM "
                        "pg_temp.\"rows_tags\" ORDER BY \"id\", ctid DESC ON CONFLICT"));
}

TEST(PostgresTableTest, RowsOfARunAreToldByTheirTransaction) {
  EXPECT_EQ(Table("tags").DropOlderSql("77"),
            "DELETE FROM \"raw\".\"tags\" t WHERE age(t.xmin) > age('77'::xid8::xid)");
  EXPECT_EQ(Table("tags").DropWrittenSql("77"),
            "DELETE FROM \"raw\".\"tags\" t WHERE NOT age(t.xmin) > age('77'::xid8::xid)");
}

TEST(PostgresTableTest, ChildrenAreFoundByTheirParentAndThroughTheTableInBetween) {
  EXPECT_THAT(Table("users_tags").DropOfStagedParentsSql("77"),
              HasSubstr("t.\"users_pk\" IN (SELECT id FROM pg_temp.\"parents_users_tags\")"));
  EXPECT_THAT(Table("conversation_parts_attachments").DropOfStagedParentsSql("77"),
              HasSubstr("t.\"conversation_parts_pk\" IN (SELECT p.id FROM "
                        "\"raw\".\"conversation_parts\" p WHERE p.\"conversations_pk\" IN "
                        "(SELECT id FROM pg_temp.\"parents_conversation_parts_attachments\"))"));
  EXPECT_EQ(Table("tags").DropOfStagedParentsSql("77"), "");
}

TEST(PostgresTableTest, ARecordGoesWithWhatBelongsToIt) {
  EXPECT_EQ(Table("users").DropOfRecordsSql("users", "VALUES ('1')"),
            "DELETE FROM \"raw\".\"users\" t WHERE t.id IN (VALUES ('1'))");
  EXPECT_EQ(Table("users_tags").DropOfRecordsSql("users", "VALUES ('1')"),
            "DELETE FROM \"raw\".\"users_tags\" t WHERE t.\"users_pk\" IN (VALUES ('1'))");
  EXPECT_THAT(Table("conversation_parts_attachments").DropOfRecordsSql("conversations", "X"),
              HasSubstr("t.\"conversation_parts_pk\" IN (SELECT p.id"));
  EXPECT_EQ(Table("leads_tags").DropOfRecordsSql("users", "VALUES ('1')"), "");
}

TEST(PostgresTableTest, VanishedAreThoseThatWereNeitherReadNorAreAlive) {
  EXPECT_THAT(
      Table("leads").SelectVanishedSql("77"),
      AllOf(HasSubstr("age(t.xmin) > age('77'::xid8::xid)"),
            HasSubstr("NOT EXISTS (SELECT FROM \"raw\".\"_intercom_living\" l WHERE l.table_name "
                      "= E'leads' AND l.id = t.id)")));
}

}  // namespace
}  // namespace intercom_extractor

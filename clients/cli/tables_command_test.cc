#include "clients/cli/tables_command.h"

#include <string>

#include "clients/cli/fake_extractor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class TablesCommandTest : public ::testing::Test {
 protected:
  Outcome Run() { return RunTables(options_, fake_.api.get(), fake_.console); }

  FakeExtractor fake_;
  TablesOptions options_;
};

TEST_F(TablesCommandTest, ListsTablesWithTheirColumns) {
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.out, HasSubstr("users\n  what      Contacts with role user.\n"));
  EXPECT_THAT(fake_.out, HasSubstr("\nconversation_parts\n"));
  EXPECT_THAT(fake_.out, HasSubstr("tags.id"));
  EXPECT_THAT(fake_.out, HasSubstr("extension"));
}

TEST_F(TablesCommandTest, TemplateRestrictsThem) {
  options_.table_template = v1::TEMPLATE_CONVERSATIONS;
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.out, HasSubstr("conversation_parts\n"));
  EXPECT_THAT(fake_.out, Not(HasSubstr("users_tags\n")));
}

TEST_F(TablesCommandTest, JsonSaysAllOfAColumn) {
  options_.json = true;
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.out, HasSubstr(R"({"column":"id","number":2,"type":"string",)"
                                   R"("format":"identifier","documented":true,)"
                                   R"("primary_key":true,"paths":["@.id"],"constant":null,)"
                                   R"("derivation":null,"references":[],)"));
}

TEST_F(TablesCommandTest, ShowsWhatHappensToAConnectionsValues) {
  options_.connection.connection = "acme";
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.connection, "");
  EXPECT_THAT(fake_.out, Not(HasSubstr("privacy")));
  options_.of_connection = true;
  for (v1::ColumnDescription& column : *fake_.tables.mutable_tables(0)->mutable_columns()) {
    if (column.name() == "email") column.set_privacy(v1::PRIVACY_ACTION_HASH);
    if (column.name() != "custom_attributes") continue;
    v1::AttributePrivacy* const attribute = column.add_attributes();
    attribute->set_name("sal\x1b[2Jary");
    attribute->set_privacy(v1::PRIVACY_ACTION_LEAVE_OUT);
  }
  fake_.out.clear();
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.connection, "acme");
  EXPECT_THAT(fake_.out, ContainsRegex("email +hash +string"));
  EXPECT_THAT(fake_.out, HasSubstr("ary: leave_out"));
  EXPECT_THAT(fake_.out, Not(HasSubstr("\x1b")));
  options_.json = true;
  fake_.out.clear();
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.out, HasSubstr(R"("privacy":"hash")"));
  EXPECT_THAT(fake_.out, HasSubstr(R"("privacy":null)"));
  EXPECT_THAT(fake_.out, HasSubstr(R"(ary":"leave_out"})"));
}

TEST_F(TablesCommandTest, ShowsTablesOfANewerServerToo) {
  fake_.tables.add_tables()->mutable_table()->set_name("calls");
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.out, HasSubstr("\ncalls\n"));
}

TEST_F(TablesCommandTest, ErrorsHaveTheirCodes) {
  fake_.list_status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "refused");
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
  fake_.list_status = grpc::Status::OK;
  fake_.out_works = false;
  EXPECT_EQ(Run().code, ExitCode::kOutput);
}

}  // namespace
}  // namespace intercom_extractor

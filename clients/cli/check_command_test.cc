#include "clients/cli/check_command.h"

#include <string>

#include "clients/cli/fake_extractor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CheckCommandTest : public ::testing::Test {
 protected:
  CheckCommandTest() {
    v1::CheckConnectionResponse& check = fake_.check;
    check.mutable_workspace()->set_id_code("abc");
    check.mutable_workspace()->set_name("Acme");
    check.mutable_workspace()->set_region("EU");
    check.mutable_workspace()->set_time_zone("Europe/Dublin");
    check.set_api_version("2.16");
    check.mutable_quota()->set_limit(166);
    check.mutable_quota()->set_remaining(160);
    AddTable("users", v1::TABLE_ACCESS_OK, "");
  }

  void AddTable(const std::string& name, v1::TableAccess access, const std::string& message) {
    v1::TableCheck& table = *fake_.check.add_tables();
    table.set_table(name);
    table.set_access(access);
    table.set_message(message);
  }

  Outcome Run() { return RunCheck(options_, fake_.api.get(), fake_.console); }

  FakeExtractor fake_;
  CheckOptions options_;
};

TEST_F(CheckCommandTest, SaysWhichWorkspaceAndThatAllIsWell) {
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.out,
            "connection   default\n"
            "workspace    Acme (abc)\n"
            "region       EU\n"
            "time zone    Europe/Dublin\n"
            "API version  2.16\n"
            "quota        166 requests per window, 160 left in the present one\n"
            "\n"
            "users  ok\n");
}

TEST_F(CheckCommandTest, SaysWhatToDoAboutEachTable) {
  AddTable("tags", v1::TABLE_ACCESS_MISSING_SCOPE, "add the scope \"read tags\"");
  AddTable("notes", v1::TABLE_ACCESS_NOT_ON_PLAN, "needs another plan");
  AddTable("admins", v1::TABLE_ACCESS_UNKNOWN, "no answer");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kPartial);
  EXPECT_THAT(outcome.message, HasSubstr("3 of 4 tables"));
  EXPECT_THAT(fake_.out, AllOf(HasSubstr("tags    missing scope     add the scope \"read tags\"\n"),
                               HasSubstr("notes   not on this plan  needs another plan\n"),
                               HasSubstr("admins  unknown           no answer\n")));
}

TEST_F(CheckCommandTest, JsonIsOneObject) {
  options_.json = true;
  options_.connection.connection = "acme";
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.connection, "acme");
  EXPECT_EQ(fake_.out,
            R"({"connection":"acme","workspace":{"id_code":"abc","name":"Acme","region":"EU",)"
            R"("time_zone":"Europe/Dublin"},"api_version":"2.16",)"
            R"("quota":{"limit":166,"remaining":160},)"
            R"("tables":[{"table":"users","access":"ok","message":""}]})"
            "\n");
}

TEST_F(CheckCommandTest, ErrorsHaveTheirCodes) {
  fake_.status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "HTTP 401");
  EXPECT_EQ(Run().code, ExitCode::kAuthentication);
  fake_.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "no route");
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
  fake_.status = grpc::Status(grpc::StatusCode::NOT_FOUND, "no such connection");
  EXPECT_EQ(Run().code, ExitCode::kUsage);
  EXPECT_EQ(fake_.out, "");
  fake_.status = grpc::Status::OK;
  fake_.out_works = false;
  EXPECT_EQ(Run().code, ExitCode::kOutput);
  fake_.interrupt.Cancel();
  EXPECT_EQ(Run().code, ExitCode::kInterrupted);
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cli/extract_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "clients/cli/fake_extractor.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ExtractCommandTest : public ::testing::Test {
 protected:
  ExtractCommandTest() {
    options_.output = directory_.Path("out");
    options_.tables = {"tags"};
  }

  Outcome Run() { return RunExtract(options_, fake_.api.get(), fake_.console, timing_); }
  std::string Out(const std::string& name) const { return options_.output + "/" + name; }

  TestDirectory directory_;
  FakeExtractor fake_;
  ExtractOptions options_;
  const ExtractTiming timing_ = ProcessTiming(&fake_.interrupt);
};

TEST_F(ExtractCommandTest, WritesOneFilePerTableAlsoForEmptyOnes) {
  options_.tables = {"tags", "segments"};
  fake_.AddTags({"a", "b,c"});
  fake_.AddTags({""});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 3);
  fake_.AddSummary("segments", v1::TABLE_STATUS_COMPLETE, 0);
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_EQ(outcome.message, "");
  EXPECT_EQ(ReadAll(Out("tags.csv")), "type,id,name\n,,a\n,,\"b,c\"\n,,\"\"\n");
  EXPECT_THAT(ReadAll(Out("segments.csv")), HasSubstr("type,id,name"));
  EXPECT_FALSE(Exists(Out(".partial")));
  EXPECT_THAT(fake_.err, HasSubstr("files are in " + options_.output));
  EXPECT_EQ(fake_.out, "");
}

TEST_F(ExtractCommandTest, AsksTheServerForWhatTheFlagsSay) {
  options_.connection.connection = "acme";
  options_.table_template = v1::TEMPLATE_BASIC;
  options_.body_format = v1::BODY_FORMAT_HTML;
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  Run();
  EXPECT_EQ(fake_.request.connection(), "acme");
  EXPECT_EQ(fake_.request.template_(), v1::TEMPLATE_BASIC);
  EXPECT_EQ(fake_.request.tables(0), "tags");
  EXPECT_EQ(fake_.request.body_format(), v1::BODY_FORMAT_HTML);
  EXPECT_EQ(fake_.authorization, "Bearer caller-secret");
  EXPECT_THAT(fake_.err, Not(HasSubstr("secret")));
}

TEST_F(ExtractCommandTest, ListedColumnsAreWrittenInTheTablesOrder) {
  options_.tables = {"tags", "users"};
  options_.column_names = {"name", "id", "users.owner_id"};
  fake_.AddTags({"a"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 0);
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_EQ(ReadAll(Out("tags.csv")), "id,name\n,a\n");
  EXPECT_EQ(ReadAll(Out("users.csv")), "id,name,owner_id\n");
  ASSERT_EQ(fake_.request.columns_size(), 3);
  EXPECT_EQ(fake_.request.columns(2), "users.owner_id");
}

TEST_F(ExtractCommandTest, UnknownColumnsAreRefusedWithTheNearest) {
  options_.column_names = {"nmae"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, HasSubstr("did you mean \"name\"?"));
  options_.tables = {"tags", "events_summary"};
  options_.column_names = {"tags.name"};
  EXPECT_THAT(Run().message, HasSubstr("add events_summary.* for all of them"));
  EXPECT_FALSE(Exists(options_.output));
}

TEST_F(ExtractCommandTest, ACsvFileOfNullsAloneIsRefused) {
  options_.column_names = {"name"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, HasSubstr("add a key such as tags.id, or use --format jsonl"));
  options_.format = RowFormat::kJsonl;
  fake_.AddTags({"a"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.jsonl")), "{\"name\":\"a\"}\n");
}

TEST_F(ExtractCommandTest, JsonWritesTheSummaryToStdoutAndLinesToStderr) {
  options_.json = true;
  options_.format = RowFormat::kJsonl;
  fake_.AddTags({"a"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1)->set_requests(4);
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.jsonl")), "{\"type\":null,\"id\":null,\"name\":\"a\"}\n");
  EXPECT_THAT(fake_.out,
              AllOf(HasSubstr(R"({"event":"summary","status":"complete","exit_code":0)"),
                    HasSubstr(R"("table":"tags","status":"complete","rows":1,"bytes":35,)"
                              R"("requests":4)")));
  EXPECT_THAT(fake_.err, HasSubstr(R"({"event":"progress")"));
  EXPECT_THAT(fake_.err, Not(HasSubstr("files are in")));
}

TEST_F(ExtractCommandTest, RestartedTableIsBegunAnew) {
  fake_.AddTags({"old", "older"}, 1);
  fake_.AddRestart("tags", 2);
  fake_.AddTags({"late"}, 1);
  fake_.AddTags({"new"}, 2);
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1)->set_generation(2);
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), "type,id,name\n,,new\n");
}

TEST_F(ExtractCommandTest, FailedTableKeepsTheOlderFileAndOthersGoInPlace) {
  options_.tables = {"tags", "segments"};
  mkdir(options_.output.c_str(), 0777);
  WriteAll(Out("tags.csv"), "older");
  fake_.AddTags({"a"});
  v1::TableSummary* failed = fake_.AddSummary("tags", v1::TABLE_STATUS_FAILED, 1);
  failed->mutable_error()->set_code(grpc::StatusCode::PERMISSION_DENIED);
  failed->mutable_error()->set_reason("SCOPE_MISSING");
  failed->mutable_error()->set_message("give the token the scope read_tags");
  fake_.AddSummary("segments", v1::TABLE_STATUS_PARTIAL, 0);
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kPartial);
  EXPECT_THAT(outcome.message, HasSubstr("incomplete: tags, segments"));
  EXPECT_EQ(ReadAll(Out("tags.csv")), "older");
  EXPECT_EQ(ReadAll(Out(".partial/tags.csv")), "type,id,name\n,,a\n");
  EXPECT_TRUE(Exists(Out("segments.csv")));
  EXPECT_THAT(fake_.err, HasSubstr("give the token the scope read_tags"));
  EXPECT_THAT(fake_.err, HasSubstr("the incomplete rows are in " + Out(".partial/tags.csv")));
}

TEST_F(ExtractCommandTest, WarningMakesTheRunPartial) {
  v1::Notice* notice = fake_.Add()->mutable_notice();
  notice->set_code(v1::NOTICE_CODE_DETAILS_FAILED);
  notice->set_severity(v1::SEVERITY_WARNING);
  notice->set_message("contact 7: notes could not be read");
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  EXPECT_EQ(Run().code, ExitCode::kPartial);
  EXPECT_THAT(fake_.err, HasSubstr("warning: contact 7: notes could not be read\n"));
  EXPECT_TRUE(Exists(Out("tags.csv")));
}

TEST_F(ExtractCommandTest, RowsLostOnTheWayDoNotGoUnnoticed) {
  fake_.AddTags({"a"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 2);
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kPartial);
  EXPECT_THAT(outcome.message, HasSubstr("1 of 2 rows arrived"));
}

TEST_F(ExtractCommandTest, TableMissingFromTheSummaryIsIncomplete) {
  options_.tables = {"tags", "segments"};
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  EXPECT_EQ(Run().code, ExitCode::kPartial);
  EXPECT_FALSE(Exists(Out("segments.csv")));
}

TEST_F(ExtractCommandTest, TableThatIntercomDidNotAnswerForIsUnreachable) {
  v1::TableSummary* failed = fake_.AddSummary("tags", v1::TABLE_STATUS_FAILED, 0);
  failed->mutable_error()->set_reason("INTERCOM_UNREACHABLE");
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
}

TEST_F(ExtractCommandTest, RefusedTokenEndsWithThree) {
  fake_.status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "HTTP 401");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kAuthentication);
  EXPECT_THAT(outcome.message, HasSubstr("Developer Hub"));
  EXPECT_FALSE(Exists(Out(".partial")));
}

TEST_F(ExtractCommandTest, LostConnectionEndsWithFiveAndKeepsThePartialFiles) {
  fake_.AddTags({"a", "b"});
  fake_.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUnreachable);
  EXPECT_THAT(outcome.message,
              AllOf(HasSubstr("broke off after 2 rows"), HasSubstr("Socket closed"),
                    HasSubstr("are in " + Out(".partial"))));
  EXPECT_FALSE(Exists(Out("tags.csv")));
  EXPECT_EQ(ReadAll(Out(".partial/tags.csv")), "type,id,name\n,,a\n,,b\n");
}

TEST_F(ExtractCommandTest, UnreachableServerEndsWithFive) {
  fake_.list_status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "refused");
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
  EXPECT_FALSE(Exists(options_.output));
}

TEST_F(ExtractCommandTest, UnknownTableEndsWithTheServersAdvice) {
  options_.tables = {"tag"};
  fake_.status = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "did you mean \"tags\"?");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_EQ(outcome.message, "did you mean \"tags\"?");
  EXPECT_FALSE(Exists(options_.output));
}

TEST_F(ExtractCommandTest, TableOfANewerServerEndsWithTwo) {
  fake_.tables.add_tables()->mutable_table()->set_name("calls");
  options_.tables = {"calls"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, HasSubstr("table calls is newer than this program"));
  EXPECT_FALSE(Exists(options_.output));
}

TEST_F(ExtractCommandTest, UnknownConnectionEndsWithTwo) {
  fake_.status = grpc::Status(grpc::StatusCode::NOT_FOUND, "no connection \"acme\"");
  EXPECT_EQ(Run().code, ExitCode::kUsage);
}

TEST_F(ExtractCommandTest, OutputThatIsAFileEndsWithSix) {
  WriteAll(options_.output, "mine");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kOutput);
  EXPECT_THAT(outcome.message, HasSubstr(options_.output));
  EXPECT_EQ(ReadAll(options_.output), "mine");
  EXPECT_EQ(fake_.request.tables_size(), 0) << "Intercom was asked in vain";
}

TEST_F(ExtractCommandTest, FullDiskCancelsTheExtractionAndEndsWithSix) {
  options_.output = "-";
  fake_.console.data_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  fake_.AddTags({"a"});
  bool cancelled = false;
  fake_.after_events = [&](grpc::ServerContext* context) {
    while (!context->IsCancelled()) {
    }
    cancelled = true;
  };
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kOutput);
  EXPECT_EQ(outcome.message, "cannot write standard output: No space left on device");
  fake_.Stop();
  EXPECT_TRUE(cancelled);
  close(fake_.console.data_fd);
}

TEST_F(ExtractCommandTest, InterruptEndsWith130AndKeepsThePartialFiles) {
  fake_.AddTags({"a"});
  fake_.after_events = [&](grpc::ServerContext* context) {
    fake_.interrupt.Cancel();
    while (!context->IsCancelled()) {
    }
  };
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kInterrupted);
  EXPECT_THAT(outcome.message, HasSubstr("interrupted"));
  EXPECT_FALSE(Exists(Out("tags.csv")));
}

TEST_F(ExtractCommandTest, InterruptBeforeTheFirstCallIsNotForgotten) {
  fake_.interrupt.Cancel();
  EXPECT_EQ(Run().code, ExitCode::kInterrupted);
}

TEST_F(ExtractCommandTest, StdoutTakesTheRowsAndStderrTheWords) {
  const std::string path = directory_.Path("stdout");
  options_.output = "-";
  options_.json = true;
  fake_.console.data_fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  fake_.AddTags({"a"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  close(fake_.console.data_fd);
  EXPECT_EQ(ReadAll(path), "type,id,name\n,,a\n");
  EXPECT_EQ(fake_.out, "");
  EXPECT_THAT(fake_.err, HasSubstr(R"("event":"summary")"));
}

TEST_F(ExtractCommandTest, RestartOnStdoutRepeatsRowsSaysSoAndEndsWithFour) {
  const std::string path = directory_.Path("stdout");
  options_.output = "-";
  fake_.console.data_fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  fake_.AddTags({"a"}, 1);
  fake_.AddRestart("tags", 2);
  fake_.AddTags({"a"}, 2);
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  const Outcome outcome = Run();
  close(fake_.console.data_fd);
  EXPECT_EQ(outcome.code, ExitCode::kPartial);
  EXPECT_THAT(outcome.message, HasSubstr("on standard output twice"));
  EXPECT_THAT(fake_.err, HasSubstr("they come again"));
  EXPECT_EQ(ReadAll(path), "type,id,name\n,,a\n,,a\n");
}

TEST_F(ExtractCommandTest, SecondRunIntoTheSameDirectoryEndsWithSix) {
  auto held = OutputDirectory::Open(options_.output);
  ASSERT_TRUE(held.ok());
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kOutput);
  EXPECT_THAT(outcome.message, HasSubstr("another run is writing"));
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cli/top_command.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "clients/cli/fake_extractor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class TopCommandTest : public ::testing::Test {
 protected:
  TopCommandTest() {
    options_.connection.server = "127.0.0.1:50051";
    fake_.extractions.mutable_time()->set_seconds(kStart + 42);

    v1::ExtractionStatus& running = *fake_.extractions.add_running();
    running.set_id("00c0ffee00c0ffee");
    running.set_connection("acme");
    running.mutable_started_at()->set_seconds(kStart);
    running.mutable_checkpoint_age()->set_seconds(3);
    running.set_buffered_bytes(1400);
    v1::TableRate& rate = *running.add_rates();
    rate.set_table("users");
    rate.set_rows_per_second(120.4);
    v1::NoticeCount& notice = *running.add_notices();
    notice.set_table("notes");
    notice.set_code(v1::NOTICE_CODE_RECORD_GONE);
    notice.set_count(2);
    v1::Progress& progress = *running.mutable_progress();
    progress.mutable_elapsed()->set_seconds(42);
    progress.set_waiting_for(v1::WAIT_REASON_QUOTA);
    progress.mutable_quota()->set_limit(1666);
    progress.mutable_quota()->set_remaining(416);
    progress.mutable_requests()->set_sent(430);
    progress.mutable_requests()->set_retries(5);
    progress.mutable_requests_planned()->set_likely(1700);
    progress.mutable_remaining()->set_seconds(190);
    progress.mutable_time_spent()->mutable_quota()->set_seconds(30);
    progress.mutable_time_spent()->mutable_intercom()->set_seconds(9);
    progress.mutable_time_spent()->mutable_cpu()->set_seconds(3);
    v1::TableProgress& users = *progress.add_tables();
    users.set_table("users");
    users.set_rows(1050);
    users.set_rows_expected(2000);
    users.set_requests(7);
    v1::TableProgress& tags = *progress.add_tables();
    tags.set_table("tags");
    tags.set_rows(12);
    tags.set_requests(1);
    tags.set_done(true);

    v1::ExtractionStatus& ended = *fake_.extractions.add_ended();
    ended.set_id("0000000000000001");
    ended.set_connection("acme");
    ended.mutable_started_at()->set_seconds(kStart - 100);
    ended.mutable_ended_at()->set_seconds(kStart - 92);
    ended.set_code(14);
    ended.set_reason("SERVER_STOPPING");
  }

  // A terminal whose user interrupts as soon as something is drawn.
  void WatchOnTerminal(int columns, int lines) {
    fake_.console.out_is_terminal = true;
    fake_.console.columns = [columns] { return columns; };
    fake_.console.lines = [lines] { return lines; };
    fake_.console.out = [this](absl::string_view text) {
      fake_.out.append(text.data(), text.size());
      if (absl::StrContains(text, "\x1b[H")) fake_.interrupt.Cancel();
      return true;
    };
  }

  Outcome Run() { return RunTop(options_, fake_.api.get(), fake_.console); }

  static constexpr int64_t kStart = 1714550400;  // 2024-05-01T08:00:00Z
  FakeExtractor fake_;
  TopOptions options_;
};

TEST_F(TopCommandTest, SaysWhatRunsHowFastAndWhereTheTimeGoes) {
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.out,
            "server 127.0.0.1:50051  08:00:42 UTC  1 running\n"
            "\n"
            "acme  waiting for the quota  0:42  1,062 rows  120 rows/s  id 00c0ffee00c0ffee\n"
            "requests  [==========                              ] 425 of about 1,700, about 3:10 "
            "left\n"
            "quota     [==============================          ] 1,250 of 1,666 used in this "
            "window\n"
            "time      quota 71 %  Intercom 21 %  reader 0 %  working 7 %\n"
            "          last checkpoint 0:03 ago, 1.4 kB wait for the reader, 2 notices\n"
            "table   rows  of about  rows/s  requests\n"
            "users  1,050     2,000     120         7\n"
            "tags      12                 0         1  done\n"
            "\n"
            "ended     connection  rows  took  result\n"
            "07:58:28  acme           0  0:08  SERVER_STOPPING\n");
  EXPECT_EQ(fake_.connection, "");
}

TEST_F(TopCommandTest, BeforeThePlanIsKnownThereIsNoBar) {
  v1::Progress& progress = *fake_.extractions.mutable_running(0)->mutable_progress();
  progress.clear_requests_planned();
  progress.clear_remaining();
  progress.clear_quota();
  Run();
  EXPECT_THAT(fake_.out, AllOf(HasSubstr("requests  425\n"), Not(HasSubstr("quota     ["))));
}

TEST_F(TopCommandTest, AServerThatDoesNothingSaysSo) {
  fake_.extractions.clear_running();
  fake_.extractions.clear_ended();
  Run();
  EXPECT_EQ(fake_.out, "server 127.0.0.1:50051  08:00:42 UTC  nothing runs\n");
}

TEST_F(TopCommandTest, JsonIsOneObject) {
  options_.json = true;
  options_.only_connection = "acme";
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.connection, "acme");
  EXPECT_EQ(
      fake_.out,
      R"({"time":"2024-05-01T08:00:42Z","running":[{"id":"00c0ffee00c0ffee","connection":"acme",)"
      R"("caller":"","started_at":"2024-05-01T08:00:00Z","elapsed_seconds":42,)"
      R"("waiting_for":"quota","time_spent_seconds":{"quota":30,"intercom":9,"consumer":0,"cpu":3},)"
      R"("quota":{"limit":1666,"remaining":416},"requests":{"sent":430,"retries":5,)"
      R"("rate_limited":0,"pending":0,"planned":1700},"remaining_seconds":190,)"
      R"("checkpoint_age_seconds":3,"buffered_bytes":1400,"rows":1062,"rows_per_second":120.4,)"
      R"("tables":[{"table":"users","rows":1050,"rows_expected":2000,"rows_per_second":120.4,)"
      R"("requests":7,"done":false},{"table":"tags","rows":12,"rows_expected":null,)"
      R"("rows_per_second":0,"requests":1,"done":true}],)"
      R"("notices":[{"table":"notes","reason":"RECORD_GONE","count":2}]}],)"
      R"("ended":[{"id":"0000000000000001","connection":"acme","caller":"",)"
      R"("started_at":"2024-05-01T07:58:20Z","ended_at":"2024-05-01T07:58:28Z",)"
      R"("code":"UNAVAILABLE","reason":"SERVER_STOPPING","elapsed_seconds":0,"waiting_for":null,)"
      R"("time_spent_seconds":{"quota":0,"intercom":0,"consumer":0,"cpu":0},"quota":null,)"
      R"("requests":{"sent":0,"retries":0,"rate_limited":0,"pending":0,"planned":null},)"
      R"("remaining_seconds":null,"checkpoint_age_seconds":null,"buffered_bytes":0,"rows":0,)"
      R"("rows_per_second":0,"tables":[],"notices":[]}]})"
      "\n");
}

TEST_F(TopCommandTest, OnATerminalItIsDrawnUntilTheUserInterrupts) {
  WatchOnTerminal(80, 24);
  fake_.console.color = true;
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.out, AllOf(StartsWith("\x1b[?1049h"), EndsWith("\x1b[?1049l"),
                               HasSubstr("\x1b[H"
                                         "server 127.0.0.1"),
                               HasSubstr("\x1b[32m====")));
}

TEST_F(TopCommandTest, LinesFitTheTerminal) {
  WatchOnTerminal(80, 6);
  Run();
  EXPECT_THAT(fake_.out, AllOf(HasSubstr("... 8 more lines"), Not(HasSubstr("users  1,050"))));
}

TEST_F(TopCommandTest, LongLinesAreCut) {
  WatchOnTerminal(40, 24);
  Run();
  EXPECT_THAT(fake_.out, HasSubstr("acme  waiting for the quota  0:42  1,062\x1b[K"));
}

TEST_F(TopCommandTest, WhatAServerSaysCannotSteerTheTerminal) {
  fake_.extractions.mutable_running(0)->set_connection("a\x1b[2J");
  fake_.extractions.mutable_running(0)->mutable_progress()->mutable_tables(0)->set_table(
      "\x1b]0;x");
  Run();
  EXPECT_THAT(fake_.out, Not(HasSubstr("\x1b")));
}

TEST_F(TopCommandTest, ErrorsHaveTheirCodes) {
  fake_.list_status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "no route");
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
  EXPECT_EQ(fake_.out, "");
  fake_.list_status = grpc::Status::OK;
  fake_.out_works = false;
  EXPECT_EQ(Run().code, ExitCode::kOutput);
}

}  // namespace
}  // namespace intercom_extractor

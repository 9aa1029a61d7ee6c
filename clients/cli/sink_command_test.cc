#include "clients/cli/sink_command.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clients/cli/fake_extractor.h"
#include "clients/sinks/fake_sink.h"
#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class SinkCommandTest : public ::testing::Test {
 protected:
  SinkCommandTest() {
    options_.sink = "fake://database";
    options_.sink_id = "crm";
    options_.tables = {"users"};
    timing_.now = [this] { return now_; };
    timing_.wait = [this](absl::Duration wait) {
      now_ += wait;
      return false;
    };
    timing_.random = [] { return 0.0; };
  }

  // `prepare` makes the sink lose what a test wants lost.
  Outcome Run(const std::function<void(FakeSink*)>& prepare = nullptr) {
    fake_.err.clear();
    fake_.out.clear();
    const SinkMaker make = [&](const ExtractOptions&, const auto& tables, const auto&) {
      made_for_.clear();
      for (const v1::TableDescription& table : tables) made_for_.push_back(table.table().name());
      auto sink = std::make_unique<FakeSink>(&store_);
      if (prepare) prepare(sink.get());
      return absl::StatusOr<std::unique_ptr<Sink>>(std::move(sink));
    };
    return RunSink(options_, fake_.api.get(), fake_.console, timing_, make);
  }

  void ScriptUsers(const std::vector<std::string>& ids) {
    fake_.AddUsers(ids);
    fake_.AddCheckpoint(1, {{"users", static_cast<int64_t>(ids.size())}});
    fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, static_cast<int64_t>(ids.size()));
    fake_.SetStartedAt(1'700'000'000);
  }

  // A call that brings user a, and breaks off; and one that goes on from there.
  void ScriptInterruptedRun() {
    fake_.AddUsers({"a"});
    fake_.AddCheckpoint(1, {{"users", 1}});
    fake_.status = grpc::Status(grpc::StatusCode::INTERNAL, "broken");
    fake_.NextCall();
    fake_.AddUsers({"b"});
    fake_.AddCheckpoint(2, {{"users", 1}});
    fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 2);
  }

  absl::Time now_ = absl::FromUnixSeconds(1'750'000'000);
  FakeStore store_;
  FakeExtractor fake_;
  ExtractOptions options_;
  ExtractTiming timing_;
  std::vector<std::string> made_for_;
};

TEST_F(SinkCommandTest, RowsAreInTheSinkAndTheSummarySaysSo) {
  ScriptUsers({"a", "b"});
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_THAT(store_.users, ElementsAre("a", "b"));
  EXPECT_THAT(made_for_, ElementsAre("users"));
  EXPECT_THAT(fake_.err, HasSubstr("rows are in the fake database"));
  EXPECT_EQ(fake_.out, "");
}

TEST_F(SinkCommandTest, TheSummaryForProgramsGoesToStandardOutput) {
  options_.json = true;
  ScriptUsers({"a"});
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.out, AllOf(HasSubstr("the fake database"), HasSubstr("users")));
  fake_.out_works = false;
  EXPECT_EQ(Run().code, ExitCode::kOutput);
}

TEST_F(SinkCommandTest, ATableThatTheServerLacksIsAMistakeAndNoSinkIsMade) {
  options_.tables = {"unicorns"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, HasSubstr("unicorns"));
  EXPECT_THAT(made_for_, ElementsAre());
}

TEST_F(SinkCommandTest, ListedColumnsAreAskedForAndUnknownOnesAreAMistake) {
  options_.column_names = {"emial"};
  const Outcome refused = Run();
  EXPECT_EQ(refused.code, ExitCode::kUsage);
  EXPECT_THAT(refused.message, HasSubstr("did you mean \"email\"?"));
  EXPECT_THAT(made_for_, ElementsAre());
  options_.column_names = {"email"};
  ScriptUsers({"a"});
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  ASSERT_EQ(fake_.request.columns_size(), 1);
  EXPECT_EQ(fake_.request.columns(0), "email");
}

TEST_F(SinkCommandTest, AUrlThatCannotBeReadIsAMistakeAndIsNotShown) {
  options_.sink = "postgresql://etl:hunter2@a@b/crm";
  const Outcome outcome = RunSink(options_, fake_.api.get(), fake_.console, timing_);
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("--sink"), Not(HasSubstr("hunter2"))));
}

TEST_F(SinkCommandTest, RunAgainItGoesOnWhereTheServerBrokeOff) {
  ScriptInterruptedRun();
  const Outcome broken = Run();
  EXPECT_NE(broken.code, ExitCode::kComplete);
  EXPECT_THAT(broken.message, HasSubstr("run again to go on from checkpoint 1"));
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.request.resume_token(), "token 1");
  EXPECT_THAT(store_.users, ElementsAre("a", "b"));
  EXPECT_THAT(fake_.err, HasSubstr("goes on from checkpoint 1"));
}

TEST_F(SinkCommandTest, AWarningBeforeTheBreakStillMakesTheRunPartial) {
  v1::Notice* notice = fake_.Add()->mutable_notice();
  notice->set_severity(v1::SEVERITY_WARNING);
  notice->set_message("contact 7: notes could not be read");
  ScriptInterruptedRun();
  Run();
  EXPECT_EQ(Run().code, ExitCode::kPartial);
  EXPECT_THAT(fake_.err, Not(HasSubstr("contact 7")));
}

TEST_F(SinkCommandTest, RowsThatGotLostOnTheWayDoNotGoUnnoticed) {
  ScriptInterruptedRun();
  fake_.events.back().mutable_summary()->mutable_tables(0)->set_rows(3);
  Run();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kPartial);
  EXPECT_THAT(outcome.message, HasSubstr("2 of 3 rows arrived"));
}

TEST_F(SinkCommandTest, ASinkThatStaysAwayEndsWithSixAndCanBeGoneOnWith) {
  fake_.AddUsers({"a"});
  fake_.AddCheckpoint(1, {{"users", 1}});
  fake_.AddUsers({"b"});
  fake_.AddCheckpoint(2, {{"users", 1}});
  fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 2);
  const Outcome outcome = Run([](FakeSink* sink) {
    sink->lose_writes = 2;
    sink->lost_opens = 1000;
  });
  EXPECT_EQ(outcome.code, ExitCode::kOutput);
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("the fake database does not answer"),
                                     HasSubstr("run again to go on from checkpoint 1")));
  EXPECT_THAT(fake_.err, HasSubstr("tries again in"));
}

TEST_F(SinkCommandTest, TheOlderOfTwoInstancesEndsWithSixAndIsNotToGoOn) {
  ScriptUsers({"a"});
  const Outcome outcome = Run([](FakeSink* sink) { sink->taken_over = true; });
  EXPECT_EQ(outcome.code, ExitCode::kOutput);
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("another instance"), Not(HasSubstr("run again"))));
  EXPECT_THAT(store_.users, ElementsAre());
}

TEST_F(SinkCommandTest, AnIncrementalRunReadsSinceTheLastOneBegan) {
  ScriptUsers({"a"});
  options_.incremental.last = true;
  options_.incremental.overlap = absl::Seconds(60);
  const Outcome first = Run();
  EXPECT_EQ(first.code, ExitCode::kUsage);
  EXPECT_THAT(first.message, HasSubstr("no run with sink id crm has read users to its end"));
  options_.incremental.last = false;
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  options_.incremental.last = true;
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.request.updated_since().seconds(), 1'700'000'000 - 60);
  EXPECT_TRUE(fake_.request.with_parents());
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/sinks/sink_run.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "clients/cpp/scripted_extractor.h"
#include "clients/sinks/fake_sink.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SinkRunTest : public ::testing::Test {
 protected:
  SinkRunTest() { request_.add_tables("users"); }

  SinkRunOptions Options() {
    SinkRunOptions options;
    options.timing.now = [this] { return now_; };
    options.timing.wait = [this](absl::Duration wait) {
      now_ += wait;
      return false;
    };
    options.timing.random = [] { return 0.0; };
    options.on_note = [this](const std::string& note) { notes_.push_back(note); };
    options.on_position = [this](const sinks::SinkPosition& position) {
      positions_.push_back(position.checkpoint());
    };
    return options;
  }

  SinkRunResult Run(FakeSink* sink) {
    SinkRun run(extractor_.NewClient(), sink, Options());
    EXPECT_TRUE(run.Open().ok());
    return run.Run(request_);
  }

  // Checkpoints 1 and 2 with a user each, and the summary.
  void ScriptTwoCheckpoints() {
    extractor_.AddUsers({"a"});
    extractor_.AddCheckpoint(1, {{"users", 1}});
    extractor_.AddUsers({"b"});
    extractor_.AddCheckpoint(2, {{"users", 1}});
    extractor_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 2);
  }

  // What a server gives after checkpoint 1.
  void ScriptRest() {
    extractor_.NextCall();
    extractor_.AddUsers({"b"});
    extractor_.AddCheckpoint(2, {{"users", 1}});
    extractor_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 2);
  }

  absl::Time now_ = absl::FromUnixSeconds(1'750'000'000);
  FakeStore store_;
  ScriptedExtractor extractor_;
  v1::ExtractRequest request_;
  std::vector<std::string> notes_;
  std::vector<int64_t> positions_;
};

TEST_F(SinkRunTest, EachCheckpointIsACommitAndTheSummaryTheLast) {
  ScriptTwoCheckpoints();
  extractor_.SetStartedAt(1'700'000'000);
  FakeSink sink(&store_);
  const SinkRunResult result = Run(&sink);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_THAT(store_.users, ElementsAre("a", "b"));
  EXPECT_EQ(store_.commits, 3);
  EXPECT_TRUE(store_.position.complete());
  EXPECT_EQ(store_.position.resume_token(), "token 2");
  EXPECT_EQ(store_.position.rows().at("users"), 2);
  EXPECT_EQ(store_.position.read_at().at("users"), 1'700'000'000);
}

TEST_F(SinkRunTest, CheckpointsSoonAfterACommitShareTheNextOne) {
  ScriptTwoCheckpoints();
  FakeSink sink(&store_);
  sink.interval = absl::Seconds(1);
  EXPECT_TRUE(Run(&sink).status.ok());
  EXPECT_THAT(store_.users, ElementsAre("a", "b"));
  // The first, the second as the stream ends, and the summary.
  EXPECT_EQ(store_.commits, 3);
}

TEST_F(SinkRunTest, GoesOnFromTheLastCommitOfAnotherProcess) {
  extractor_.AddUsers({"a"});
  extractor_.AddCheckpoint(1, {{"users", 1}});
  extractor_.AddUsers({"lost"});
  extractor_.status = grpc::Status(grpc::StatusCode::INTERNAL, "broken");
  ScriptRest();
  FakeSink first(&store_);
  EXPECT_EQ(Run(&first).status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(store_.users, ElementsAre("a"));
  FakeSink second(&store_);
  EXPECT_TRUE(Run(&second).status.ok());
  EXPECT_EQ(extractor_.request.resume_token(), "token 1");
  EXPECT_EQ(second.begun, 0);
  EXPECT_THAT(store_.users, ElementsAre("a", "b"));
}

TEST_F(SinkRunTest, ALostServerIsMetAgainWithoutTheSinkTakingNotice) {
  extractor_.AddUsers({"a"});
  extractor_.AddCheckpoint(1, {{"users", 1}});
  extractor_.AddUsers({"b"});
  extractor_.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  ScriptRest();
  FakeSink sink(&store_);
  EXPECT_TRUE(Run(&sink).status.ok());
  EXPECT_THAT(store_.users, ElementsAre("a", "b"));
  EXPECT_EQ(sink.opened, 1);
}

TEST_F(SinkRunTest, ALostSinkIsOpenedAgainAndRowsSinceItsLastCommitCome) {
  ScriptTwoCheckpoints();
  ScriptRest();
  FakeSink sink(&store_);
  sink.lose_writes = 2;
  sink.lost_opens = 3;
  EXPECT_TRUE(Run(&sink).status.ok());
  EXPECT_THAT(store_.users, ElementsAre("a", "b"));
  EXPECT_EQ(extractor_.request.resume_token(), "token 1");
  EXPECT_THAT(positions_, ElementsAre(0, 1));
  EXPECT_EQ(sink.opened, 5);
  EXPECT_THAT(notes_.front(), HasSubstr("lost the connection to the fake database"));
}

TEST_F(SinkRunTest, ACommitThatWasDoneBeforeTheSinkWasLostIsNotRepeated) {
  ScriptTwoCheckpoints();
  ScriptRest();
  extractor_.NextCall();
  extractor_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 2);
  FakeSink sink(&store_);
  sink.commits_get_lost = true;
  const SinkRunResult result = Run(&sink);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_TRUE(result.summary.has_value());
  EXPECT_THAT(store_.users, ElementsAre("a", "b"));
  EXPECT_EQ(store_.commits, 3);
}

TEST_F(SinkRunTest, ASinkThatDoesNotComeBackEndsTheRun) {
  ScriptTwoCheckpoints();
  FakeSink sink(&store_);
  sink.lose_writes = 2;
  sink.lost_opens = 1000;
  const SinkRunResult result = Run(&sink);
  EXPECT_TRUE(result.of_sink);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(store_.users, ElementsAre("a"));
}

TEST_F(SinkRunTest, TheOlderOfTwoInstancesIsFencedAndWritesNothingMore) {
  ScriptTwoCheckpoints();
  FakeSink older(&store_);
  SinkRun run(extractor_.NewClient(), &older, Options());
  EXPECT_TRUE(run.Open().ok());
  FakeSink newer(&store_);
  EXPECT_TRUE(newer.Open().ok());
  const SinkRunResult result = run.Run(request_);
  EXPECT_TRUE(result.of_sink);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store_.commits, 0);
}

TEST_F(SinkRunTest, AnotherRequestBeginsAnew) {
  ScriptTwoCheckpoints();
  store_.position.set_request("another");
  store_.position.set_resume_token("of another");
  FakeSink sink(&store_);
  EXPECT_TRUE(Run(&sink).status.ok());
  EXPECT_EQ(sink.begun, 1);
  EXPECT_THAT(extractor_.requests.front().resume_token(), IsEmpty());
}

TEST_F(SinkRunTest, ACompleteRunIsFollowedByANewOne) {
  ScriptTwoCheckpoints();
  FakeSink first(&store_);
  EXPECT_TRUE(Run(&first).status.ok());
  FakeSink second(&store_);
  EXPECT_TRUE(Run(&second).status.ok());
  EXPECT_EQ(second.begun, 1);
  EXPECT_THAT(extractor_.request.resume_token(), IsEmpty());
}

TEST_F(SinkRunTest, AWarningBeforeTheProcessDiedIsRememberedAndTheNextRunIsFreeOfIt) {
  extractor_.Add()->mutable_notice()->set_severity(v1::SEVERITY_WARNING);
  extractor_.AddUsers({"a"});
  extractor_.AddCheckpoint(1, {{"users", 1}});
  extractor_.status = grpc::Status(grpc::StatusCode::INTERNAL, "broken");
  ScriptRest();
  FakeSink first(&store_);
  EXPECT_FALSE(Run(&first).status.ok());
  EXPECT_TRUE(store_.position.saw_warning());
  FakeSink second(&store_);
  EXPECT_TRUE(Run(&second).position.saw_warning());
  EXPECT_TRUE(store_.position.saw_warning());
  FakeSink third(&store_);
  EXPECT_FALSE(Run(&third).position.saw_warning());
}

TEST_F(SinkRunTest, ARestartVoidsCommittedRowsWithTheNextCommit) {
  extractor_.AddUsers({"a"});
  extractor_.AddCheckpoint(1, {{"users", 1}});
  extractor_.AddRestart("users", 2);
  extractor_.AddUsers({"c"}, 2);
  extractor_.AddCheckpoint(2, {{"users", 1}}, 2);
  extractor_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 1);
  FakeSink sink(&store_);
  EXPECT_TRUE(Run(&sink).status.ok());
  EXPECT_THAT(store_.users, ElementsAre("c"));
  EXPECT_EQ(store_.position.rows().at("users"), 1);
  EXPECT_EQ(store_.position.generations().at("users"), 2);
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cli/run_state.h"
#include "clients/cli/scripted_run.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What a run does about a server that it has lost.
using ExtractReconnectTest = ScriptedRunTest;

TEST_F(ExtractReconnectTest, LostServerIsCalledAgainFromTheLastCheckpoint) {
  ConnectRemotely();
  ScriptInterruptedCall();
  ScriptLastCall();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_EQ(ReadAll(Out("tags.csv")), kAllRows);
  EXPECT_THAT(Tokens(), ElementsAre("", "token 1"));
  EXPECT_THAT(waits_, ElementsAre(1));
  EXPECT_THAT(fake_.err, HasSubstr("note: lost the connection to server extractor:1 (Socket "
                                   "closed); goes on from checkpoint 1 in 1s, try 1 of 5"));
}

TEST_F(ExtractReconnectTest, ServerThatStopsIsALostConnection) {
  ConnectRemotely();
  ScriptInterruptedCall(WithReason(grpc::StatusCode::UNAVAILABLE, "SERVER_STOPPING"));
  ScriptLastCall();
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), kAllRows);
  EXPECT_THAT(Tokens(), ElementsAre("", "token 1"));
}

TEST_F(ExtractReconnectTest, StreamThatReachedTheServersLimitGoesOn) {
  ConnectRemotely();
  ScriptInterruptedCall(WithReason(grpc::StatusCode::UNAVAILABLE, "CONNECTION_AGE"));
  ScriptLastCall();
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), kAllRows);
  EXPECT_THAT(Tokens(), ElementsAre("", "token 1"));
}

TEST_F(ExtractReconnectTest, CallThatAStoppingServerCancelsIsALostConnection) {
  ConnectRemotely();
  ScriptInterruptedCall(grpc::Status(grpc::StatusCode::CANCELLED, "CANCELLED"));
  ScriptLastCall();
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), kAllRows);
}

TEST_F(ExtractReconnectTest, LostServerIsGivenUpAfterFiveTriesWithoutProgress) {
  ConnectRemotely();
  ScriptInterruptedCall();
  fake_.AddTags({"late"});  // Rows alone are no progress: they come again.
  fake_.status = Lost();
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUnreachable);
  EXPECT_THAT(outcome.message, HasSubstr("--resume to go on from checkpoint 1 (2 rows)"));
  EXPECT_THAT(waits_, ElementsAre(1, 2, 4, 8, 16));
  EXPECT_EQ(fake_.requests.size(), 6u);
  EXPECT_EQ(State().rows(), 2);
}

TEST_F(ExtractReconnectTest, ProgressGivesALostServerAllTriesBack) {
  ConnectRemotely();
  ScriptInterruptedCall();
  fake_.status = Lost();
  fake_.NextCall();
  fake_.AddTags({"late"});
  fake_.AddCheckpoint(2, {{"tags", 1}});
  fake_.status = Lost();
  fake_.NextCall();
  fake_.AddTags({"later", "last"});
  fake_.AddCheckpoint(3, {{"tags", 2}});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 5);
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), kAllRows);
  EXPECT_THAT(waits_, ElementsAre(1, 2, 1));
  EXPECT_THAT(Tokens(), ElementsAre("", "token 1", "token 1", "token 2"));
}

TEST_F(ExtractReconnectTest, ConnectionLostBeforeTheFirstCheckpointIsNotTriedAgain) {
  ConnectRemotely();
  fake_.AddTags({"a"});
  fake_.status = Lost();
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
  EXPECT_EQ(fake_.requests.size(), 1u);
}

TEST_F(ExtractReconnectTest, WhatTheServerSaysOfIntercomIsNoLostConnection) {
  ConnectRemotely();
  ScriptInterruptedCall(WithReason(grpc::StatusCode::UNAVAILABLE, "INTERCOM_UNREACHABLE"));
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
  EXPECT_EQ(fake_.requests.size(), 1u);
}

TEST_F(ExtractReconnectTest, EmbeddedServerIsNotCalledAgain) {
  ScriptInterruptedCall();
  ScriptLastCall();
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
  EXPECT_EQ(fake_.requests.size(), 1u);
}

TEST_F(ExtractReconnectTest, InterruptWhileWaitingForALostServerEndsTheRun) {
  ConnectRemotely();
  ScriptInterruptedCall();
  on_wait_ = [&] { fake_.interrupt.Cancel(); };
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kInterrupted);
  EXPECT_THAT(outcome.message, HasSubstr("--resume to go on from checkpoint 1"));
  EXPECT_EQ(fake_.requests.size(), 1u);
}

TEST_F(ExtractReconnectTest, ServerThatRefusesTheTokenAfterALossEndsWithTwo) {
  ConnectRemotely();
  ScriptInterruptedCall();
  fake_.status = WithReason(grpc::StatusCode::FAILED_PRECONDITION, "RESUME_TOKEN_INVALID");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, HasSubstr("server extractor:1 cannot continue this run"));
}

}  // namespace
}  // namespace intercom_extractor

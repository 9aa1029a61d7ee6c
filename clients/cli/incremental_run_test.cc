#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clients/cli/run_state.h"
#include "clients/cli/scripted_nights.h"
#include "clients/cli/state_file.h"
#include "clients/cli/test_files.h"
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

using IncrementalRunTest = ScriptedNightsTest;

TEST_F(IncrementalRunTest, LastReadsWhatChangedSinceTheRunBeforeIntoDeltaFiles) {
  ScriptNight(1, {"a", "b"});
  ScriptNight(2, {"b", "c"});
  ASSERT_EQ(RunFull().code, ExitCode::kComplete);
  EXPECT_EQ(ReadUntil("users"), Night(1));
  const std::string full = ReadAll(Out("users.csv"));
  const Outcome outcome = RunLast();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_THAT(Asked(), ElementsAre(0, Night(1) - 3600));
  EXPECT_EQ(ReadAll(Out("users.csv")), full);
  EXPECT_EQ(Ids("users.csv"), "a b ");
  EXPECT_EQ(Ids("users.delta.csv"), "b c ");
  EXPECT_EQ(ReadAll(Out("tags.delta.csv")), "type,id,name\n");
  EXPECT_EQ(ReadUntil("users"), Night(2));
  EXPECT_EQ(ReadUntil("tags"), Night(2));
  EXPECT_FALSE(Exists(Out(".partial")));
  EXPECT_THAT(fake_.err, HasSubstr("incremental: reads what changed since 2023-11-14T21:13:20Z"));
  EXPECT_THAT(fake_.err, HasSubstr("incremental: what changed since 2023-11-14T21:13:20Z\n"));
}

TEST_F(IncrementalRunTest, DeltaFilesHaveTheFormatAndCompressionThatWereAskedFor) {
  options_.gzip = true;
  options_.format = RowFormat::kJsonl;
  options_.json = true;
  ScriptNight(2, {"b"});
  EXPECT_EQ(RunSince(Night(1)).code, ExitCode::kComplete);
  EXPECT_THAT(Gunzip(Out("users.delta.jsonl.gz")), HasSubstr(R"("id":"b")"));
  EXPECT_THAT(fake_.out, HasSubstr(R"("updated_since":"2023-11-14T22:13:20Z")"));
}

TEST_F(IncrementalRunTest, LastWithoutARunBeforeEndsWithTwoAndChangesNothing) {
  EXPECT_EQ(RunLast().code, ExitCode::kUsage);
  EXPECT_FALSE(Exists(StatePath()));

  ScriptNight(1, {"a"});
  ASSERT_EQ(RunFull().code, ExitCode::kComplete);
  const std::string state = ReadAll(StatePath());
  options_.tables = {"users", "tags", "notes", "leads"};
  const Outcome outcome = RunLast();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, HasSubstr("no run has read notes, leads to the end yet; make a full "
                                         "run of these tables first"));
  EXPECT_EQ(ReadAll(StatePath()), state);
  EXPECT_THAT(Asked(), ElementsAre(0));
}

TEST_F(IncrementalRunTest, TableThatEndsPartialComesAgainAndTheCommandSaysSo) {
  ScriptNight(1, {"a"});
  ScriptNight(2, {"b"}, v1::TABLE_STATUS_PARTIAL);
  ScriptNight(3, {"b"});
  RunFull();
  EXPECT_EQ(RunLast().code, ExitCode::kPartial);
  EXPECT_EQ(ReadUntil("users"), Night(1));
  EXPECT_EQ(ReadUntil("tags"), Night(2));
  EXPECT_THAT(fake_.err, HasSubstr("note: not read to the end: users; --updated-since last begins "
                                   "next time where it would have begun"));
  std::filesystem::remove(Out("users.delta.csv"));
  EXPECT_EQ(RunLast().code, ExitCode::kComplete);
  EXPECT_THAT(Asked(), ElementsAre(0, Night(1) - 3600, Night(1) - 3600));
}

TEST_F(IncrementalRunTest, TableWhoseRowsWereLostOnTheWayKeepsItsBookmark) {
  ScriptNight(1, {"a"});
  fake_.AddUsers({"b"});
  ScriptEnd(2, 2);
  RunFull();
  EXPECT_EQ(RunLast().code, ExitCode::kPartial);
  EXPECT_EQ(ReadUntil("users"), Night(1));
}

TEST_F(IncrementalRunTest, DeltaFilesThatNobodyTookAreCoveredByTheNextOnes) {
  ScriptNight(1, {"a"});
  ScriptNight(2, {"b"});
  ScriptNight(3, {"b", "c"});
  ScriptNight(4, {"d"});
  RunFull();
  RunLast();
  RunLast();
  EXPECT_THAT(fake_.err, HasSubstr("may not have been loaded: this run begins where that one did"));
  EXPECT_EQ(Ids("users.delta.csv"), "b c ");
  std::filesystem::rename(Out("users.delta.csv"), Out("loaded"));
  RunLast();
  EXPECT_THAT(fake_.err, Not(HasSubstr("may not have been loaded")));
  EXPECT_THAT(Asked(), ElementsAre(0, Night(1) - 3600, Night(1) - 3600, Night(3) - 3600));
}

TEST_F(IncrementalRunTest, BookmarksSurviveRunsThatWereInterrupted) {
  ScriptNight(1, {"a"});
  fake_.status = Lost();
  fake_.NextCall();
  fake_.AddUsers({"b"});
  fake_.AddCheckpoint(1, {{"users", 1}});
  fake_.status = Lost();
  fake_.NextCall();
  ScriptNight(2, {"b"});
  RunFull();
  // Before its first checkpoint, after it, and a full run in between.
  EXPECT_EQ(RunLast().code, ExitCode::kUnreachable);
  EXPECT_EQ(ReadUntil("users"), Night(1));
  EXPECT_EQ(RunFull().code, ExitCode::kUnreachable);
  EXPECT_EQ(State().checkpoint, 1);
  EXPECT_EQ(ReadUntil("users"), Night(1));
  EXPECT_EQ(RunLast().code, ExitCode::kComplete);
  EXPECT_THAT(Asked(), ElementsAre(0, Night(1) - 3600, 0, Night(1) - 3600));
  EXPECT_EQ(ReadUntil("users"), Night(2));
}

TEST_F(IncrementalRunTest, ResumeAsksForExactlyWhatTheRunBeforeAskedFor) {
  ScriptNight(1, {"a"});
  fake_.AddUsers({"b"});
  fake_.AddCheckpoint(1, {{"users", 1}});
  fake_.AddUsers({"late"});
  fake_.status = Lost();
  fake_.NextCall();
  fake_.AddUsers({"late"});
  ScriptEnd(2, 2);
  RunFull();
  options_.incremental.find_deleted = true;
  EXPECT_EQ(RunLast().code, ExitCode::kUnreachable);
  // Neither the clock nor files that come and go have a say now.
  WriteAll(Out("users.delta.csv"), "");
  const Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_THAT(Asked(), ElementsAre(0, Night(1) - 3600, Night(1) - 3600));
  EXPECT_THAT(Tokens(), ElementsAre("", "", "token 1"));
  EXPECT_TRUE(fake_.requests[1].find_deleted() && fake_.requests[2].find_deleted());
  EXPECT_EQ(Ids("users.delta.csv"), "b late ");
  EXPECT_EQ(ReadUntil("users"), Night(2));
}

TEST_F(IncrementalRunTest, ResumeNeedsTheSameIncrementalFlags) {
  ScriptNight(1, {"a"});
  fake_.AddUsers({"b"});
  fake_.AddCheckpoint(1, {{"users", 1}});
  fake_.status = Lost();
  RunFull();
  RunLast();
  const IncrementalOptions first = options_.incremental;
  options_.incremental.last = false;
  EXPECT_THAT(Resume().message, HasSubstr("--updated-since was last and is not given now"));
  options_.incremental.since = absl::FromUnixSeconds(Night(1) - 3600);
  EXPECT_THAT(Resume().message,
              HasSubstr("--updated-since was last and is 2023-11-14T21:13:20Z now"));
  options_.incremental = first;
  options_.incremental.overlap = absl::Hours(2);
  EXPECT_THAT(Resume().message, HasSubstr("--overlap was 1h and is 2h now"));
  options_.incremental = first;
  options_.incremental.find_deleted = true;
  EXPECT_THAT(Resume().message, HasSubstr("--find-deleted was not given and is given now"));
  EXPECT_EQ(fake_.requests.size(), 2u);
}

TEST_F(IncrementalRunTest, CompleteRunIsNotRepeatedAndStillSaysWhatItRead) {
  options_.json = true;
  ScriptNight(2, {"b"});
  RunSince(Night(1));
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.out, HasSubstr(R"("updated_since":"2023-11-14T22:13:20Z")"));
  EXPECT_EQ(fake_.requests.size(), 1u);
}

TEST_F(IncrementalRunTest, ResumeWithoutACheckpointBeginsAnew) {
  ScriptNight(1, {"a"});
  fake_.status = Lost();
  fake_.NextCall();
  ScriptNight(2, {"b"});
  RunFull();
  RunLast();
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.err, HasSubstr("there is no checkpoint in " + StatePath()));
  EXPECT_THAT(Asked(), ElementsAre(0, Night(1) - 3600, Night(1) - 3600));
}

// A run that was killed when it was about to move its files.
TEST_F(IncrementalRunTest, FilesThatWereNotMovedAreBeforeTheNextRunOrDoNotCountAsRead) {
  for (const bool elsewhere : {false, true}) {
    SCOPED_TRACE(elsewhere);
    options_.state = directory_.Path(absl::StrCat("state", elsewhere));
    options_.output = directory_.Path(absl::StrCat("out", elsewhere));
    ScriptNight(1, {"a"});
    ScriptNight(2, {"b"});
    ScriptNight(3, {"c"});
    RunFull();
    const Bookmarks first = ReadStateFile(options_.state)->bookmarks;
    RunLast();
    RunState state = *ReadStateFile(options_.state);
    state.phase = RunState::Phase::kMoving;
    state.next_bookmarks = state.bookmarks;
    state.bookmarks = first;
    ASSERT_TRUE(WriteStateFile(options_.state, state).ok());
    std::filesystem::create_directory(Out(".partial"));
    std::filesystem::rename(Out("users.delta.csv"), Out(".partial/users.delta.csv"));
    const int64_t asked = fake_.requests.back().updated_since().seconds();
    if (elsewhere) options_.output = directory_.Path("another");
    EXPECT_EQ(RunLast().code, ExitCode::kComplete);
    // Not read, or read and not loaded.
    EXPECT_EQ(fake_.requests.back().updated_since().seconds(), asked);
    const bool moved =
        fake_.err.find("put the files of the finished run before in place") != std::string::npos;
    EXPECT_EQ(moved, !elsewhere);
    EXPECT_EQ(ReadStateFile(options_.state)->bookmarks.at("users").read_until,
              absl::FromUnixSeconds(Night(3)));
  }
}

TEST_F(IncrementalRunTest, RowsCountAsReadOnlyOnceTheirFilesAreInPlace) {
  ScriptNight(1, {"a"});
  fake_.after_events = [&](grpc::ServerContext*) {
    std::filesystem::create_directory(Out("users.delta.csv"));
  };
  ScriptNight(2, {"b"});
  RunFull();
  EXPECT_EQ(RunLast().code, ExitCode::kOutput);
  EXPECT_EQ(State().phase, RunState::Phase::kMoving);
  EXPECT_EQ(ReadUntil("users"), Night(1));
  std::filesystem::remove(Out("users.delta.csv"));
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_EQ(Ids("users.delta.csv"), "b ");
  EXPECT_EQ(ReadUntil("users"), Night(2));
}

TEST_F(IncrementalRunTest, TimeLaterThanTheBookmarkLeavesIt) {
  ScriptNight(1, {"a"});
  ScriptNight(3, {"c"});
  RunFull();
  EXPECT_EQ(RunSince(Night(2)).code, ExitCode::kComplete);
  EXPECT_EQ(ReadUntil("users"), Night(1));
  EXPECT_EQ(ReadUntil("tags"), Night(3));
  EXPECT_THAT(fake_.err, HasSubstr("later than earlier ones had read users"));
}

TEST_F(IncrementalRunTest, OlderServerIsNotAskedForWhatItDoesNotKnow) {
  for (auto& table : *fake_.tables.mutable_tables()) table.mutable_table()->clear_incremental();
  const Outcome outcome = RunSince(Night(1));
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, HasSubstr("knows no incremental runs"));
  EXPECT_TRUE(fake_.requests.empty());
}

TEST_F(IncrementalRunTest, StdoutTakesWhatChanged) {
  options_.tables = {"users"};
  options_.output = "-";
  const std::string path = directory_.Path("stdout");
  FILE* file = fopen(path.c_str(), "w");
  fake_.console.data_fd = fileno(file);
  fake_.AddUsers({"b"});
  fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_EQ(RunSince(Night(1)).code, ExitCode::kComplete);
  fclose(file);
  EXPECT_THAT(Asked(), ElementsAre(Night(1)));
  EXPECT_THAT(ReadAll(path), AllOf(HasSubstr("type,id"), HasSubstr(",b,")));
}

}  // namespace
}  // namespace intercom_extractor

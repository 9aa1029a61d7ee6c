#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clients/cli/run_state.h"
#include "clients/cli/scripted_run.h"
#include "clients/cli/state_file.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// What a run continues that was interrupted.
using ExtractResumeTest = ScriptedRunTest;

TEST_F(ExtractResumeTest, ResumedRunHasEachRowOnce) {
  ScriptInterruptedCall();
  ScriptLastCall();
  Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUnreachable);
  EXPECT_THAT(outcome.message,
              HasSubstr("run again with --resume to go on from checkpoint 1 (2 rows)"));
  EXPECT_EQ(State().phase, RunState::Phase::kRunning);
  EXPECT_EQ(State().resume_token, "token 1");
  EXPECT_EQ(State().rows(), 2);
  EXPECT_FALSE(Exists(Out("tags.csv")));

  outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_EQ(ReadAll(Out("tags.csv")), kAllRows);
  EXPECT_THAT(Tokens(), ElementsAre("", "token 1"));
  EXPECT_THAT(fake_.err, HasSubstr("note: continues at checkpoint 1, 2 rows"));
  EXPECT_EQ(State().phase, RunState::Phase::kComplete);
  EXPECT_EQ(State().resume_token, "token 2");
  EXPECT_FALSE(Exists(Out(".partial")));
}

TEST_F(ExtractResumeTest, ResumedGzipFileIsWhole) {
  options_.gzip = true;
  options_.format = RowFormat::kJsonl;
  ScriptInterruptedCall();
  ScriptLastCall();
  Run();
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  const std::string content = Gunzip(Out("tags.jsonl.gz"));
  EXPECT_THAT(content, HasSubstr("\"last\""));
  EXPECT_EQ(std::count(content.begin(), content.end(), '\n'), 5);
}

TEST_F(ExtractResumeTest, TornTailIsCutBack) {
  ScriptInterruptedCall();
  ScriptLastCall();
  Run();
  WriteAll(Out(".partial/tags.csv"), ReadAll(Out(".partial/tags.csv")) + "to");
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), kAllRows);
}

TEST_F(ExtractResumeTest, FileThatLostBytesEndsWithSixAndStaysAsItIs) {
  ScriptInterruptedCall();
  ScriptLastCall();
  Run();
  const int64_t calls = static_cast<int64_t>(fake_.requests.size());
  WriteAll(Out(".partial/tags.csv"), "type,id,name\n,,a\n");
  Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kOutput);
  EXPECT_THAT(outcome.message, AllOf(HasSubstr("has 17 bytes, but 21 were written"),
                                     HasSubstr("run without --resume to begin anew")));
  std::filesystem::remove(Out(".partial/tags.csv"));
  EXPECT_THAT(Resume().message, HasSubstr("tags.csv is missing"));
  EXPECT_EQ(fake_.requests.size(), calls) << "Intercom was asked in vain";
  EXPECT_EQ(State().checkpoint, 1);
}

TEST_F(ExtractResumeTest, WithoutAStateItBeginsAnewAndSaysSo) {
  fake_.AddTags({"a"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), "type,id,name\n,,a\n");
  EXPECT_THAT(fake_.err, HasSubstr("there is no state in " + StatePath()));
  EXPECT_THAT(Tokens(), ElementsAre(""));
}

TEST_F(ExtractResumeTest, CompleteRunIsNotRepeated) {
  ScriptLastCall();
  fake_.events.back().mutable_summary()->mutable_tables(0)->set_rows(3);
  fake_.events[1].mutable_checkpoint()->set_number(1);
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  WriteAll(Out("tags.csv"), "mine");
  options_.json = true;
  const std::string state = ReadAll(StatePath());
  const Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kComplete);
  EXPECT_THAT(outcome.message, HasSubstr("nothing to continue: the run of 1970-01-01 00:00 UTC "
                                         "is complete"));
  EXPECT_EQ(ReadAll(Out("tags.csv")), "mine");
  EXPECT_EQ(ReadAll(StatePath()), state);
  EXPECT_EQ(fake_.requests.size(), 1u);
  EXPECT_THAT(fake_.out, AllOf(HasSubstr(R"("status":"complete")"), HasSubstr(R"("rows":3)")));
}

TEST_F(ExtractResumeTest, CompleteRunThatWasKilledBeforeItTidiedUpIsTidied) {
  fake_.AddTags({"a"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  std::filesystem::create_directories(Out(".partial"));
  WriteAll(Out(".partial/tags.keys"), "a\n");
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_FALSE(std::filesystem::exists(Out(".partial/tags.keys")));
  EXPECT_EQ(ReadAll(Out("tags.csv")), "type,id,name\n,,a\n");
}

TEST_F(ExtractResumeTest, RunThatEndedPartialIsNotCalledComplete) {
  fake_.AddSummary("tags", v1::TABLE_STATUS_PARTIAL, 0);
  EXPECT_EQ(Run().code, ExitCode::kPartial);
  const Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kPartial);
  EXPECT_THAT(outcome.message, HasSubstr("ended with code 4"));
}

TEST_F(ExtractResumeTest, ServerWithoutCheckpointsLeavesACompleteState) {
  fake_.AddTags({"a"});
  fake_.after_events = [&](grpc::ServerContext*) {
    EXPECT_FALSE(Exists(StatePath())) << "a state without a checkpoint";
  };
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(State().phase, RunState::Phase::kComplete);
  EXPECT_EQ(State().rows(), 1);
  EXPECT_EQ(State().resume_token, "");
}

TEST_F(ExtractResumeTest, OtherFlagsEndWithTwoAndNameTheFlag) {
  options_.table_template = v1::TEMPLATE_BASIC;
  ScriptInterruptedCall();
  Run();
  const size_t calls = fake_.requests.size();
  const std::string partial = ReadAll(Out(".partial/tags.csv"));
  const ExtractOptions first = options_;
  const std::vector<std::pair<std::function<void()>, std::string>> changes = {
      {[&] { options_.format = RowFormat::kJsonl; }, "--format was csv and is jsonl now"},
      {[&] { options_.gzip = true; }, "--gzip was not given and is given now"},
      {[&] { options_.columns = ColumnSelection::kDocumented; },
       "--columns was all and is documented now"},
      {[&] { options_.column_names = {"id", "name"}; }, "--columns was all and is id,name now"},
      {[&] { options_.body_format = v1::BODY_FORMAT_HTML; },
       "--body-format was plaintext and is html now"},
      {[&] { options_.connection.connection = "acme"; },
       "--connection was default and is acme now"},
      {[&] { options_.connection.server = "h:1"; }, "--server was not given and is given now"},
      {[&] { options_.tables = {"tags", "conversations"}; },
       "--template and --tables mean other tables now: with conversations"},
      {[&] { fake_.tables.mutable_tables(0)->mutable_columns()->RemoveLast(); },
       "the version of the tables' columns was"},
  };
  for (const auto& [change, words] : changes) {
    options_ = first;
    change();
    const Outcome outcome = Resume();
    EXPECT_EQ(outcome.code, ExitCode::kUsage) << words;
    EXPECT_THAT(outcome.message, HasSubstr(words));
    EXPECT_THAT(outcome.message, HasSubstr("run without --resume to begin anew"));
  }
  EXPECT_EQ(fake_.requests.size(), calls);
  EXPECT_EQ(ReadAll(Out(".partial/tags.csv")), partial);
  EXPECT_EQ(State().checkpoint, 1);
}

TEST_F(ExtractResumeTest, TemplateMayBeNamedByItsTables) {
  ScriptInterruptedCall();
  ScriptLastCall();
  Run();
  options_.tables = {"tags", "tags"};
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
}

TEST_F(ExtractResumeTest, DamagedStateEndsWithTwoAndIsReplacedWithoutResume) {
  ScriptInterruptedCall();
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
  Run();
  WriteAll(StatePath(), ReadAll(StatePath()).substr(1));
  Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, AllOf(HasSubstr(StatePath() + " is damaged"),
                                     HasSubstr("run without --resume to begin anew")));
  options_.resume = false;
  outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_THAT(fake_.err, HasSubstr("is damaged, or no state of this program, and is replaced"));
}

TEST_F(ExtractResumeTest, OtherFileNamedAsStateIsNotOverwritten) {
  options_.state = directory_.Path("precious");
  WriteAll(options_.state, "precious");
  EXPECT_EQ(Run().code, ExitCode::kUsage);
  EXPECT_EQ(Resume().code, ExitCode::kUsage);
  EXPECT_EQ(ReadAll(options_.state), "precious");
}

TEST_F(ExtractResumeTest, StateElsewhereNamesItsDirectory) {
  options_.state = directory_.Path("state");
  ScriptInterruptedCall();
  ScriptLastCall();
  Run();
  EXPECT_FALSE(Exists(StatePath()));
  const std::string output = options_.output;
  options_.output = directory_.Path("other");
  const Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_THAT(outcome.message, HasSubstr("--output was "));
  options_.output = output + "/";
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), kAllRows);
}

TEST_F(ExtractResumeTest, DirectoryMayMoveWithItsState) {
  ScriptInterruptedCall();
  ScriptLastCall();
  Run();
  std::filesystem::rename(options_.output, directory_.Path("moved"));
  options_.output = directory_.Path("moved");
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), kAllRows);
}

TEST_F(ExtractResumeTest, StateThatCannotBeWrittenIsFoundBeforeTheRun) {
  options_.state = directory_.Path("none/state");
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kOutput);
  EXPECT_THAT(outcome.message, HasSubstr("none/state"));
  EXPECT_TRUE(fake_.requests.empty());
}

TEST_F(ExtractResumeTest, RunWithoutResumeBeginsAnewAndSaysWhatItCost) {
  ScriptInterruptedCall();
  fake_.AddTags({"new"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  Run();
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.err, HasSubstr("--resume would have continued the unfinished run at "
                                   "checkpoint 1, 2 rows"));
  EXPECT_THAT(Tokens(), ElementsAre("", ""));
  EXPECT_EQ(ReadAll(Out("tags.csv")), "type,id,name\n,,new\n");
}

TEST_F(ExtractResumeTest, QuietRunSaysNothing) {
  options_.quiet = true;
  ScriptInterruptedCall();
  ScriptLastCall();
  Run();
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.err, "");
}

TEST_F(ExtractResumeTest, RefusedTokenEndsWithTwoAndKeepsTheState) {
  ScriptInterruptedCall();
  Run();
  fake_.status = WithReason(grpc::StatusCode::FAILED_PRECONDITION, "RESUME_TOKEN_EXPIRED");
  const Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kUsage);
  EXPECT_EQ(outcome.message,
            "the embedded server cannot continue this run: no good; run without --resume to begin "
            "anew; the rows so far, which are incomplete, are in " +
                Out(".partial"));
  EXPECT_EQ(State().checkpoint, 1);
}

TEST_F(ExtractResumeTest, InterruptKeepsTheLastCheckpointAndSaysHowToGoOn) {
  fake_.AddTags({"a"});
  fake_.AddCheckpoint(1, {{"tags", 1}});
  fake_.AddTags({"b"});
  fake_.AddCheckpoint(2, {{"tags", 1}});  // Within the second that saves one.
  fake_.AddTags({"c"});
  fake_.after_events = [&](grpc::ServerContext* context) {
    while (!Exists(StatePath())) {
    }
    fake_.interrupt.Cancel();
    while (!context->IsCancelled()) {
    }
  };
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kInterrupted);
  EXPECT_THAT(outcome.message, HasSubstr("interrupted; run again with --resume to go on from"));
  const RunState state = State();
  EXPECT_THAT(outcome.message, HasSubstr(absl::StrCat("checkpoint ", state.checkpoint)));
  EXPECT_EQ(state.rows(), state.checkpoint);
}

TEST_F(ExtractResumeTest, CheckpointsWithinASecondOfTheLastSaveAreSavedAtTheEnd) {
  fake_.AddTags({"a"});
  fake_.AddCheckpoint(1, {{"tags", 1}});
  fake_.AddTags({"b"});
  fake_.AddCheckpoint(2, {{"tags", 1}});
  fake_.status = Lost();
  Run();
  EXPECT_EQ(State().checkpoint, 2);
  EXPECT_EQ(State().rows(), 2);
}

TEST_F(ExtractResumeTest, TableThatBeginsAnewAfterTheCheckpointCanStillBeContinued) {
  fake_.AddTags({"a", "b"});
  fake_.AddCheckpoint(1, {{"tags", 2}});
  fake_.AddRestart("tags", 2);
  fake_.AddTags({"x"}, 2);
  fake_.status = Lost();
  fake_.NextCall();
  // This time the table goes on.
  fake_.AddTags({"c"});
  fake_.AddCheckpoint(2, {{"tags", 1}});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 3);
  Run();
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.csv")), "type,id,name\n,,a\n,,b\n,,c\n");
  EXPECT_FALSE(Exists(Out(".partial")));
}

TEST_F(ExtractResumeTest, TableThatBeginsAnewWhileResumingHasOnlyItsNewRows) {
  ScriptInterruptedCall();
  fake_.AddRestart("tags", 2);
  fake_.AddTags({"x"}, 2);
  fake_.AddCheckpoint(2, {{"tags", 1}}, 2);
  fake_.status = Lost();
  fake_.NextCall();
  fake_.AddTags({"y"}, 2);
  fake_.AddCheckpoint(3, {{"tags", 1}}, 2);
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 2);
  Run();
  Resume();
  EXPECT_EQ(State().tables[0].generation, 2u);
  EXPECT_EQ(State().rows(), 1);
  const Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_EQ(ReadAll(Out("tags.csv")), "type,id,name\n,,x\n,,y\n");
}

TEST_F(ExtractResumeTest, WarningOfTheFirstRunMakesTheResumedOnePartial) {
  v1::Notice* notice = fake_.Add()->mutable_notice();
  notice->set_severity(v1::SEVERITY_WARNING);
  notice->set_message("contact 7: notes could not be read");
  ScriptInterruptedCall();
  ScriptLastCall();
  Run();
  EXPECT_EQ(Resume().code, ExitCode::kPartial);
}

TEST_F(ExtractResumeTest, RowsLostBetweenTheRunsDoNotGoUnnoticed) {
  ScriptInterruptedCall();
  ScriptLastCall();
  fake_.events.back().mutable_summary()->mutable_tables(0)->set_rows(6);
  Run();
  const Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kPartial);
  EXPECT_THAT(outcome.message, HasSubstr("5 of 6 rows arrived"));
}

TEST_F(ExtractResumeTest, RunKilledWhileItsFilesWereMovedIsFinished) {
  options_.tables = {"tags", "segments"};
  fake_.AddTags({"a"});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
  fake_.AddSummary("segments", v1::TABLE_STATUS_COMPLETE, 0);
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  // As it was before the second rename.
  RunState state = State();
  state.phase = RunState::Phase::kMoving;
  ASSERT_TRUE(WriteStateFile(StatePath(), state).ok());
  mkdir(Out(".partial").c_str(), 0777);
  std::filesystem::rename(Out("tags.csv"), Out(".partial/tags.csv"));
  const Outcome outcome = Resume();
  EXPECT_EQ(outcome.code, ExitCode::kComplete);
  EXPECT_THAT(outcome.message, HasSubstr("its files are in place now"));
  EXPECT_EQ(ReadAll(Out("tags.csv")), "type,id,name\n,,a\n");
  EXPECT_TRUE(Exists(Out("segments.csv")));
  EXPECT_EQ(State().phase, RunState::Phase::kComplete);
  EXPECT_EQ(fake_.requests.size(), 1u);
}

TEST_F(ExtractResumeTest, CheckpointThatDoesNotCoverItsRowsIsNeverSaved) {
  fake_.AddTags({"a", "b"});
  fake_.AddCheckpoint(1, {{"tags", 3}});
  fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 2);
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.code, ExitCode::kUnreachable);
  EXPECT_THAT(outcome.message, HasSubstr("checkpoint 1 covers 3 rows of tags, but 2 came"));
  EXPECT_FALSE(Exists(StatePath()));
}

TEST_F(ExtractResumeTest, StateHoldsNoRowsAndNoCallerToken) {
  ScriptInterruptedCall();
  Run();
  EXPECT_THAT(ReadAll(StatePath()), AllOf(Not(HasSubstr("later")), Not(HasSubstr("secret"))));
}

TEST_F(ExtractResumeTest, JsonSummarySaysWhetherARunCanBeResumed) {
  options_.json = true;
  ScriptInterruptedCall();
  ScriptLastCall();
  Run();
  EXPECT_THAT(fake_.out, HasSubstr(R"("resumable":true)"));
  Resume();
  EXPECT_THAT(fake_.out, HasSubstr(R"("resumable":false)"));
  EXPECT_THAT(fake_.err, HasSubstr(R"({"event":"note","message":"continues at checkpoint 1)"));
}

}  // namespace
}  // namespace intercom_extractor

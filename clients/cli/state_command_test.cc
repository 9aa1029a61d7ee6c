#include "clients/cli/state_command.h"

#include <sys/stat.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cli/console.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/run_state.h"
#include "clients/cli/state_file.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class StateCommandTest : public ::testing::Test {
 protected:
  StateCommandTest() {
    console_.out = [this](absl::string_view text) {
      out_.append(text.data(), text.size());
      return out_works_;
    };
    console_.err = [this](absl::string_view text) { err_.append(text.data(), text.size()); };
    options_.output = directory_.path();
    state_.flags = {{"--format", "csv"}, {"the version of the tables' columns", "abc"}};
    state_.output = directory_.path();
    state_.resume_token = "to\xffken";
    state_.checkpoint = 17;
    state_.started = absl::UnixEpoch();
    state_.updated = absl::UnixEpoch() + absl::Hours(1);
    TableMark& tags = state_.tables.emplace_back();
    tags.table = "tags";
    tags.file = "tags.csv";
    tags.rows = 1234;
    tags.bytes = 5678;
    tags.generation = 2;
  }

  std::string Path() const { return directory_.Path(".intercom-extract.state"); }
  void Save() { ASSERT_TRUE(WriteStateFile(Path(), state_).ok()); }
  Outcome Run(StateOptions::Action action) {
    options_.action = action;
    return RunStateCommand(options_, console_, absl::UnixEpoch() + absl::Minutes(62));
  }

  TestDirectory directory_;
  StateOptions options_;
  RunState state_;
  Console console_;
  bool out_works_ = true;
  std::string out_;
  std::string err_;
};

TEST_F(StateCommandTest, ShowsWhatTheStateKnowsAndNoToken) {
  Save();
  const Outcome outcome = Run(StateOptions::Action::kShow);
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  EXPECT_THAT(out_, AllOf(HasSubstr("unfinished; extract --resume continues it"),
                          HasSubstr("1970-01-01T01:00:00+00:00, 2:00 ago"), HasSubstr("17"),
                          HasSubstr("--format"), HasSubstr("tags   1,234"), Not(HasSubstr("ken")),
                          Not(HasSubstr("abc"))));
}

TEST_F(StateCommandTest, ShowsTheSameToPrograms) {
  Save();
  options_.json = true;
  Run(StateOptions::Action::kShow);
  EXPECT_THAT(out_,
              AllOf(HasSubstr(R"("status":"unfinished","exit_code":null,)"),
                    HasSubstr(R"("age_seconds":120,"checkpoint":17,"rows":1234,)"),
                    HasSubstr(R"({"table":"tags","rows":1234,"bytes":5678,"generation":2})")));
}

TEST_F(StateCommandTest, TellsHowARunEnded) {
  state_.phase = RunState::Phase::kComplete;
  Save();
  Run(StateOptions::Action::kShow);
  EXPECT_THAT(out_, HasSubstr("run         complete\n"));
  state_.exit_code = 4;
  Save();
  Run(StateOptions::Action::kShow);
  EXPECT_THAT(out_, HasSubstr("ended with code 4; nothing to continue"));
  state_.phase = RunState::Phase::kMoving;
  Save();
  Run(StateOptions::Action::kShow);
  EXPECT_THAT(out_, HasSubstr("moves its files into place"));
}

TEST_F(StateCommandTest, ExportsTheTokenInBase64) {
  Save();
  EXPECT_EQ(Run(StateOptions::Action::kExport).code, ExitCode::kComplete);
  EXPECT_EQ(out_, "dG//a2Vu\n");
}

TEST_F(StateCommandTest, RunWithoutACheckpointHasNoTokenToExport) {
  state_.resume_token.clear();
  Save();
  EXPECT_EQ(Run(StateOptions::Action::kExport).code, ExitCode::kUsage);
  EXPECT_EQ(out_, "");
}

TEST_F(StateCommandTest, MissingAndDamagedStatesEndWithTwo) {
  for (const auto action : {StateOptions::Action::kShow, StateOptions::Action::kExport}) {
    const Outcome outcome = Run(action);
    EXPECT_EQ(outcome.code, ExitCode::kUsage);
    EXPECT_THAT(outcome.message, HasSubstr("there is no state in " + Path()));
  }
  WriteAll(Path(), "{}");
  EXPECT_EQ(Run(StateOptions::Action::kShow).code, ExitCode::kUsage);
  EXPECT_THAT(Run(StateOptions::Action::kExport).message, HasSubstr("is damaged"));
}

TEST_F(StateCommandTest, OutputThatCannotBeWrittenEndsWithSix) {
  Save();
  out_works_ = false;
  EXPECT_EQ(Run(StateOptions::Action::kShow).code, ExitCode::kOutput);
}

TEST_F(StateCommandTest, ResetRemovesTheStateAndTheUnfinishedFilesOnly) {
  for (const bool by_state : {false, true}) {
    Save();
    WriteAll(directory_.Path("users.csv"), "whole");
    mkdir(directory_.Path(".partial").c_str(), 0777);
    WriteAll(directory_.Path(".partial/tags.csv"), "half");
    WriteAll(directory_.Path(".partial/tags.csv.generation-1"), "half");
    options_.output = by_state ? "" : directory_.path();
    options_.state = by_state ? Path() : "";
    const Outcome outcome = Run(StateOptions::Action::kReset);
    EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
    EXPECT_FALSE(Exists(Path()));
    EXPECT_FALSE(Exists(directory_.Path(".partial")));
    EXPECT_EQ(ReadAll(directory_.Path("users.csv")), "whole");
    EXPECT_THAT(err_, HasSubstr("removed " + Path()));
  }
}

TEST_F(StateCommandTest, ResetIsRefusedWhileARunGoesOn) {
  Save();
  const auto held = OutputDirectory::Open(directory_.path());
  ASSERT_TRUE(held.ok());
  const Outcome outcome = Run(StateOptions::Action::kReset);
  EXPECT_EQ(outcome.code, ExitCode::kOutput);
  EXPECT_THAT(outcome.message, HasSubstr("another run is writing"));
  EXPECT_TRUE(Exists(Path()));
}

TEST_F(StateCommandTest, ShowsHowFarRunsHaveReadAndWhatLastWouldMean) {
  state_.phase = RunState::Phase::kComplete;
  state_.flags.emplace_back("--tables", "users,tags");
  state_.bookmarks["users"].read_until = absl::FromUnixSeconds(1714521600);
  state_.bookmarks["tags"].read_until = absl::FromUnixSeconds(1700000000);
  Save();
  Run(StateOptions::Action::kShow);
  EXPECT_THAT(out_, HasSubstr("table  read up to            delta file begins\n"
                              "tags   2023-11-14T22:13:20Z\n"
                              "users  2024-05-01T00:00:00Z\n"
                              "\n"
                              "--updated-since last reads what changed since 2024-04-30T23:00:00Z "
                              "(overlap 1h)\n"));

  state_.bookmarks["users"].delta_since = absl::FromUnixSeconds(1700000000);
  Save();
  WriteAll(directory_.Path("users.delta.csv"), "");
  out_.clear();
  Run(StateOptions::Action::kShow);
  EXPECT_THAT(out_, HasSubstr("since 2023-11-14T22:13:20Z (overlap 1h; .delta files not loaded "
                              "yet: users)"));
  options_.json = true;
  out_.clear();
  Run(StateOptions::Action::kShow);
  EXPECT_THAT(out_, AllOf(HasSubstr(R"({"table":"users","read_until":"2024-05-01T00:00:00Z",)"
                                    R"("delta_since":"2023-11-14T22:13:20Z"})"),
                          HasSubstr(R"("last_since":"2023-11-14T22:13:20Z")")));
}

TEST_F(StateCommandTest, ResetOfTablesForgetsTheirBookmarksOnly) {
  options_.tables = {"users"};
  EXPECT_EQ(Run(StateOptions::Action::kReset).code, ExitCode::kUsage);
  state_.phase = RunState::Phase::kComplete;
  state_.flags.emplace_back("--tables", "users,leads");
  state_.bookmarks["users"].read_until = absl::FromUnixSeconds(1714521600);
  state_.bookmarks["leads"].read_until = absl::FromUnixSeconds(1714521600);
  Save();
  const Outcome outcome = Run(StateOptions::Action::kReset);
  EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
  const auto state = ReadStateFile(Path());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->bookmarks.count("users"), 0u);
  EXPECT_EQ(state->bookmarks.count("leads"), 1u);
  EXPECT_EQ(state->resume_token, state_.resume_token);
  EXPECT_EQ(state->checkpoint, 17);
  Run(StateOptions::Action::kShow);
  EXPECT_THAT(out_, HasSubstr("no run has read users to the end yet"));
  EXPECT_THAT(Run(StateOptions::Action::kReset).message,
              HasSubstr("nothing is known of how far users was read; it is of leads"));
}

TEST_F(StateCommandTest, ResetOfTablesIsRefusedWhereARunWouldSetThemAgain) {
  state_.bookmarks["users"].read_until = absl::FromUnixSeconds(1714521600);
  options_.tables = {"users"};
  Save();
  EXPECT_THAT(Run(StateOptions::Action::kReset).message, HasSubstr("the last run is unfinished"));
  state_.phase = RunState::Phase::kComplete;
  Save();
  const auto held = OutputDirectory::Open(directory_.path());
  ASSERT_TRUE(held.ok());
  EXPECT_THAT(Run(StateOptions::Action::kReset).message, HasSubstr("another run is writing"));
  EXPECT_EQ(ReadStateFile(Path())->bookmarks.size(), 1u);
}

TEST_F(StateCommandTest, ResetOfADamagedStateRemovesIt) {
  WriteAll(Path(), "{}");
  options_.output.clear();
  options_.state = Path();
  EXPECT_EQ(Run(StateOptions::Action::kReset).code, ExitCode::kComplete);
  EXPECT_FALSE(Exists(Path()));
  EXPECT_EQ(Run(StateOptions::Action::kReset).code, ExitCode::kUsage);
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cli/run_state.h"

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

RunState Example() {
  RunState state;
  state.phase = RunState::Phase::kMoving;
  state.flags = {{"--tables", "tags,users"}, {"--format", "csv"}};
  state.output = "/data/\"out\" \xc3\xa9";
  state.resume_token = std::string("\0\xff token", 8);
  state.checkpoint = 17;
  state.saw_warning = true;
  state.exit_code = 4;
  state.started = absl::FromUnixSeconds(1700000000);
  state.updated = absl::FromUnixMillis(1700000123456);
  TableMark& tags = state.tables.emplace_back();
  tags.table = "tags";
  tags.file = "tags.csv.gz";
  tags.rows = int64_t{1} << 40;
  tags.bytes = 12345;
  tags.generation = 3;
  tags.whole = true;
  return state;
}

TEST(RunStateTest, ReadsBackWhatItWrote) {
  const auto state = ParseRunState(FormatRunState(Example()));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->phase, RunState::Phase::kMoving);
  EXPECT_EQ(state->flags, Example().flags);
  EXPECT_EQ(state->output, Example().output);
  EXPECT_EQ(state->resume_token, Example().resume_token);
  EXPECT_EQ(state->checkpoint, 17);
  EXPECT_TRUE(state->saw_warning);
  EXPECT_EQ(state->exit_code, 4);
  EXPECT_EQ(state->started, Example().started);
  EXPECT_EQ(state->updated, Example().updated);
  ASSERT_EQ(state->tables.size(), 1u);
  EXPECT_EQ(state->tables[0].table, "tags");
  EXPECT_EQ(state->tables[0].file, "tags.csv.gz");
  EXPECT_EQ(state->tables[0].rows, int64_t{1} << 40);
  EXPECT_EQ(state->tables[0].bytes, 12345);
  EXPECT_EQ(state->tables[0].generation, 3u);
  EXPECT_TRUE(state->tables[0].whole);
  EXPECT_EQ(state->rows(), int64_t{1} << 40);
}

TEST(RunStateTest, EachCutAndEachChangedByteIsFound) {
  const std::string text = FormatRunState(Example());
  for (size_t i = 0; i + 2 < text.size(); ++i) {
    EXPECT_TRUE(absl::IsDataLoss(ParseRunState(text.substr(0, i)).status())) << i;
    std::string changed = text;
    changed[i] = changed[i] == '7' ? '8' : '7';
    const auto parsed = ParseRunState(changed);
    // White space may change without harm, the rest may not.
    EXPECT_TRUE(!parsed.ok() || FormatRunState(*parsed) == text) << changed;
  }
  for (const char* other : {"", "{}", "[]", "null", "hello", "{\"intercom_extract_state\":1}",
                            "{\"intercom_extract_state\":\"1\"}"}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseRunState(other).status())) << other;
  }
}

TEST(RunStateTest, StateOfANewerVersionIsNamedSo) {
  EXPECT_TRUE(absl::IsUnimplemented(ParseRunState("{\"intercom_extract_state\":2}").status()));
}

TEST(RunStateTest, NamesTheFlagThatDiffers) {
  const RunFlags flags = {{"--tables", "tags,users"}, {"--format", "csv"}};
  EXPECT_EQ(DifferingFlag(flags, flags), "");
  EXPECT_EQ(DifferingFlag(flags, {{"--tables", "tags,users"}, {"--format", "jsonl"}}),
            "--format was csv and is jsonl now");
  EXPECT_EQ(DifferingFlag(flags, {{"--tables", "notes,users"}, {"--format", "csv"}}),
            "--template and --tables mean other tables now: with notes without tags");
  EXPECT_EQ(DifferingFlag(flags, {{"--new", "x"}}), "--new was not known and is x now");
}

}  // namespace
}  // namespace intercom_extractor

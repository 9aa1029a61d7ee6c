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
  tags.key_bytes = 678;
  state.updated_since = absl::FromUnixSeconds(1690000000);
  state.bookmarks["tags"].read_until = absl::FromUnixMillis(1695000000123);
  state.bookmarks["users"].delta_since = absl::FromUnixSeconds(1690000000);
  state.next_bookmarks["tags"].read_until = absl::FromUnixSeconds(1700000000);
  state.also_moved = {"tags.deleted.csv.gz", "tags.ids"};
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
  EXPECT_EQ(state->tables[0].key_bytes, 678);
  EXPECT_EQ(state->updated_since, Example().updated_since);
  EXPECT_EQ(state->bookmarks, Example().bookmarks);
  EXPECT_EQ(state->next_bookmarks, Example().next_bookmarks);
  EXPECT_EQ(state->also_moved, Example().also_moved);
}

TEST(RunStateTest, CompleteRunHasTheBookmarksThatItWasGoingToHave) {
  RunState state = Example();
  SetComplete(&state);
  EXPECT_EQ(state.bookmarks, Example().next_bookmarks);
  EXPECT_TRUE(state.next_bookmarks.empty());
  EXPECT_TRUE(state.also_moved.empty());
}

TEST(RunStateTest, NamesThatLeadElsewhereAreNotMoved) {
  for (const char* name : {"../users.csv", "/etc/passwd", "", "..", "a/b"}) {
    RunState state = Example();
    state.also_moved = {name};
    EXPECT_TRUE(absl::IsDataLoss(ParseRunState(FormatRunState(state)).status())) << name;
  }
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

// As the version before this one wrote it, which knew no incremental runs.
constexpr char kOldState[] = R"({
  "intercom_extract_state": 1,
  "phase": "complete",
  "exit_code": 0,
  "started": "2026-11-26T17:56:40.949805062+00:00",
  "updated": "2026-11-26T17:56:49.877182276+00:00",
  "output": "/data/out",
  "flags": {
    "--tables": "tags,segments",
    "--format": "csv",
    "--gzip": "not given",
    "--columns": "all",
    "--body-format": "plaintext",
    "--connection": "default",
    "--server": "not given",
    "the version of the tables' columns": "9416b3fd"
  },
  "saw_warning": false,
  "checkpoint": 1,
  "tables": [
    {
      "table": "tags",
      "file": "tags.csv",
      "rows": 200,
      "bytes": 4604,
      "generation": 1,
      "whole": true
    },
    {
      "table": "segments",
      "file": "segments.csv",
      "rows": 12,
      "bytes": 954,
      "generation": 1,
      "whole": true
    }
  ],
  "resume_token": "aXhydAFLIzYzNAv90JpH0UO1rhMntzhWL9Z/cAqVtjJ23BfpGgog2oVbzGxvzlwzngY7/h71LUy10C5GehcewmZvIKzl7BwQieah2AYYieah2AYgASoOCBkQyAEYjy0gASgBQAEqDQgaEAwY2QYgASgBQAEyBggaEAEYATIGCBkQARgB",
  "crc32": 2319300525
}
)";

TEST(RunStateTest, ReadsTheStateOfTheVersionBefore) {
  const auto state = ParseRunState(kOldState);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->phase, RunState::Phase::kComplete);
  EXPECT_EQ(state->output, "/data/out");
  ASSERT_EQ(state->tables.size(), 2u);
  EXPECT_EQ(state->tables[1].table, "segments");
  EXPECT_FALSE(state->tables[1].key_bytes.has_value());
  EXPECT_FALSE(state->updated_since.has_value());
  EXPECT_TRUE(state->bookmarks.empty());
  // It ran as a run does now that is given none of the newer flags.
  RunFlags now = state->flags;
  now.resize(now.size() - 3);
  for (const char* flag : {"--updated-since", "--overlap", "--find-deleted"}) {
    now.emplace_back(flag, "not given");
  }
  EXPECT_EQ(DifferingFlag(state->flags, now), "");
  now.back().second = "given";
  EXPECT_EQ(DifferingFlag(state->flags, now), "--find-deleted was not given and is given now");
  EXPECT_TRUE(ParseRunState(FormatRunState(*state)).ok());
}

TEST(RunStateTest, StateOfANewerVersionIsNamedSo) {
  EXPECT_TRUE(absl::IsUnimplemented(ParseRunState("{\"intercom_extract_state\":3}").status()));
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

#include "clients/cli/checkpoint_keeper.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "clients/cli/key_lists.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/run_state.h"
#include "clients/cli/state_file.h"
#include "clients/cli/test_files.h"
#include "clients/cli/test_tables.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// What a server does: rows of a table, records of it that live or are deleted, a
// table that begins anew, or a checkpoint.
struct Step {
  enum class Kind { kRows, kLiving, kDeleted, kRestart, kCheckpoint };
  Kind kind;
  std::string table;
  int rows = 0;
};

// With restarts before any checkpoint, between two, twice between two, right after
// one and of a table without rows.
std::vector<Step> Script() {
  using Kind = Step::Kind;
  return {
      {Kind::kRows, "tags", 3},          {Kind::kRestart, "tags"},
      {Kind::kRows, "tags", 2},          {Kind::kRows, "segments", 1},
      {Kind::kCheckpoint, ""},           {Kind::kRows, "tags", 4},
      {Kind::kCheckpoint, ""},           {Kind::kCheckpoint, ""},
      {Kind::kRows, "tags", 2},          {Kind::kRestart, "tags"},
      {Kind::kRows, "tags", 1},          {Kind::kRestart, "tags"},
      {Kind::kRows, "tags", 5},          {Kind::kCheckpoint, ""},
      {Kind::kRestart, "segments"},      {Kind::kCheckpoint, ""},
      {Kind::kRestart, "tags"},          {Kind::kRows, "segments", 3},
      {Kind::kRows, "tags", 2},          {Kind::kCheckpoint, ""},
      {Kind::kLiving, "users", 2},       {Kind::kCheckpoint, ""},
      {Kind::kLiving, "users", 1},       {Kind::kDeleted, "conversations", 1},
      {Kind::kRestart, "users"},         {Kind::kLiving, "users", 3},
      {Kind::kCheckpoint, ""},           {Kind::kDeleted, "conversations", 2},
      {Kind::kRestart, "conversations"}, {Kind::kLiving, "users", 1},
      {Kind::kCheckpoint, ""},           {Kind::kDeleted, "conversations", 1},
  };
}

// Plays the script, may die at each step, and goes on from what is on the disk.
class CheckpointKeeperTest : public ::testing::TestWithParam<bool> {
 protected:
  // Whether each run keeps its state after each checkpoint, or only after the
  // first and when it must.
  void SetClockStep(absl::Duration step) { clock_step_ = step; }

  TableOutputs::Options HowToWrite() const {
    return {RowFormat::kCsv, /*gzip=*/GetParam(), ColumnSelection::kAll};
  }

  std::vector<v1::TableDescription> Tables() const {
    std::vector<v1::TableDescription> tables;
    const v1::ListTablesResponse all = DescribeAllTables();
    for (const v1::TableDescription& table : all.tables()) {
      const std::string& name = table.table().name();
      if (name == "tags" || name == "segments" || name == "users" || name == "conversations") {
        tables.push_back(table);
      }
    }
    return tables;
  }

  std::string StatePath(const TestDirectory& root) const { return root.Path("state"); }

  // Opens the run as the command does.
  void Open(const TestDirectory& root) {
    auto directory = OutputDirectory::Open(root.Path("out"));
    ASSERT_TRUE(directory.ok()) << directory.status();
    directory_ = *std::move(directory);
    auto state = ReadStateFile(StatePath(root));
    if (!state.ok()) {
      ASSERT_TRUE(absl::IsNotFound(state.status())) << state.status();
      ASSERT_TRUE(directory_->RemovePartialFiles().ok());
      state = RunState();
    }
    auto outputs =
        state->checkpoint > 0
            ? TableOutputs::Continue(directory_.get(), Tables(), HowToWrite(), state->tables)
            : TableOutputs::InDirectory(directory_.get(), Tables(), HowToWrite());
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    outputs_ = *std::move(outputs);
    auto keys = state->checkpoint > 0
                    ? KeyLists::Continue(directory_.get(), Tables(), true, state->tables)
                    : KeyLists::Begin(directory_.get(), Tables(), true);
    ASSERT_TRUE(keys.ok()) << keys.status();
    keys_ = *std::move(keys);
    keeper_ = std::make_unique<CheckpointKeeper>(StatePath(root), *state, outputs_.get(),
                                                 keys_.get(), [this] {
                                                   now_ += clock_step_;
                                                   return now_;
                                                 });
  }

  // As SIGKILL does: nothing is written any more. What the kernel has may be torn.
  void Kill(const TestDirectory& root) {
    keeper_.reset();
    keys_.reset();
    outputs_.reset();
    directory_.reset();
    for (const auto& entry : std::filesystem::directory_iterator(root.Path("out/.partial"))) {
      std::ofstream(entry.path(), std::ios::app) << "torn";
    }
  }

  // Plays the steps after the state's checkpoint up to `end`.
  void Play(size_t end) {
    const std::vector<Step> script = Script();
    std::map<std::string, uint32_t> generations = {
        {"tags", 1}, {"segments", 1}, {"users", 1}, {"conversations", 1}};
    int64_t checkpoint = 0;
    const int64_t from = keeper_->state().checkpoint;
    for (size_t i = 0; i < end; ++i) {
      const Step& step = script[i];
      // What the streams before have given counts, but is not given again.
      const bool past = checkpoint < from;
      if (step.kind == Step::Kind::kRestart) ++generations[step.table];
      if (step.kind == Step::Kind::kCheckpoint) ++checkpoint;
      if (past) continue;
      absl::Status status;
      if (step.kind == Step::Kind::kRows) {
        const std::vector<std::string> bytes = Rows(step, i);
        const SerializedRows rows(bytes.begin(), bytes.end());
        status = outputs_->Write(step.table, rows);
        if (status.ok()) status = keys_->OnRows(step.table, rows);
        if (status.ok()) status = keeper_->OnTime();
      } else if (step.kind == Step::Kind::kLiving) {
        v1::LivingRecords living;
        living.set_table(step.table);
        for (int row = 0; row < step.rows; ++row) living.add_ids(Name(i, row));
        status = keys_->OnLiving(living);
      } else if (step.kind == Step::Kind::kDeleted) {
        v1::DeletedRecords deleted;
        deleted.set_table(step.table);
        for (int row = 0; row < step.rows; ++row) deleted.add_records()->set_id(Name(i, row));
        status = keys_->OnDeleted(deleted);
      } else if (step.kind == Step::Kind::kRestart) {
        v1::TableRestarted restarted;
        restarted.set_table(step.table);
        restarted.set_generation(generations[step.table]);
        status = keeper_->OnRestart(restarted);
      } else {
        v1::Checkpoint event;
        event.set_number(checkpoint);
        event.set_resume_token("token");
        status = keeper_->OnCheckpoint(event, false);
      }
      ASSERT_TRUE(status.ok()) << status;
    }
  }

  static std::string Name(size_t step, int row) {
    return std::to_string(step) + "." + std::to_string(row);
  }

  static std::vector<std::string> Rows(const Step& step, size_t index) {
    std::vector<std::string> rows;
    for (int row = 0; row < step.rows; ++row) {
      v1::Tag tag;
      tag.set_id(Name(index, row));
      v1::Segment segment;
      segment.set_id(tag.id());
      rows.push_back(step.table == "tags" ? tag.SerializeAsString() : segment.SerializeAsString());
    }
    return rows;
  }

  void Finish() {
    v1::Summary summary;
    for (const char* table : {"tags", "segments", "users", "conversations"}) {
      v1::TableSummary* each = summary.add_tables();
      each->set_table(table);
      each->set_status(v1::TABLE_STATUS_COMPLETE);
    }
    ASSERT_TRUE(keys_->Close().ok());
    for (const char* table : {"tags", "segments", "users", "conversations"}) {
      keys_found_[table] = ReadAll(directory_->PartialPath(KeyLists::NameOf(table)));
    }
    const absl::Status status = keeper_->Complete(summary, {});
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(directory_->RemoveWorkFiles().ok());
    keeper_.reset();
    keys_.reset();
    outputs_.reset();
    directory_.reset();
  }

  std::string Content(const TestDirectory& root, const std::string& table) const {
    return GetParam() ? Gunzip(root.Path("out/" + table + ".csv.gz"))
                      : ReadAll(root.Path("out/" + table + ".csv"));
  }

  void ExpectAll(const TestDirectory& root) {
    EXPECT_EQ(Content(root, "tags"), "type,id,name\n,18.0,\n,18.1,\n");
    EXPECT_EQ(keys_found_["tags"], "18.0\n18.1\n");
    EXPECT_EQ(keys_found_["segments"], "17.0\n17.1\n17.2\n");
    EXPECT_EQ(keys_found_["users"], "25.0\n25.1\n25.2\n29.0\n");
    EXPECT_EQ(keys_found_["conversations"], "23.0\t\\N\n27.0\t\\N\n27.1\t\\N\n31.0\t\\N\n");
    const std::string segments = Content(root, "segments");
    EXPECT_NE(segments.find("17.0"), std::string::npos);
    EXPECT_EQ(std::count(segments.begin(), segments.end(), '\n'), 4) << segments;
    EXPECT_FALSE(Exists(root.Path("out/.partial")));
    const auto state = ReadStateFile(StatePath(root));
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(state->phase, RunState::Phase::kComplete);
    EXPECT_EQ(state->rows(), 5);
    EXPECT_EQ(state->checkpoint, 9);
  }

  absl::Duration clock_step_ = absl::Seconds(2);
  absl::Time now_ = absl::UnixEpoch();
  std::unique_ptr<OutputDirectory> directory_;
  std::unique_ptr<TableOutputs> outputs_;
  std::unique_ptr<KeyLists> keys_;
  std::map<std::string, std::string> keys_found_;  // By Finish().
  std::unique_ptr<CheckpointKeeper> keeper_;
};

INSTANTIATE_TEST_SUITE_P(PlainAndGzip, CheckpointKeeperTest, ::testing::Bool());

TEST_P(CheckpointKeeperTest, RunWithoutAnInterruptionHasAllRows) {
  TestDirectory root;
  Open(root);
  Play(Script().size());
  Finish();
  ExpectAll(root);
}

TEST_P(CheckpointKeeperTest, RunKilledAtAnyStepHasEachRowOnce) {
  for (const absl::Duration step : {absl::Seconds(2), absl::ZeroDuration()}) {
    SetClockStep(step);
    for (size_t death = 0; death <= Script().size(); ++death) {
      SCOPED_TRACE(death);
      TestDirectory root;
      Open(root);
      Play(death);
      Kill(root);
      Open(root);
      Play(Script().size());
      Finish();
      ExpectAll(root);
    }
  }
}

TEST_P(CheckpointKeeperTest, RunKilledAtEachStepAgainAndAgainHasEachRowOnce) {
  TestDirectory root;
  for (size_t death = 0; death <= Script().size(); ++death) {
    SCOPED_TRACE(death);
    Open(root);
    Play(death);
    Kill(root);
  }
  Open(root);
  Play(Script().size());
  Finish();
  ExpectAll(root);
}

TEST_P(CheckpointKeeperTest, RollsBackToTheLastCheckpointAlsoWhenItWasNotSavedYet) {
  SetClockStep(absl::ZeroDuration());
  for (size_t loss = 5; loss <= Script().size(); ++loss) {
    SCOPED_TRACE(loss);
    TestDirectory root;
    Open(root);
    Play(loss);
    ASSERT_TRUE(keeper_->RollBack().ok());
    EXPECT_EQ(ReadStateFile(StatePath(root))->checkpoint, keeper_->state().checkpoint);
    Play(Script().size());
    Finish();
    ExpectAll(root);
  }
}

TEST_P(CheckpointKeeperTest, StateOnTheDiskNeverCountsMoreThanTheFiles) {
  SetClockStep(absl::ZeroDuration());
  TestDirectory root;
  Open(root);
  for (size_t step = 5; step <= Script().size(); ++step) {
    Play(step);
    const auto state = ReadStateFile(StatePath(root));
    ASSERT_TRUE(state.ok()) << state.status();
    for (const TableMark& mark : state->tables) {
      const std::string path = root.Path("out/.partial/" + mark.file);
      const std::string aside = path + ".generation-" + std::to_string(mark.generation);
      EXPECT_GE(std::filesystem::file_size(Exists(aside) ? aside : path), mark.bytes);
      const std::string keys = root.Path("out/.partial/" + KeyLists::NameOf(mark.table));
      const std::string keys_aside = keys + ".generation-" + std::to_string(mark.generation);
      EXPECT_GE(std::filesystem::file_size(Exists(keys_aside) ? keys_aside : keys),
                *mark.key_bytes);
    }
    // The next round plays from the last checkpoint on.
    ASSERT_TRUE(keeper_->RollBack().ok());
  }
}

TEST_P(CheckpointKeeperTest, SavesAtMostOnceASecondAndWhenAsked) {
  SetClockStep(absl::ZeroDuration());
  TestDirectory root;
  Open(root);
  const auto saved = [&] { return ReadStateFile(StatePath(root))->checkpoint; };
  Play(5);
  EXPECT_EQ(saved(), 1);
  Play(7);
  EXPECT_EQ(keeper_->state().checkpoint, 2);
  EXPECT_EQ(saved(), 1);
  now_ += absl::Milliseconds(999);
  ASSERT_TRUE(keeper_->OnTime().ok());
  EXPECT_EQ(saved(), 1);
  now_ += absl::Milliseconds(1);
  ASSERT_TRUE(keeper_->OnTime().ok());
  EXPECT_EQ(saved(), 2);
  Play(8);
  EXPECT_EQ(saved(), 2);
  ASSERT_TRUE(keeper_->Save().ok());
  EXPECT_EQ(saved(), 3);
}

TEST_P(CheckpointKeeperTest, ClockThatIsSetBackDoesNotStopTheSaves) {
  SetClockStep(absl::ZeroDuration());
  TestDirectory root;
  now_ = absl::FromUnixSeconds(1000000);
  Open(root);
  Play(5);
  now_ = absl::UnixEpoch();
  Play(7);
  EXPECT_EQ(ReadStateFile(StatePath(root))->checkpoint, 2);
}

TEST_P(CheckpointKeeperTest, WarningBeforeACheckpointIsRemembered) {
  TestDirectory root;
  Open(root);
  v1::Checkpoint checkpoint;
  checkpoint.set_number(1);
  checkpoint.set_resume_token("token");
  ASSERT_TRUE(keeper_->OnCheckpoint(checkpoint, true).ok());
  checkpoint.set_number(2);
  ASSERT_TRUE(keeper_->OnCheckpoint(checkpoint, false).ok());
  EXPECT_TRUE(ReadStateFile(StatePath(root))->saw_warning);
}

TEST_P(CheckpointKeeperTest, StateThatCannotBeWrittenIsAnError) {
  TestDirectory root;
  Open(root);
  std::filesystem::create_directory(root.Path("state.tmp"));
  v1::Checkpoint checkpoint;
  checkpoint.set_number(1);
  EXPECT_FALSE(keeper_->OnCheckpoint(checkpoint, false).ok());
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cli/deleted_records.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "clients/cli/bookmarks.h"
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
using ::testing::HasSubstr;
using ::testing::Not;

// Runs with --find-deleted.
class DeletedRecordsTest : public ScriptedNightsTest {
 protected:
  DeletedRecordsTest() { options_.incremental.find_deleted = true; }

  // A night on which these users changed and these others exist.
  void ScriptLivingNight(int night, const std::vector<std::string>& changed,
                         const std::vector<std::string>& living,
                         v1::TableStatus status = v1::TABLE_STATUS_COMPLETE) {
    fake_.AddLivingUsers(living);
    ScriptNight(night, changed, status);
  }

  // The next run finds that all that the last one left has been loaded.
  void Load() {
    for (const auto& entry : std::filesystem::directory_iterator(options_.output)) {
      const std::string name = entry.path().filename();
      if (name.find(".delta.") != std::string::npos ||
          name.find(".deleted.") != std::string::npos) {
        std::filesystem::remove(entry.path());
      }
    }
  }

  // What a file says, its lines sorted and without the header.
  std::string Lines(const std::string& file) const {
    if (!Exists(Out(file))) return "(no file)";
    std::vector<std::string> lines = absl::StrSplit(ReadAll(Out(file)), '\n', absl::SkipEmpty());
    if (file.find(".csv") != std::string::npos && !lines.empty()) lines.erase(lines.begin());
    std::sort(lines.begin(), lines.end());
    return absl::StrJoin(lines, " ");
  }
  std::string Gone() const { return Lines("users.deleted.csv"); }
  std::string Known() const { return Lines(".intercom-extract.ids/users"); }
};

TEST_F(DeletedRecordsTest, UsersThatAreNeitherLivingNorRowsAreGone) {
  ScriptNight(1, {"a", "b", "c", "e"});
  ScriptLivingNight(2, {"b", "d"}, {"d", "a", "b"});
  ScriptLivingNight(3, {"f"}, {"a", "d"});
  RunFull();
  EXPECT_EQ(Known(), "a b c e");
  EXPECT_EQ(Gone(), "(no file)");

  EXPECT_EQ(RunLast().code, ExitCode::kComplete);
  EXPECT_TRUE(fake_.request.find_deleted());
  EXPECT_EQ(ReadAll(Out("users.deleted.csv")), "id,deleted_at\nc,\ne,\n");
  EXPECT_EQ(Known(), "a b d");
  Load();

  EXPECT_EQ(RunLast().code, ExitCode::kComplete);
  EXPECT_EQ(Gone(), "b,");
  EXPECT_EQ(Known(), "a d f");
  EXPECT_FALSE(Exists(Out(".partial")));
}

TEST_F(DeletedRecordsTest, SummarySaysHowManyAndWhere) {
  options_.json = true;
  ScriptNight(1, {"a", "b"});
  ScriptLivingNight(2, {}, {"a"});
  RunFull();
  RunLast();
  EXPECT_THAT(fake_.out, AllOf(HasSubstr(absl::StrCat(R"("deleted":1,"deleted_file":")",
                                                      Out("users.deleted.csv"), "\"")),
                               HasSubstr(absl::StrCat(R"("deleted":0,"deleted_file":")",
                                                      Out("tags.deleted.csv"), "\""))));
}

TEST_F(DeletedRecordsTest, FileIsWrittenAlsoWhenNothingIsGone) {
  ScriptNight(1, {"a"});
  ScriptLivingNight(2, {}, {"a"});
  RunFull();
  RunLast();
  EXPECT_EQ(ReadAll(Out("users.deleted.csv")), "id,deleted_at\n");
  EXPECT_EQ(ReadAll(Out("tags.deleted.csv")), "id,deleted_at\n");
  EXPECT_FALSE(Exists(Out("users_tags.deleted.csv")));
}

TEST_F(DeletedRecordsTest, FullRunOnlyKeepsWhatThereIs) {
  ScriptNight(1, {"a", "b"});
  ScriptNight(2, {"c"});
  RunFull();
  RunFull();
  EXPECT_FALSE(fake_.request.find_deleted());
  EXPECT_EQ(Gone(), "(no file)");
  EXPECT_EQ(Known(), "c");
}

TEST_F(DeletedRecordsTest, RunsWithoutTheFlagAddWhatTheyRead) {
  ScriptNight(1, {"a", "b"});
  ScriptLivingNight(2, {"b", "c"}, {"ignored"});
  ScriptLivingNight(3, {}, {"a", "b"});
  RunFull();
  options_.incremental.find_deleted = false;
  RunLast();
  EXPECT_EQ(Known(), "a b c");
  EXPECT_EQ(Gone(), "(no file)");
  options_.incremental.find_deleted = true;
  RunLast();
  EXPECT_EQ(Gone(), "c,");
}

TEST_F(DeletedRecordsTest, TablesThatAreReadWholeLackWhatIsGone) {
  options_.tables = {"tags", "admins"};
  for (const bool later : {false, true}) {
    fake_.AddTagIds(later ? std::vector<std::string>{"2"} : std::vector<std::string>{"1", "2"});
    v1::RowBatch* admins = fake_.Add()->mutable_row_batch();
    admins->set_table("admins");
    for (const char* type : {"admin", "team"}) {
      if (later && type == std::string("admin")) continue;
      v1::Admin* admin = admins->add_admins();
      admin->set_type(type);
      admin->set_id("7");
    }
    fake_.AddSummary("admins", v1::TABLE_STATUS_COMPLETE, later ? 1 : 2);
    fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, later ? 1 : 2);
    fake_.SetStartedAt(Night(later ? 2 : 1));
    fake_.NextCall();
  }
  RunFull();
  options_.format = RowFormat::kJsonl;
  EXPECT_EQ(RunLast().code, ExitCode::kComplete);
  EXPECT_EQ(ReadAll(Out("tags.deleted.jsonl")), "{\"id\":\"1\",\"deleted_at\":null}\n");
  EXPECT_EQ(ReadAll(Out("admins.deleted.jsonl")),
            "{\"type\":\"admin\",\"id\":\"7\",\"deleted_at\":null}\n");
}

TEST_F(DeletedRecordsTest, ConversationsAreThoseThatIntercomLists) {
  options_.tables = {"conversations"};
  options_.format = RowFormat::kJsonl;
  options_.gzip = true;
  fake_.AddDeletedConversations({"1", "2"}, 1700000000);
  fake_.AddDeletedConversations({"2", "3"}, 1700000001);
  fake_.events.back().mutable_deleted_records()->mutable_records(1)->clear_deleted_at();
  fake_.AddSummary("conversations", v1::TABLE_STATUS_COMPLETE, 0);
  fake_.SetStartedAt(Night(2));
  EXPECT_EQ(RunSince(Night(1)).code, ExitCode::kComplete);
  EXPECT_EQ(Gunzip(Out("conversations.deleted.jsonl.gz")),
            "{\"id\":\"1\",\"deleted_at\":1700000000}\n{\"id\":\"2\",\"deleted_at\":1700000000}\n"
            "{\"id\":\"3\",\"deleted_at\":null}\n");
  EXPECT_FALSE(Exists(Out(".intercom-extract.ids/conversations")));
}

TEST_F(DeletedRecordsTest, ListThatIntercomDidNotGiveIsAskedForAgain) {
  options_.tables = {"conversations"};
  fake_.AddSummary("conversations", v1::TABLE_STATUS_COMPLETE, 0);
  fake_.SetStartedAt(Night(1));
  fake_.NextCall();
  fake_.AddDeletedConversations({"1"}, 5);
  fake_.AddSummary("conversations", v1::TABLE_STATUS_COMPLETE, 0);
  v1::NoticeCount* notice = fake_.events.back().mutable_summary()->add_notices();
  notice->set_table("conversations");
  notice->set_code(v1::NOTICE_CODE_DELETED_NOT_LISTED);
  notice->set_count(1);
  fake_.SetStartedAt(Night(2));
  fake_.NextCall();
  RunFull();
  RunLast();
  EXPECT_EQ(Lines("conversations.deleted.csv"), "(no file)");
  EXPECT_EQ(ReadUntil("conversations"), Night(1));
}

TEST_F(DeletedRecordsTest, OnlyATableThatWasReadToTheEndTells) {
  ScriptNight(1, {"a", "b"});
  ScriptLivingNight(2, {"c"}, {"a"}, v1::TABLE_STATUS_PARTIAL);
  ScriptLivingNight(3, {}, {"a"});
  RunFull();
  EXPECT_EQ(RunLast().code, ExitCode::kPartial);
  EXPECT_EQ(Gone(), "(no file)");
  EXPECT_EQ(Lines("tags.deleted.csv"), "");
  EXPECT_THAT(fake_.err, HasSubstr("only told of tables that were read to the end, hence not of "
                                   "users"));
  // It delivered c all the same.
  EXPECT_EQ(Known(), "a b c");
  EXPECT_EQ(RunLast().code, ExitCode::kComplete);
  EXPECT_EQ(Gone(), "b, c,");
}

TEST_F(DeletedRecordsTest, RowsThatWereNotDeliveredAreNotKnown) {
  ScriptNight(1, {"a"});
  ScriptLivingNight(2, {"c"}, {}, v1::TABLE_STATUS_FAILED);
  RunFull();
  RunLast();
  EXPECT_EQ(Known(), "a");
}

TEST_F(DeletedRecordsTest, WithoutAListOfAnEarlierRunTheNextOneTells) {
  ScriptLivingNight(1, {"a"}, {"a", "b"});
  ScriptLivingNight(2, {}, {"a"});
  RunSince(Night(0));
  EXPECT_THAT(fake_.err, HasSubstr("no run into this directory has written down yet which records "
                                   "there were in users, tags; this one has"));
  EXPECT_EQ(Gone(), "(no file)") << "an empty one would say that nothing was deleted";
  EXPECT_EQ(Known(), "a b");
  RunLast();
  EXPECT_EQ(Gone(), "b,");
  EXPECT_THAT(fake_.err, Not(HasSubstr("has written down yet")));
}

TEST_F(DeletedRecordsTest, IncrementalRunsAloneMakeNoListThatLacksMost) {
  options_.incremental.find_deleted = false;
  ScriptNight(1, {"a"});
  RunSince(Night(0));
  EXPECT_FALSE(Exists(Out(".intercom-extract.ids")));
  EXPECT_FALSE(Exists(Out(".partial")));
}

TEST_F(DeletedRecordsTest, FileThatNobodyTookIsSaidAgain) {
  options_.tables = {"users", "tags", "conversations"};
  const auto end = [&](int night, int users) {
    fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, users);
    fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 0);
    fake_.AddSummary("conversations", v1::TABLE_STATUS_COMPLETE, 0);
    fake_.SetStartedAt(Night(night));
    fake_.NextCall();
  };
  fake_.AddUsers({"a", "b", "c"});
  end(1, 3);
  fake_.AddLivingUsers({"a", "b"});
  fake_.AddDeletedConversations({"1"}, 1700000000);
  end(2, 0);
  fake_.AddLivingUsers({"a"});
  fake_.AddDeletedConversations({"2"}, 1700000001);
  end(3, 0);
  fake_.AddLivingUsers({"a", "c"});  // Is back.
  end(4, 0);
  fake_.AddLivingUsers({"a", "c"});
  end(5, 0);
  RunFull();
  RunLast();
  RunLast();
  EXPECT_EQ(Gone(), "b, c,");
  EXPECT_EQ(Lines("conversations.deleted.csv"), "1,1700000000 2,1700000001");
  RunLast();
  EXPECT_EQ(Gone(), "b,");
  EXPECT_EQ(Lines("conversations.deleted.csv"), "1,1700000000 2,1700000001");
  Load();
  RunLast();
  EXPECT_EQ(Gone(), "");
  EXPECT_EQ(Lines("conversations.deleted.csv"), "");
}

TEST_F(DeletedRecordsTest, TableThatBeginsAnewForgetsItsLivingButNotTheDeleted) {
  options_.tables = {"users", "conversations"};
  fake_.AddUsers({"a", "b", "c"});
  fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 3);
  fake_.AddSummary("conversations", v1::TABLE_STATUS_COMPLETE, 0);
  fake_.NextCall();
  fake_.AddLivingUsers({"a", "b"});
  fake_.AddUsers({"c"});
  fake_.AddDeletedConversations({"1"}, 5);
  fake_.AddRestart("users", 2);
  fake_.AddRestart("conversations", 2);
  fake_.AddLivingUsers({"c"}, 1);  // Of the generation before.
  fake_.AddLivingUsers({"b"}, 2);
  fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 0)->set_generation(2);
  fake_.AddSummary("conversations", v1::TABLE_STATUS_COMPLETE, 0)->set_generation(2);
  RunFull();
  EXPECT_EQ(RunSince(Night(1)).code, ExitCode::kComplete);
  EXPECT_EQ(Gone(), "a, c,");
  EXPECT_EQ(Lines("conversations.deleted.csv"), "1,5");
}

// Kills. The second night of all that can be interrupted, after a first one.
class DeletedRecordsKillTest : public DeletedRecordsTest {
 protected:
  DeletedRecordsKillTest() { options_.tables = {"users", "tags", "conversations"}; }

  std::vector<v1::ExtractResponse> SecondNight() {
    fake_.AddLivingUsers({"a", "b"});
    fake_.AddUsers({"b", "n1"});
    fake_.AddCheckpoint(1, {{"users", 2}});
    fake_.AddDeletedConversations({"1"}, 5);
    fake_.AddRestart("users", 2);
    fake_.AddUsers({"b"}, 2);
    fake_.AddCheckpoint(2, {{"users", 1}}, 2);
    fake_.AddLivingUsers({"c"}, 2);
    fake_.AddTagIds({"t1"});
    fake_.AddDeletedConversations({"2"}, 6);
    fake_.AddUsers({"n1", "n2"}, 2);
    fake_.AddCheckpoint(3, {{"users", 2}, {"tags", 1}});
    // Each table has its own generation.
    for (auto& rows : *fake_.events.back().mutable_checkpoint()->mutable_rows()) {
      rows.set_generation(rows.table() == "users" ? 2 : 1);
    }
    fake_.AddDeletedConversations({"2", "3"}, 7);
    fake_.AddLivingUsers({"d"}, 2);
    fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 3)->set_generation(2);
    fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 1);
    fake_.AddSummary("conversations", v1::TABLE_STATUS_COMPLETE, 0);
    fake_.SetStartedAt(Night(2));
    std::vector<v1::ExtractResponse> events = std::move(fake_.events);
    fake_.events.clear();
    return events;
  }

  void ScriptFirstNight() {
    fake_.AddUsers({"a", "b", "c", "d", "e"});
    fake_.AddTagIds({"t1", "t2"});
    fake_.AddSummary("users", v1::TABLE_STATUS_COMPLETE, 5);
    fake_.AddSummary("tags", v1::TABLE_STATUS_COMPLETE, 2);
    fake_.AddSummary("conversations", v1::TABLE_STATUS_COMPLETE, 0);
    fake_.SetStartedAt(Night(1));
    fake_.NextCall();
  }

  // As a process leaves it that was killed while it wrote.
  void TearFiles() {
    if (!Exists(Out(".partial"))) return;
    for (const auto& entry : std::filesystem::directory_iterator(Out(".partial"))) {
      WriteAll(entry.path(), ReadAll(entry.path()) + "torn");
    }
  }

  void ExpectSecondNight() {
    EXPECT_EQ(Ids("users.delta.csv"), "b n1 n2 ");
    EXPECT_EQ(Gone(), "a, e,");
    EXPECT_EQ(Known(), "b c d n1 n2");
    EXPECT_EQ(Lines("tags.deleted.csv"), "t2,");
    EXPECT_EQ(Lines(".intercom-extract.ids/tags"), "t1");
    EXPECT_EQ(Lines("conversations.deleted.csv"), "1,5 2,6 3,7");
    EXPECT_FALSE(Exists(Out(".partial")));
    EXPECT_EQ(ReadUntil("users"), Night(2));
    EXPECT_EQ(State().phase, RunState::Phase::kComplete);
  }

  // Another directory and another script.
  void Again(const std::string& name) {
    fake_.Forget();
    options_.output = directory_.Path(name);
    ScriptFirstNight();
    ASSERT_EQ(RunFull().code, ExitCode::kComplete);
  }
};

TEST_F(DeletedRecordsKillTest, RunKilledAtAnyEventFindsTheSame) {
  const std::vector<v1::ExtractResponse> events = SecondNight();
  for (size_t death = 0; death <= events.size(); ++death) {
    SCOPED_TRACE(death);
    Again(absl::StrCat("out", death));
    size_t resumed = 0;
    for (size_t i = 0; i < death; ++i) {
      fake_.events.push_back(events[i]);
      if (events[i].has_checkpoint()) resumed = i + 1;
    }
    // The last one is not there to be lost any more.
    if (death < events.size()) {
      fake_.status = Lost();
      fake_.NextCall();
      fake_.events.assign(events.begin() + static_cast<int64_t>(resumed), events.end());
    }
    Outcome outcome = RunLast();
    if (death < events.size()) {
      EXPECT_EQ(outcome.code, ExitCode::kUnreachable);
      TearFiles();
      outcome = Resume();
    }
    EXPECT_EQ(outcome.code, ExitCode::kComplete) << outcome.message;
    ExpectSecondNight();
  }
}

TEST_F(DeletedRecordsKillTest, RunKilledBetweenFindingAndSayingSoFindsTheSame) {
  const std::vector<v1::ExtractResponse> events = SecondNight();
  Again("out");
  fake_.events = events;
  fake_.NextCall();
  fake_.events.assign(events.begin() + 12, events.end());  // After the last checkpoint.
  std::string saved;
  // From the last checkpoint on, the state cannot be written.
  ASSERT_TRUE(events[11].has_checkpoint());
  timing_.now = [&] {
    if (saved.empty() && Exists(StatePath()) && State().checkpoint == 3) {
      saved = ReadAll(StatePath());
      std::filesystem::create_directory(StatePath() + ".tmp");
    }
    seconds_ += 2;
    return absl::UnixEpoch() + absl::Seconds(seconds_.load());
  };
  EXPECT_EQ(RunLast().code, ExitCode::kOutput);
  ASSERT_FALSE(saved.empty());
  EXPECT_EQ(ReadAll(StatePath()), saved);
  EXPECT_TRUE(Exists(Out(".partial/users.deleted.csv"))) << "was killed too early";
  EXPECT_EQ(Known(), "a b c d e");
  std::filesystem::remove(StatePath() + ".tmp");
  TearFiles();
  EXPECT_EQ(Resume().code, ExitCode::kComplete);
  ExpectSecondNight();
}

TEST_F(DeletedRecordsKillTest, RunKilledBetweenAnyTwoMovesIsFinished) {
  const std::vector<v1::ExtractResponse> events = SecondNight();
  const std::vector<std::pair<std::string, std::string>> kept = {
      {"users.deleted.ids", ".intercom-extract.ids/users.deleted"},
      {"users.ids", ".intercom-extract.ids/users"},
      {"tags.deleted.ids", ".intercom-extract.ids/tags.deleted"},
      {"tags.ids", ".intercom-extract.ids/tags"},
      {"conversations.deleted.ids", ".intercom-extract.ids/conversations.deleted"}};
  for (size_t moved = 0; moved <= 11; ++moved) {
    for (const bool resume : {true, false}) {
      SCOPED_TRACE(absl::StrCat(moved, resume));
      Again(absl::StrCat("out", moved, resume));
      const Bookmarks before = State().bookmarks;
      fake_.events = events;
      ASSERT_EQ(RunLast().code, ExitCode::kComplete);
      RunState state = State();
      state.phase = RunState::Phase::kMoving;
      state.next_bookmarks = state.bookmarks;
      state.bookmarks = before;
      std::vector<std::pair<std::string, std::string>> moves;
      for (const TableMark& mark : state.tables) moves.emplace_back(mark.file, mark.file);
      for (const char* name :
           {"users.deleted.csv", "tags.deleted.csv", "conversations.deleted.csv"}) {
        moves.emplace_back(name, name);
        state.also_moved.emplace_back(name);
      }
      for (const auto& move : kept) {
        moves.push_back(move);
        state.also_moved.push_back(move.first);
      }
      ASSERT_EQ(moves.size(), 11u);
      std::filesystem::create_directory(Out(".partial"));
      for (size_t i = moved; i < moves.size(); ++i) {
        std::filesystem::rename(Out(moves[i].second), Out(".partial/" + moves[i].first));
      }
      WriteAll(Out(".partial/users.keys"), "a\n");
      ASSERT_TRUE(WriteStateFile(StatePath(), state).ok());
      if (resume) {
        EXPECT_EQ(Resume().code, ExitCode::kComplete);
      } else {
        // Whatever the next run does, what this one found is not lost.
        fake_.NextCall();
        fake_.status = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no");
        EXPECT_EQ(RunLast().code, ExitCode::kUsage);
        state = State();
        state.phase = RunState::Phase::kComplete;
        ASSERT_TRUE(WriteStateFile(StatePath(), state).ok());
      }
      ExpectSecondNight();
    }
  }
}

}  // namespace
}  // namespace intercom_extractor

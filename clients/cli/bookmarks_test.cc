#include "clients/cli/bookmarks.h"

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

absl::Time At(double seconds) { return absl::FromUnixSeconds(1700000000) + absl::Seconds(seconds); }

v1::Table Table(const std::string& name, v1::Incremental incremental) {
  v1::Table table;
  table.set_name(name);
  table.set_incremental(incremental);
  return table;
}

v1::Table Users() { return Table("users", v1::INCREMENTAL_UPDATED_AT); }
v1::Table UsersTags() { return Table("users_tags", v1::INCREMENTAL_PARENT); }
v1::Table Tags() { return Table("tags", v1::INCREMENTAL_WHOLE); }

class BookmarksTest : public ::testing::Test {
 protected:
  absl::StatusOr<LastRun> Last(const std::vector<v1::Table>& tables,
                               absl::Duration overlap = absl::ZeroDuration()) {
    return FindLastRun(tables, bookmarks_, overlap, Stands());
  }
  DeltaStands Stands() {
    return [this](const std::string& table) { return standing_.count(table) > 0; };
  }
  // A run whose tables are all complete and in place, unless said otherwise.
  void Advance(const std::vector<v1::Table>& tables, std::optional<absl::Time> since,
               std::optional<absl::Time> started_at, bool complete = true, bool in_place = true) {
    std::vector<TableEnd> ends;
    for (const v1::Table& table : tables) ends.push_back({table, complete, in_place});
    notes_.clear();
    bookmarks_ = AdvanceBookmarks(bookmarks_, ends, since, started_at, Stands(), &notes_);
  }
  std::optional<absl::Time> ReadUntil(const std::string& table) {
    return bookmarks_[table].read_until;
  }

  Bookmarks bookmarks_;
  std::set<std::string> standing_;
  std::vector<std::string> notes_;
};

TEST_F(BookmarksTest, LastIsTheEarliestBookmarkLessTheOverlap) {
  Advance({Users()}, {}, At(100));
  Advance({UsersTags()}, {}, At(50));
  Advance({Tags()}, {}, At(10));
  EXPECT_EQ(Last({Users(), UsersTags(), Tags()}, absl::Seconds(20))->since, At(30));
  EXPECT_EQ(Last({Users(), Tags()}, absl::Seconds(20))->since, At(80));
  EXPECT_EQ(Last({Users()}, absl::Hours(1000000))->since, absl::UnixEpoch());
}

TEST_F(BookmarksTest, LastIsWholeSecondsAndNeverTooLate) {
  Advance({Users()}, {}, At(100.9));
  EXPECT_EQ(Last({Users()})->since, At(100));
}

TEST_F(BookmarksTest, TablesThatAreReadWholeNeedNoBookmarkBesideOthers) {
  Advance({Users()}, {}, At(100));
  EXPECT_EQ(Last({Users(), Tags()})->since, At(100));
  EXPECT_FALSE(Last({Tags()}).ok());
  Advance({Tags()}, {}, At(10));
  EXPECT_EQ(Last({Tags()})->since, At(10));
}

TEST_F(BookmarksTest, TablesWithoutABookmarkAreNamed) {
  Advance({Users()}, {}, At(100));
  const auto last = Last({Users(), UsersTags(), Table("notes", v1::INCREMENTAL_PARENT), Tags()});
  EXPECT_TRUE(absl::IsFailedPrecondition(last.status()));
  EXPECT_THAT(std::string(last.status().message()),
              AllOf(HasSubstr("no run has read users_tags, notes to the end"),
                    HasSubstr("make a full run of these tables first"), Not(HasSubstr("users,"))));
}

TEST_F(BookmarksTest, IncompleteTablesKeepTheirBookmarkAndAreNamed) {
  Advance({Users(), UsersTags()}, {}, At(100));
  Advance({Users()}, At(90), At(200), /*complete=*/false);
  EXPECT_EQ(ReadUntil("users"), At(100));
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("not read to the end: users;")));
  Advance({UsersTags()}, At(90), At(200));
  EXPECT_EQ(ReadUntil("users_tags"), At(200));
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(BookmarksTest, FullRunThatEndsIncompleteSetsNone) {
  Advance({Users()}, {}, At(100), /*complete=*/false);
  EXPECT_EQ(bookmarks_.count("users"), 0u);
}

TEST_F(BookmarksTest, RunThatLeavesAGapLeavesTheBookmark) {
  Advance({Users(), Tags()}, {}, At(100));
  Advance({Users(), Tags()}, At(101), At(200));
  EXPECT_EQ(ReadUntil("users"), At(100));
  EXPECT_EQ(ReadUntil("tags"), At(200));
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("later than earlier ones had read users;")));
  Advance({Users()}, At(100), At(200));
  EXPECT_EQ(ReadUntil("users"), At(200));
}

TEST_F(BookmarksTest, IncrementalRunWithoutABookmarkSetsOne) {
  Advance({Users()}, At(100), At(200));
  EXPECT_EQ(ReadUntil("users"), At(200));
}

TEST_F(BookmarksTest, StandingDeltaIsCoveredByTheNextRun) {
  Advance({Users(), UsersTags()}, {}, At(100));
  Advance({Users(), UsersTags()}, At(90), At(200));
  EXPECT_EQ(Last({Users(), UsersTags()})->since, At(200));
  standing_ = {"users_tags"};
  EXPECT_EQ(Last({Users(), UsersTags()})->since, At(90));
  EXPECT_THAT(Last({Users(), UsersTags()})->not_loaded, ElementsAre("users_tags"));
  // And the one after, if nobody comes for days.
  Advance({Users(), UsersTags()}, At(90), At(300));
  EXPECT_EQ(Last({Users(), UsersTags()})->since, At(90));
  standing_.clear();
  EXPECT_EQ(Last({Users(), UsersTags()})->since, At(300));
}

TEST_F(BookmarksTest, StandingDeltaOfATableThatIsReadWholeDoesNotMatter) {
  Advance({Tags()}, {}, At(100));
  Advance({Tags()}, At(90), At(200));
  standing_ = {"tags"};
  EXPECT_EQ(Last({Tags()})->since, At(200));
}

TEST_F(BookmarksTest, FullRunMakesStandingDeltasOld) {
  Advance({Users()}, {}, At(100));
  Advance({Users()}, At(90), At(200));
  standing_ = {"users"};
  Advance({Users()}, {}, At(300));
  EXPECT_EQ(Last({Users()})->since, At(300));
}

TEST_F(BookmarksTest, TableThatFailedKeepsItsStandingDelta) {
  Advance({Users()}, {}, At(100));
  Advance({Users()}, At(90), At(200));
  standing_ = {"users"};
  Advance({Users()}, At(150), At(300), /*complete=*/false, /*in_place=*/false);
  EXPECT_EQ(Last({Users()})->since, At(90));
}

TEST_F(BookmarksTest, ReplacingAStandingDeltaByALaterOneTakesTheBookmarkBack) {
  Advance({Users()}, {}, At(100));
  Advance({Users()}, At(90), At(200));
  standing_ = {"users"};
  Advance({Users()}, At(150), At(300));
  EXPECT_EQ(ReadUntil("users"), At(90));
  standing_.clear();
  EXPECT_EQ(Last({Users()})->since, At(90));
}

TEST_F(BookmarksTest, ServerThatDoesNotSayWhenItBeganMovesNothing) {
  Advance({Users()}, {}, {});
  EXPECT_FALSE(ReadUntil("users").has_value());
  Advance({Users()}, {}, At(100));
  Advance({Users()}, At(90), {});
  EXPECT_EQ(ReadUntil("users"), At(100));
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("does not say when the run began")));
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cli/progress_tracker.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

absl::Time At(double seconds) { return kStart + absl::Seconds(seconds); }

v1::Progress ProgressOf(const char* table, int64_t expected, bool done) {
  v1::Progress progress;
  v1::TableProgress& entry = *progress.add_tables();
  entry.set_table(table);
  entry.set_rows_expected(expected);
  entry.set_done(done);
  return progress;
}

TEST(ProgressTrackerTest, RateIsThatOfTheLastSeconds) {
  ProgressTracker tracker({"users"}, kStart);
  for (int second = 1; second <= 20; ++second) tracker.OnRows("users", 100, At(second));
  EXPECT_NEAR(tracker.Snapshot(At(20)).rows_per_second, 100, 11);
  // Nothing comes any more.
  EXPECT_EQ(tracker.Snapshot(At(40)).rows_per_second, 0);
  EXPECT_EQ(tracker.Snapshot(At(40)).rows, 2000);
}

TEST(ProgressTrackerTest, RowsOfAnEarlierStreamCountButAreNoStorm) {
  ProgressTracker tracker({"users"}, kStart);
  tracker.SetRows("users", 1000000);
  tracker.OnRows("users", 100, At(1));
  EXPECT_EQ(tracker.Snapshot(At(1)).rows, 1000100);
  EXPECT_EQ(tracker.Snapshot(At(1)).rows_per_second, 100);
  tracker.SetRows("users", 1000000);  // The connection was lost: the 100 come again.
  EXPECT_EQ(tracker.Snapshot(At(1)).rows, 1000000);
}

TEST(ProgressTrackerTest, FirstBatchIsNoStorm) {
  ProgressTracker tracker({"users"}, kStart);
  tracker.OnRows("users", 500, At(0.001));
  EXPECT_EQ(tracker.Snapshot(At(0.002)).rows_per_second, 500);
}

TEST(ProgressTrackerTest, FractionIsOfTheTablesWhoseTotalIsKnown) {
  ProgressTracker tracker({"users", "tags"}, kStart);
  EXPECT_EQ(tracker.Snapshot(At(1)).fraction, -1);
  tracker.OnProgress(ProgressOf("users", 200, false));
  tracker.OnRows("users", 50, At(1));
  tracker.OnRows("tags", 1000, At(1));
  EXPECT_EQ(tracker.Snapshot(At(1)).fraction, 0.25);
}

TEST(ProgressTrackerTest, IsNotWholeBeforeEachTableIsDone) {
  ProgressTracker tracker({"users", "tags"}, kStart);
  tracker.OnRows("users", 250, At(1));  // More than was expected.
  tracker.OnProgress(ProgressOf("users", 200, true));
  EXPECT_EQ(tracker.Snapshot(At(1)).fraction, 0.99);
  EXPECT_EQ(tracker.Snapshot(At(1)).tables_done, 1);
  tracker.OnProgress(ProgressOf("tags", 0, true));
  EXPECT_EQ(tracker.Snapshot(At(1)).fraction, 1);
}

TEST(ProgressTrackerTest, RestartTakesRowsBackButNotTheRate) {
  ProgressTracker tracker({"users"}, kStart);
  tracker.OnRows("users", 100, At(1));
  tracker.OnRestart("users");
  EXPECT_EQ(tracker.Snapshot(At(1)).rows, 0);
  EXPECT_EQ(tracker.Snapshot(At(1)).rows_per_second, 100);
}

TEST(ProgressTrackerTest, TablesThatWereNotAskedForAreIgnored) {
  ProgressTracker tracker({"users"}, kStart);
  tracker.OnRows("calls", 100, At(1));
  tracker.OnRestart("calls");
  tracker.OnProgress(ProgressOf("calls", 1, true));
  EXPECT_EQ(tracker.Snapshot(At(1)).rows, 0);
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cli/progress_text.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ProgressSnapshot Busy() {
  ProgressSnapshot snapshot;
  snapshot.elapsed = absl::Seconds(754);
  snapshot.rows = 84120;
  snapshot.rows_per_second = 1203.4;
  snapshot.fraction = 0.428;
  snapshot.tables_done = 3;
  snapshot.tables.resize(2);
  snapshot.tables[0] = {"users", 84000, 200000, false};
  snapshot.tables[1] = {"tags", 120, -1, true};
  snapshot.requests.set_sent(1512);
  snapshot.waiting_for = v1::WAIT_REASON_QUOTA;
  snapshot.quota_limit = 166;
  snapshot.quota_remaining = 12;
  return snapshot;
}

TEST(ProgressTextTest, GroupsDigits) {
  EXPECT_EQ(GroupDigits(0), "0");
  EXPECT_EQ(GroupDigits(999), "999");
  EXPECT_EQ(GroupDigits(1000), "1,000");
  EXPECT_EQ(GroupDigits(1234567), "1,234,567");
  EXPECT_EQ(GroupDigits(-100), "-100");
  EXPECT_EQ(GroupDigits(-1000), "-1,000");
}

TEST(ProgressTextTest, FormatsTimeAndBytes) {
  EXPECT_EQ(FormatElapsed(absl::Seconds(7)), "0:07");
  EXPECT_EQ(FormatElapsed(absl::Seconds(754)), "12:34");
  EXPECT_EQ(FormatElapsed(absl::Seconds(3723)), "1:02:03");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.0 kB");
  EXPECT_EQ(FormatBytes(999999), "1.0 MB");
  EXPECT_EQ(FormatBytes(1449000), "1.4 MB");
  EXPECT_EQ(FormatBytes(3200000000), "3.2 GB");
}

TEST(ProgressTextTest, WideTerminalShowsAll) {
  EXPECT_EQ(FormatProgressBar(Busy(), 140, false),
            " 42%  [============>                 ]  84,120 rows  1,203 rows/s  3/2 tables  "
            "1,512 requests  quota 12/166  waiting for the quota  12:34");
}

TEST(ProgressTextTest, NarrowTerminalLeavesOutWhatMattersLeast) {
  const std::string line = FormatProgressBar(Busy(), 50, false);
  EXPECT_EQ(line, " 42%  84,120 rows  waiting for the quota  12:34");
  EXPECT_EQ(FormatProgressBar(Busy(), 20, false), " 42%  84,120 rows");
  EXPECT_EQ(FormatProgressBar(Busy(), 3, false), " 42");
}

TEST(ProgressTextTest, NeverIsWiderThanTheTerminal) {
  for (int columns = 1; columns < 200; ++columns) {
    EXPECT_LE(FormatProgressBar(Busy(), columns, false).size(), static_cast<size_t>(columns));
  }
}

TEST(ProgressTextTest, WithoutATotalThereIsNoPercentage) {
  ProgressSnapshot snapshot = Busy();
  snapshot.fraction = -1;
  snapshot.quota_limit = -1;
  snapshot.waiting_for = v1::WAIT_REASON_UNSPECIFIED;
  EXPECT_EQ(FormatProgressBar(snapshot, 100, false),
            "84,120 rows  1,203 rows/s  3/2 tables  1,512 requests  12:34");
}

TEST(ProgressTextTest, ColourIsOnlyThereWhereItIsWanted) {
  EXPECT_THAT(FormatProgressBar(Busy(), 140, true), HasSubstr("\x1b[32m"));
  EXPECT_THAT(FormatProgressBar(Busy(), 140, false), Not(HasSubstr("\x1b")));
}

TEST(ProgressTextTest, JsonLineHasTheSameNumbers) {
  EXPECT_EQ(FormatProgressJson(Busy(), /*with_tables=*/true),
            R"({"event":"progress","elapsed_seconds":754,"rows":84120,"rows_per_second":1203.4,)"
            R"("percent":42.8,"remaining_seconds":null,"tables_done":3,"tables_total":2,)"
            R"("requests":{"sent":1512,"retries":0,"rate_limited":0,"pending":0,"planned":null},)"
            R"("quota":{"limit":166,"remaining":12},"waiting_for":"quota","tables":[)"
            R"({"table":"users","rows":84000,"rows_expected":200000,"done":false},)"
            R"({"table":"tags","rows":120,"rows_expected":null,"done":true}]})");
  EXPECT_THAT(FormatProgressJson(ProgressSnapshot(), /*with_tables=*/false),
              HasSubstr(R"("quota":null,"waiting_for":null})"));
}

}  // namespace
}  // namespace intercom_extractor

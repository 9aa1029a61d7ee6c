#include "clients/cli/summary_text.h"

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

ExtractionReport ReportWith(int quota_ms, int intercom_ms, int consumer_ms, int cpu_ms) {
  ExtractionReport report;
  report.summary.emplace();
  v1::TimeSpent* spent = report.summary->mutable_time_spent();
  const auto set = [](int ms, google::protobuf::Duration* duration) {
    duration->set_seconds(ms / 1000);
    duration->set_nanos(ms % 1000 * 1000000);
  };
  set(quota_ms, spent->mutable_quota());
  set(intercom_ms, spent->mutable_intercom());
  set(consumer_ms, spent->mutable_consumer());
  set(cpu_ms, spent->mutable_cpu());
  return report;
}

TEST(SummaryTextTest, SaysWhatTheTimeWasSpentOn) {
  EXPECT_THAT(FormatSummaryText(ReportWith(8200, 1000, 100, 700)),
              HasSubstr("\ntime: 82% quota, 10% Intercom, 1% this reader, 7% CPU\n"));
}

TEST(SummaryTextTest, LeavesOutWhatDoesNotShow) {
  EXPECT_THAT(FormatSummaryText(ReportWith(0, 9990, 4, 6)), HasSubstr("\ntime: 100% Intercom\n"));
}

TEST(SummaryTextTest, AServerThatDoesNotSayIsNotGuessedAt) {
  EXPECT_THAT(FormatSummaryText(ReportWith(0, 0, 0, 0)), Not(HasSubstr("time:")));
}

TEST(SummaryTextTest, IncrementalRunSaysSinceWhenAndWhatIsGone) {
  ExtractionReport report;
  report.summary.emplace();
  for (const char* table : {"users", "notes"}) {
    v1::TableSummary* summary = report.summary->add_tables();
    summary->set_table(table);
    summary->set_status(v1::TABLE_STATUS_COMPLETE);
  }
  report.updated_since = absl::FromUnixSeconds(1714521600);
  report.deleted["users"] = {1234, "out/users.deleted.csv"};
  report.notes = {"something"};
  EXPECT_EQ(FormatSummaryText(report),
            "table  rows  bytes  requests  status    deleted\n"
            "users     0    0 B         0  complete    1,234\n"
            "notes     0    0 B         0  complete\n"
            "total     0    0 B         0  in 0:00     1,234\n"
            "incremental: what changed since 2024-05-01T00:00:00Z\n"
            "note: something\n");
  EXPECT_THAT(FormatSummaryJson(report),
              AllOf(HasSubstr(R"("updated_since":"2024-05-01T00:00:00Z","notes":["something"])"),
                    HasSubstr(R"("deleted":1234,"deleted_file":"out/users.deleted.csv")"),
                    HasSubstr(R"("deleted":null,"deleted_file":null)")));
}

TEST(SummaryTextTest, JsonHasTheSecondsOfEach) {
  EXPECT_THAT(FormatSummaryJson(ReportWith(8200, 1000, 100, 712)),
              HasSubstr(R"("time_spent":{"quota_seconds":8.2,"intercom_seconds":1,)"
                        R"("consumer_seconds":0.1,"cpu_seconds":0.712})"));
}

}  // namespace
}  // namespace intercom_extractor

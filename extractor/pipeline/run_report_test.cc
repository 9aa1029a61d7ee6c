#include "extractor/pipeline/run_report.h"

#include <string>

#include "google/protobuf/util/time_util.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using google::protobuf::util::TimeUtil;

const absl::Time kNoon = absl::FromUnixSeconds(1700000000);

class RunReportTest : public testing::Test {
 protected:
  static const TableInfo& Table(const char* name) { return *TableCatalog::Get().Find(name); }
  static TableSet SetOf(const TableInfo& table) { return TableSet().set(table.index); }

  v1::Summary Summary() const {
    v1::Summary summary;
    report_.Fill(&summary, kNoon + absl::Milliseconds(1500), counters_);
    return summary;
  }
  v1::Progress Progress() const {
    v1::Progress progress;
    report_.Fill(&progress, kNoon + absl::Milliseconds(1500), counters_);
    return progress;
  }

  const TableInfo& users_ = Table("users");
  const TableInfo& notes_ = Table("notes");
  const TableInfo& other_ = Table("leads");
  RunReport report_{{&users_, &notes_}, kNoon};
  RequestCounters counters_;
};

absl::Status Failure(absl::StatusCode code, const char* reason) {
  return StatusWithReason(code, reason, "why");
}

TEST_F(RunReportTest, KnowsWhichTablesAreWanted) {
  EXPECT_TRUE(report_.Wants(users_.index));
  EXPECT_TRUE(report_.Wants(notes_.index));
  EXPECT_FALSE(report_.Wants(other_.index));
  EXPECT_EQ(report_.wanted(), SetOf(users_) | SetOf(notes_));
}

TEST_F(RunReportTest, ProgressListsTheWantedTablesInTheirOrder) {
  report_.AddRows(notes_.index, 3, 300);
  report_.AddRows(notes_.index, 2, 200);
  report_.SetExpected(notes_.index, 10);
  report_.AddRequest(SetOf(users_) | SetOf(other_));
  report_.AddRequest(SetOf(users_) | SetOf(notes_));
  report_.SetDone(SetOf(users_));
  counters_.sent = 7;
  counters_.retries = 2;
  counters_.rate_limited = 1;
  counters_.pending = 4;
  counters_.bytes_received = 99;

  const v1::Progress progress = Progress();
  EXPECT_EQ(TimeUtil::DurationToMilliseconds(progress.elapsed()), 1500);
  EXPECT_EQ(progress.requests().sent(), 7);
  EXPECT_EQ(progress.requests().retries(), 2);
  EXPECT_EQ(progress.requests().rate_limited(), 1);
  EXPECT_EQ(progress.requests().pending(), 4);
  EXPECT_EQ(progress.requests().bytes_received(), 99);
  ASSERT_EQ(progress.tables_size(), 2);
  EXPECT_EQ(progress.tables(0).table(), "users");
  EXPECT_EQ(progress.tables(0).rows(), 0);
  EXPECT_FALSE(progress.tables(0).has_rows_expected());
  EXPECT_EQ(progress.tables(0).requests(), 2);
  EXPECT_TRUE(progress.tables(0).done());
  EXPECT_EQ(progress.tables(1).table(), "notes");
  EXPECT_EQ(progress.tables(1).rows(), 5);
  EXPECT_EQ(progress.tables(1).bytes(), 500);
  EXPECT_EQ(progress.tables(1).rows_expected(), 10);
  EXPECT_EQ(progress.tables(1).requests(), 1);
  EXPECT_FALSE(progress.tables(1).done());
}

TEST_F(RunReportTest, SummaryTellsCompleteFromPartialFromFailed) {
  EXPECT_EQ(Summary().tables(0).status(), v1::TABLE_STATUS_COMPLETE);
  EXPECT_FALSE(Summary().tables(0).has_error());
  report_.SetPartial(users_.index);
  EXPECT_EQ(Summary().tables(0).status(), v1::TABLE_STATUS_PARTIAL);
  EXPECT_TRUE(
      report_.Fail(users_.index, Failure(absl::StatusCode::kPermissionDenied, "SCOPE_MISSING")));
  const v1::TableSummary failed = Summary().tables(0);
  EXPECT_EQ(failed.status(), v1::TABLE_STATUS_FAILED);
  EXPECT_EQ(failed.error().code(), static_cast<int>(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(failed.error().reason(), "SCOPE_MISSING");
  EXPECT_EQ(failed.error().message(), "why");
  EXPECT_EQ(Summary().tables(1).status(), v1::TABLE_STATUS_COMPLETE);
}

TEST_F(RunReportTest, FirstFailureOfAWantedTableCounts) {
  EXPECT_TRUE(report_.Fail(users_.index, absl::UnavailableError("first")));
  EXPECT_FALSE(report_.Fail(users_.index, absl::NotFoundError("second")));
  EXPECT_EQ(Summary().tables(0).error().message(), "first");
  EXPECT_TRUE(report_.Failed(users_.index));
  EXPECT_FALSE(report_.Failed(notes_.index));
  EXPECT_FALSE(report_.Fail(other_.index, absl::UnavailableError("not asked for")));
  EXPECT_FALSE(report_.Failed(other_.index));
}

TEST_F(RunReportTest, RestartBeginsAGenerationWithoutRows) {
  EXPECT_EQ(report_.Generation(users_.index), 1u);
  report_.AddRows(users_.index, 5, 500);
  EXPECT_EQ(report_.Restart(users_.index), 2u);
  EXPECT_EQ(report_.Rows(users_.index), 0);
  report_.AddRows(users_.index, 1, 10);
  EXPECT_EQ(Summary().tables(0).generation(), 2u);
  EXPECT_EQ(Summary().tables(0).rows(), 1);
  EXPECT_EQ(Summary().tables(0).bytes(), 10);
  EXPECT_EQ(Summary().tables(1).generation(), 1u);
}

TEST_F(RunReportTest, StreamsAHundredNoticesOfAKindAndCountsAll) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(report_.CountNotice("users", v1::NOTICE_CODE_RECORD_GONE));
  }
  EXPECT_FALSE(report_.CountNotice("users", v1::NOTICE_CODE_RECORD_GONE));
  EXPECT_TRUE(report_.CountNotice("users", v1::NOTICE_CODE_VALUE_INVALID));
  EXPECT_TRUE(report_.CountNotice("notes", v1::NOTICE_CODE_RECORD_GONE));
  const v1::Summary summary = Summary();
  ASSERT_EQ(summary.notices_size(), 3);
  int64_t users_gone = 0;
  for (const v1::NoticeCount& notice : summary.notices()) {
    if (notice.table() == "users" && notice.code() == v1::NOTICE_CODE_RECORD_GONE) {
      users_gone = notice.count();
    } else {
      EXPECT_EQ(notice.count(), 1);
    }
  }
  EXPECT_EQ(users_gone, 101);
}

TEST_F(RunReportTest, NothingCouldBeReadWhenNoTableWasReached) {
  EXPECT_EQ(report_.OverallStatus(), absl::OkStatus());
  report_.Fail(users_.index, Failure(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID"));
  EXPECT_EQ(report_.OverallStatus(), absl::OkStatus()) << "the other may still be read";
  report_.Fail(notes_.index, Failure(absl::StatusCode::kUnavailable, "INTERCOM_UNREACHABLE"));
  const absl::Status status = report_.OverallStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << "the first table's";
  EXPECT_EQ(ReasonOf(status), "TOKEN_INVALID");
}

TEST_F(RunReportTest, FailureOfOneTableAloneIsNoFailureOfAll) {
  report_.Fail(users_.index, Failure(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID"));
  report_.Fail(notes_.index, Failure(absl::StatusCode::kPermissionDenied, "SCOPE_MISSING"));
  EXPECT_EQ(report_.OverallStatus(), absl::OkStatus());
}

TEST_F(RunReportTest, RowsThatWereReadAreSomething) {
  report_.AddRows(notes_.index, 1, 10);
  for (const TableInfo* table : {&users_, &notes_}) {
    report_.Fail(table->index, Failure(absl::StatusCode::kUnavailable, "INTERCOM_UNREACHABLE"));
  }
  EXPECT_EQ(report_.OverallStatus(), absl::OkStatus());
}

TEST_F(RunReportTest, WhatIsSavedAddsUpInAnotherStream) {
  report_.AddRows(users_.index, 5, 500);
  report_.Restart(users_.index);
  report_.AddRows(users_.index, 2, 200);
  report_.SetPartial(users_.index);
  report_.SetDone(SetOf(users_));
  report_.SetListsDone(users_.index, 1);
  report_.Fail(notes_.index, Failure(absl::StatusCode::kPermissionDenied, "SCOPE_MISSING"));
  report_.CountNotice("notes", v1::NOTICE_CODE_TABLE_FAILED);
  resume::State state;
  report_.Save(&state);

  RunReport later({&users_, &notes_}, kNoon);
  later.Restore(state);
  v1::Summary summary;
  later.Fill(&summary, kNoon + absl::Milliseconds(1500), counters_);
  EXPECT_EQ(summary.DebugString(), Summary().DebugString());
  EXPECT_TRUE(later.Done(SetOf(users_)));
  EXPECT_FALSE(later.Done(SetOf(users_) | SetOf(notes_)));
  EXPECT_EQ(later.lists_done(users_.index), 1);
  EXPECT_EQ(later.Generation(users_.index), 2U);
  // This stream has given nothing yet.
  EXPECT_EQ(later.rows_streamed(), 0);
  EXPECT_EQ(report_.rows_streamed(), 7);
}

// Half a character is no UTF-8: the whole token could not be read.
TEST_F(RunReportTest, ALongErrorIsSavedWithoutHalfACharacter) {
  for (int bytes = 396; bytes <= 400; ++bytes) {
    RunReport report({&users_, &notes_}, kNoon);
    report.Fail(users_.index, absl::InternalError(std::string(bytes, 'x') + "\u20ac\u20ac"));
    resume::State state;
    report.Save(&state);
    resume::State read;
    ASSERT_TRUE(read.ParseFromString(state.SerializeAsString())) << bytes;
    EXPECT_EQ(read.tables(0).error().message(),
              std::string(bytes, 'x') + (bytes <= 397 ? "\u20ac" : ""));
  }
}

}  // namespace
}  // namespace intercom_extractor

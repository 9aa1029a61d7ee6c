#include "clients/cli/exit_code.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

ExitCode CodeFor(absl::StatusCode code) { return ExitCodeForStatus(absl::Status(code, "")); }

v1::Summary SummaryOf(v1::TableStatus status, const std::string& reason = "", int code = 0) {
  v1::Summary summary;
  v1::TableSummary& fine = *summary.add_tables();
  fine.set_status(v1::TABLE_STATUS_COMPLETE);
  v1::TableSummary& table = *summary.add_tables();
  table.set_status(status);
  if (!reason.empty()) {
    table.mutable_error()->set_reason(reason);
    table.mutable_error()->set_code(code);
  }
  return summary;
}

TEST(ExitCodeTest, FollowsTheStatusOfTheCall) {
  EXPECT_EQ(CodeFor(absl::StatusCode::kOk), ExitCode::kComplete);
  EXPECT_EQ(CodeFor(absl::StatusCode::kInvalidArgument), ExitCode::kUsage);
  EXPECT_EQ(CodeFor(absl::StatusCode::kNotFound), ExitCode::kUsage);
  EXPECT_EQ(CodeFor(absl::StatusCode::kUnimplemented), ExitCode::kUsage);
  EXPECT_EQ(CodeFor(absl::StatusCode::kUnauthenticated), ExitCode::kAuthentication);
  EXPECT_EQ(CodeFor(absl::StatusCode::kPermissionDenied), ExitCode::kAuthentication);
  EXPECT_EQ(CodeFor(absl::StatusCode::kUnavailable), ExitCode::kUnreachable);
  EXPECT_EQ(CodeFor(absl::StatusCode::kDeadlineExceeded), ExitCode::kUnreachable);
  EXPECT_EQ(CodeFor(absl::StatusCode::kInternal), ExitCode::kUnreachable);
}

TEST(ExitCodeTest, CompleteSummaryWithoutWarningIsComplete) {
  const v1::Summary summary = SummaryOf(v1::TABLE_STATUS_COMPLETE);
  EXPECT_EQ(ExitCodeForSummary(summary, /*saw_warning=*/false), ExitCode::kComplete);
  EXPECT_EQ(ExitCodeForSummary(summary, /*saw_warning=*/true), ExitCode::kPartial);
}

TEST(ExitCodeTest, MissingTableIsPartial) {
  EXPECT_EQ(ExitCodeForSummary(SummaryOf(v1::TABLE_STATUS_PARTIAL), false), ExitCode::kPartial);
  EXPECT_EQ(ExitCodeForSummary(SummaryOf(v1::TABLE_STATUS_FAILED, "SCOPE_MISSING", 7), false),
            ExitCode::kPartial);
  EXPECT_EQ(ExitCodeForSummary(SummaryOf(v1::TABLE_STATUS_UNSPECIFIED), false), ExitCode::kPartial);
}

TEST(ExitCodeTest, IntercomUnreachableOrTokenRevokedAlongTheWay) {
  EXPECT_EQ(
      ExitCodeForSummary(SummaryOf(v1::TABLE_STATUS_FAILED, "INTERCOM_UNREACHABLE", 14), false),
      ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeForSummary(SummaryOf(v1::TABLE_STATUS_FAILED, "TOKEN_INVALID", 16), false),
            ExitCode::kAuthentication);
}

TEST(ExitCodeTest, CheckIsCompleteOnlyWhenEachTableIs) {
  v1::CheckConnectionResponse response;
  EXPECT_EQ(ExitCodeForCheck(response), ExitCode::kComplete);
  response.add_tables()->set_access(v1::TABLE_ACCESS_OK);
  EXPECT_EQ(ExitCodeForCheck(response), ExitCode::kComplete);
  response.add_tables()->set_access(v1::TABLE_ACCESS_UNKNOWN);
  EXPECT_EQ(ExitCodeForCheck(response), ExitCode::kPartial);
}

TEST(ExitCodeTest, NumbersNeverChange) {
  EXPECT_EQ(static_cast<int>(ExitCode::kComplete), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kAuthentication), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kPartial), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::kUnreachable), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::kOutput), 6);
  EXPECT_EQ(static_cast<int>(ExitCode::kInterrupted), 130);
}

}  // namespace
}  // namespace intercom_extractor

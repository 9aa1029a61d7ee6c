#include "server/status_details.h"

#include <string>

#include "extractor/intercom/intercom_client.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

// The details of a status that went through ToGrpcStatus, as a client finds them.
google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), static_cast<int>(status.error_code()));
  EXPECT_EQ(details.message(), status.error_message());
  return details;
}

template <typename Detail>
bool Find(const google::rpc::Status& status, Detail* detail) {
  for (const auto& any : status.details()) {
    if (any.UnpackTo(detail)) return true;
  }
  return false;
}

TEST(StatusDetailsTest, OkStaysOkWithoutDetails) {
  const grpc::Status status = ToGrpcStatus(absl::OkStatus(), {"default", ""});
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.error_details(), "");
}

TEST(StatusDetailsTest, EveryErrorCarriesReasonDomainAndConnection) {
  const grpc::Status status = ToGrpcStatus(
      StatusWithReason(absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", "GET /me: HTTP 401"),
      {"default", ""});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(status.error_message(), "GET /me: HTTP 401");
  const google::rpc::Status details = DetailsOf(status);
  EXPECT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(Find(details, &info));
  EXPECT_EQ(info.reason(), "TOKEN_INVALID");
  EXPECT_EQ(info.domain(), "intercom-extractor");
  EXPECT_EQ(info.metadata().at("connection"), "default");
}

TEST(StatusDetailsTest, ErrorWithoutReasonIsNamedAfterItsCode) {
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(Find(DetailsOf(ToGrpcStatus(absl::InternalError("bug"), {})), &info));
  EXPECT_EQ(info.reason(), "INTERNAL");
  EXPECT_EQ(info.metadata_size(), 0);
}

TEST(StatusDetailsTest, RetryInfoStandsWhereWaitingHelps) {
  const struct {
    absl::StatusCode code;
    const char* reason;
    bool retry;
  } kCases[] = {
      {absl::StatusCode::kUnavailable, "INTERCOM_UNREACHABLE", true},
      {absl::StatusCode::kUnavailable, "INTERCOM_FAILING", true},
      {absl::StatusCode::kResourceExhausted, "RATE_LIMITED", true},
      {absl::StatusCode::kResourceExhausted, "LOCAL_RESOURCES", false},
      {absl::StatusCode::kFailedPrecondition, "INTERCOM_UNREACHABLE", false},
      {absl::StatusCode::kUnauthenticated, "TOKEN_INVALID", false},
      {absl::StatusCode::kPermissionDenied, "SCOPE_MISSING", false},
      {absl::StatusCode::kNotFound, "CONNECTION_UNKNOWN", false},
      {absl::StatusCode::kInvalidArgument, "BAD_REQUEST", false},
      {absl::StatusCode::kDataLoss, "ANSWER_MALFORMED", false},
      {absl::StatusCode::kAborted, "SCROLL_BROKEN", false},
  };
  for (const auto& test_case : kCases) {
    const grpc::Status status =
        ToGrpcStatus(StatusWithReason(test_case.code, test_case.reason, "why"), {});
    EXPECT_EQ(static_cast<int>(status.error_code()), static_cast<int>(test_case.code));
    google::rpc::ErrorInfo info;
    ASSERT_TRUE(Find(DetailsOf(status), &info));
    EXPECT_EQ(info.reason(), test_case.reason);
    google::rpc::RetryInfo retry;
    EXPECT_EQ(Find(DetailsOf(status), &retry), test_case.retry) << test_case.reason;
    EXPECT_EQ(retry.retry_delay().seconds() > 0, test_case.retry) << test_case.reason;
  }
}

TEST(StatusDetailsTest, RateLimitNamesWhoseQuota) {
  google::rpc::QuotaFailure failure;
  ASSERT_TRUE(Find(DetailsOf(ToGrpcStatus(StatusWithReason(absl::StatusCode::kResourceExhausted,
                                                           "RATE_LIMITED", "429 for 15 min"),
                                          {"europe", ""})),
                   &failure));
  ASSERT_EQ(failure.violations_size(), 1);
  EXPECT_EQ(failure.violations(0).subject(), "connection:europe");
  EXPECT_EQ(failure.violations(0).description(), "429 for 15 min");
}

TEST(StatusDetailsTest, BadRequestNamesTheField) {
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(Find(DetailsOf(ToGrpcStatus(StatusWithReason(absl::StatusCode::kInvalidArgument,
                                                           "BAD_REQUEST", "no such table"),
                                          {"default", "tables"})),
                   &bad_request));
  ASSERT_EQ(bad_request.field_violations_size(), 1);
  EXPECT_EQ(bad_request.field_violations(0).field(), "tables");
}

TEST(StatusDetailsTest, LongMessageIsCutBetweenCharacters) {
  std::string message;
  while (message.size() < 5000) message += "\xC3\xA9";  // One e with an accent.
  const grpc::Status status = ToGrpcStatus(absl::InternalError("x" + message), {});
  EXPECT_LT(status.error_message().size(), 1100u);
  EXPECT_THAT(status.error_message(), ::testing::EndsWith("\xC3\xA9..."));
  EXPECT_LT(status.error_details().size(), 1500u);
}

}  // namespace
}  // namespace intercom_extractor

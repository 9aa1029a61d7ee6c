#include "clients/cpp/errors.h"

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

absl::Status With(grpc::StatusCode code, const std::string& reason) {
  google::rpc::Status details;
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500'000'000);
  details.add_details()->PackFrom(retry);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  (*info.mutable_metadata())["connection"] = "default";
  details.add_details()->PackFrom(info);
  return FromGrpc({code, "no good", details.SerializeAsString()});
}

TEST(ErrorsTest, DetailsOfTheServerAreTyped) {
  const absl::Status status = With(grpc::StatusCode::RESOURCE_EXHAUSTED, "RATE_LIMITED");
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(status.message(), "no good");
  const ErrorDetails details = DetailsOf(status);
  EXPECT_EQ(details.reason, "RATE_LIMITED");
  EXPECT_EQ(ErrorReason(status), "RATE_LIMITED");
  EXPECT_THAT(details.metadata, ElementsAre(Pair("connection", "default")));
  EXPECT_EQ(details.retry_delay, absl::Seconds(1.5));
}

TEST(ErrorsTest, WithoutDetailsThereIsNoReason) {
  for (const char* content : {"", "\xff\xff"}) {
    const absl::Status status = FromGrpc({grpc::StatusCode::UNAVAILABLE, "Socket closed", content});
    EXPECT_TRUE(absl::IsUnavailable(status));
    EXPECT_EQ(ErrorReason(status), "");
    EXPECT_EQ(DetailsOf(status).retry_delay, std::nullopt);
  }
}

TEST(ErrorsTest, CodesAreThoseOfGrpc) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status = FromGrpc({static_cast<grpc::StatusCode>(code), ""});
    EXPECT_EQ(static_cast<int>(status.code()), code);
  }
}

TEST(ErrorsTest, RefusedResumeTokenIsToldFromOtherPreconditions) {
  EXPECT_TRUE(
      RefusesResumeToken(With(grpc::StatusCode::FAILED_PRECONDITION, "RESUME_TOKEN_EXPIRED")));
  EXPECT_FALSE(
      RefusesResumeToken(With(grpc::StatusCode::FAILED_PRECONDITION, "INTERCOM_UNREACHABLE")));
}

TEST(ErrorsTest, LostConnectionIsToldFromWhatIsWrongWithIntercom) {
  for (const auto code : {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED}) {
    EXPECT_TRUE(IsLostConnection(FromGrpc({code, "Socket closed"})));
    EXPECT_TRUE(IsLostConnection(With(code, "SERVER_STOPPING")));
    EXPECT_TRUE(IsLostConnection(With(code, "CONNECTION_AGE")));
    EXPECT_FALSE(IsLostConnection(With(code, "INTERCOM_UNREACHABLE")));
  }
  EXPECT_FALSE(IsLostConnection(FromGrpc({grpc::StatusCode::INTERNAL, ""})));
  EXPECT_FALSE(IsLostConnection(absl::OkStatus()));
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cli/server_errors.h"

#include <string>

#include "absl/status/status.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/errors.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

absl::Status StatusWith(grpc::StatusCode code, const std::string& message,
                        const std::string& reason) {
  google::rpc::Status details;
  google::rpc::RetryInfo other;
  details.add_details()->PackFrom(other);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  details.add_details()->PackFrom(info);
  return FromGrpc({code, message, details.SerializeAsString()});
}

ConnectionOptions Remote() {
  ConnectionOptions options;
  options.server = "extractor:1";
  return options;
}

TEST(ServerErrorsTest, RefusedAccessTokenSaysHowToGiveAnotherOne) {
  const absl::Status status =
      StatusWith(grpc::StatusCode::UNAUTHENTICATED, "GET /me: HTTP 401", "TOKEN_INVALID");
  ConnectionOptions options;
  const Outcome outcome = DescribeServerError(status, options);
  EXPECT_EQ(outcome.code, ExitCode::kAuthentication);
  EXPECT_EQ(outcome.message,
            "Intercom refused the access token of connection default (GET /me: HTTP 401); create "
            "a new token in the Developer Hub and set INTERCOM_ACCESS_TOKEN");
  options.access_token_file = "token.txt";
  EXPECT_THAT(DescribeServerError(status, options).message, HasSubstr("write it to token.txt"));
  options.access_token_file.clear();
  options.config = "server.yaml";
  EXPECT_THAT(DescribeServerError(status, options).message, HasSubstr("server.yaml"));
  EXPECT_THAT(DescribeServerError(status, Remote()).message,
              HasSubstr("give it to server extractor:1"));
}

TEST(ServerErrorsTest, RefusedCallerIsNotARefusedAccessToken) {
  const Outcome outcome = DescribeServerError(absl::UnauthenticatedError("who are you"), Remote());
  EXPECT_EQ(outcome.code, ExitCode::kAuthentication);
  EXPECT_THAT(outcome.message, HasSubstr("--caller-token-file"));
}

TEST(ServerErrorsTest, WhatACallerMayNotDoIsAMatterOfWhoRunsTheServer) {
  for (const char* reason : {"CONNECTION_FORBIDDEN", "TABLE_FORBIDDEN"}) {
    const Outcome outcome = DescribeServerError(
        StatusWith(grpc::StatusCode::PERMISSION_DENIED, "caller a may not", reason), Remote());
    EXPECT_EQ(outcome.code, ExitCode::kAuthentication);
    EXPECT_EQ(outcome.message,
              "caller a may not; ask whoever runs server extractor:1 for the permission");
  }
}

TEST(ServerErrorsTest, ALimitSaysWhenToComeBackAndIsNoFailure) {
  const Outcome outcome = DescribeServerError(
      StatusWith(grpc::StatusCode::RESOURCE_EXHAUSTED,
                 "caller a has 2 streams already, as many as it may; call again in 30s",
                 "CALLER_LIMIT"),
      Remote());
  EXPECT_EQ(outcome.code, ExitCode::kUnreachable);
  EXPECT_EQ(outcome.message,
            "server extractor:1 does no more for now: caller a has 2 streams already, as many as "
            "it may; call again in 30s");
}

TEST(ServerErrorsTest, TellsIntercomFromTheServer) {
  EXPECT_THAT(
      DescribeServerError(
          StatusWith(grpc::StatusCode::UNAVAILABLE, "timeout", "INTERCOM_UNREACHABLE"), Remote())
          .message,
      HasSubstr("Intercom cannot be reached: timeout"));
  EXPECT_THAT(DescribeServerError(absl::UnavailableError("refused"), Remote()).message,
              HasSubstr("cannot reach server extractor:1: refused"));
}

TEST(ServerErrorsTest, RefusedResumeTokenSaysHowToBeginAnew) {
  for (const char* reason : {"RESUME_TOKEN_INVALID", "RESUME_TOKEN_MISMATCH",
                             "RESUME_TOKEN_VERSION", "RESUME_TOKEN_EXPIRED"}) {
    const Outcome outcome = DescribeServerError(
        StatusWith(grpc::StatusCode::FAILED_PRECONDITION, "the token is no good", reason),
        Remote());
    EXPECT_EQ(outcome.code, ExitCode::kUsage);
    EXPECT_EQ(outcome.message,
              "server extractor:1 cannot continue this run: the token is no good; run without "
              "--resume to begin anew");
  }
  const absl::Status other =
      StatusWith(grpc::StatusCode::FAILED_PRECONDITION, "no trust", "INTERCOM_UNREACHABLE");
  EXPECT_FALSE(RefusesResumeToken(other));
  EXPECT_EQ(DescribeServerError(other, Remote()).message, "no trust");
}

TEST(ServerErrorsTest, EachErrorIsOneLineWithItsCode) {
  for (int code = 1; code <= 16; ++code) {
    for (const ConnectionOptions& options : {ConnectionOptions(), Remote()}) {
      const absl::Status status(static_cast<absl::StatusCode>(code), "two\nlines\x1b[2J");
      const Outcome outcome = DescribeServerError(status, options);
      EXPECT_NE(outcome.code, ExitCode::kComplete);
      EXPECT_THAT(outcome.message, HasSubstr("two lines [2J"));
      EXPECT_EQ(outcome.message.find('\n'), std::string::npos);
    }
  }
}

TEST(ServerErrorsTest, CallThatTheUserEndedIsNoErrorOfTheServer) {
  Cancellation interrupt;
  const absl::Status status = absl::UnavailableError("refused");
  EXPECT_EQ(CallOutcome(status, interrupt, Remote()).code,
            DescribeServerError(status, Remote()).code);
  interrupt.Cancel();
  EXPECT_EQ(CallOutcome(status, interrupt, Remote()).code, ExitCode::kInterrupted);
}

}  // namespace
}  // namespace intercom_extractor

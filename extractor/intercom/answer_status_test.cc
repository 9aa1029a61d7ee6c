#include "extractor/intercom/answer_status.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

constexpr char kOperation[] = "GET /contacts/{id}/notes";
constexpr char kToken[] = "dG9rOjEyMzQ1Njc4OTA=";
constexpr char kNginx404[] =
    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>nginx</body>\r\n</html>\r\n";

struct Judged {
  Verdict verdict;
  ApiAnswer answer;

  absl::StatusCode code() const { return answer.status.code(); }
  std::string reason() const { return ReasonOf(answer.status); }
  std::string message() const { return std::string(answer.status.message()); }
};

Judged Judge(int http_status, const std::string& body,
             const absl::Status& transfer = absl::OkStatus()) {
  Judged judged;
  judged.answer.body = ResponseBody::FromString(body);
  judged.verdict = JudgeAnswer(kOperation, kToken, transfer, http_status, &judged.answer);
  return judged;
}

std::string ErrorList(const std::string& code, const std::string& message = "why") {
  return absl::StrCat(R"({"type":"error.list","request_id":"req1","errors":[{"code":")", code,
                      R"(","message":")", message, R"("}]})");
}

struct Row {
  int http_status;
  std::string body;
  Verdict verdict;
  absl::StatusCode code;
  std::string reason;
};

TEST(JudgeAnswerTest, StatusFollowsTheDocumentedRows) {
  using Code = absl::StatusCode;
  const std::vector<Row> rows = {
      {401, ErrorList("unauthorized"), Verdict::kFinal, Code::kUnauthenticated, "TOKEN_INVALID"},
      {401, ErrorList("token_unauthorized"), Verdict::kFinal, Code::kUnauthenticated,
       "TOKEN_INVALID"},
      {401, "", Verdict::kFinal, Code::kUnauthenticated, "TOKEN_INVALID"},
      {402, "", Verdict::kFinal, Code::kPermissionDenied, "PLAN_RESTRICTED"},
      {403, ErrorList("forbidden"), Verdict::kFinal, Code::kPermissionDenied, "SCOPE_MISSING"},
      {403, ErrorList("api_plan_restricted"), Verdict::kFinal, Code::kPermissionDenied,
       "PLAN_RESTRICTED"},
      {403, "<html>forbidden</html>", Verdict::kFinal, Code::kPermissionDenied, "SCOPE_MISSING"},
      {404, ErrorList("not_found"), Verdict::kFinal, Code::kNotFound, "RECORD_GONE"},
      {404, ErrorList("company_not_found"), Verdict::kFinal, Code::kNotFound, "RECORD_GONE"},
      {404, kNginx404, Verdict::kFinal, Code::kNotFound, "RECORD_GONE"},
      {404, "", Verdict::kFinal, Code::kNotFound, "RECORD_GONE"},
      {410, ErrorList("contact_merged"), Verdict::kFinal, Code::kNotFound, "RECORD_GONE"},
      {400, ErrorList("scroll_exists"), Verdict::kFinal, Code::kAlreadyExists, "SCROLL_BUSY"},
      {400, ErrorList("parameter_invalid"), Verdict::kFinal, Code::kInvalidArgument,
       "REQUEST_REJECTED"},
      {400, ErrorList("bad_request", "page limit reached, please use scroll API"), Verdict::kFinal,
       Code::kInvalidArgument, "REQUEST_REJECTED"},
      {400, ErrorList("intercom_version_invalid"), Verdict::kFinal, Code::kInvalidArgument,
       "REQUEST_REJECTED"},
      // Cut by the way: nobody knows what it would have said.
      {400, R"({"type":"error.list","errors":[{"code":"scroll_ex)", Verdict::kTransient,
       Code::kDataLoss, "ANSWER_MALFORMED"},
      {405, "", Verdict::kFinal, Code::kInvalidArgument, "REQUEST_REJECTED"},
      {406, "", Verdict::kFinal, Code::kInvalidArgument, "REQUEST_REJECTED"},
      {409, ErrorList("conflict"), Verdict::kFinal, Code::kInvalidArgument, "REQUEST_REJECTED"},
      {415, "", Verdict::kFinal, Code::kInvalidArgument, "REQUEST_REJECTED"},
      {422, ErrorList("unprocessable_entity"), Verdict::kFinal, Code::kInvalidArgument,
       "REQUEST_REJECTED"},
      {301, "", Verdict::kFinal, Code::kInvalidArgument, "REQUEST_REJECTED"},
      {501, "", Verdict::kFinal, Code::kInvalidArgument, "REQUEST_REJECTED"},
      {408, ErrorList("request_timeout"), Verdict::kTransient, Code::kUnavailable,
       "INTERCOM_FAILING"},
      {425, "", Verdict::kTransient, Code::kUnavailable, "INTERCOM_FAILING"},
      {500, ErrorList("server_error"), Verdict::kTransient, Code::kUnavailable, "INTERCOM_FAILING"},
      {500, "", Verdict::kTransient, Code::kUnavailable, "INTERCOM_FAILING"},
      {502, "<html>Bad Gateway</html>", Verdict::kTransient, Code::kUnavailable,
       "INTERCOM_FAILING"},
      {503, ErrorList("service_unavailable"), Verdict::kTransient, Code::kUnavailable,
       "INTERCOM_FAILING"},
      {504, "", Verdict::kTransient, Code::kUnavailable, "INTERCOM_FAILING"},
      {520, "", Verdict::kTransient, Code::kUnavailable, "INTERCOM_FAILING"},
      {500,
       ErrorList("server_error",
                 "Request failed due to an internal network error. Please restart the scroll "
                 "operation."),
       Verdict::kFinal, Code::kAborted, "SCROLL_BROKEN"},
      {429, ErrorList("rate_limit_exceeded"), Verdict::kRateLimited, Code::kResourceExhausted,
       "RATE_LIMITED"},
      {429, ErrorList("too_many_requests"), Verdict::kRateLimited, Code::kResourceExhausted,
       "RATE_LIMITED"},
      {429, "<html>slow down</html>", Verdict::kRateLimited, Code::kResourceExhausted,
       "RATE_LIMITED"},
      {429, "", Verdict::kRateLimited, Code::kResourceExhausted, "RATE_LIMITED"},
      // Another limit, which no quota window ends.
      {429, ErrorList("pending_exports_exceeded"), Verdict::kTransient, Code::kResourceExhausted,
       "RATE_LIMITED"},
  };
  for (const Row& row : rows) {
    const Judged judged = Judge(row.http_status, row.body);
    const std::string what = absl::StrCat(row.http_status, " ", row.body);
    EXPECT_EQ(judged.verdict, row.verdict) << what;
    EXPECT_EQ(judged.code(), row.code) << what;
    EXPECT_EQ(judged.reason(), row.reason) << what;
    EXPECT_TRUE(absl::StartsWith(judged.message(), absl::StrCat(kOperation, ": ")))
        << judged.message();
    EXPECT_TRUE(absl::StrContains(judged.message(), absl::StrCat("HTTP ", row.http_status)))
        << judged.message();
  }
}

TEST(JudgeAnswerTest, JsonIsGood) {
  for (const char* body : {"{}", "[]", R"({"data":[]})", "\r\n {\"a\":1} \n", "[1]"}) {
    const Judged judged = Judge(200, body);
    EXPECT_EQ(judged.verdict, Verdict::kFinal) << body;
    EXPECT_EQ(judged.answer.status, absl::OkStatus()) << body;
  }
  EXPECT_TRUE(
      Judge(200, absl::StrCat("{\"a\":\"", std::string(100000, 'x'), "\"}")).answer.status.ok());
}

TEST(JudgeAnswerTest, A200WithoutAWholeJsonTextIsWorthAnotherTry) {
  for (const std::string& body :
       {std::string(), std::string(" \r\n"), std::string(1000, ' '), std::string(kNginx404),
        std::string("{"), std::string("}"), std::string(R"({"data":[{"id":"1")"),
        std::string(R"({"data":[)"), std::string("[1}"), std::string("{1]"), std::string("null"),
        std::string("text"), std::string("\0{}", 3)}) {
    const Judged judged = Judge(200, body);
    EXPECT_EQ(judged.verdict, Verdict::kTransient) << body;
    EXPECT_EQ(judged.code(), absl::StatusCode::kDataLoss) << body;
    EXPECT_EQ(judged.reason(), "ANSWER_MALFORMED") << body;
  }
  EXPECT_TRUE(absl::StrContains(Judge(200, "").message(), "empty body"));
}

TEST(JudgeAnswerTest, LargeBodyInAFileIsJudgedByItsEnds) {
  for (const bool whole : {true, false}) {
    ApiAnswer answer;
    answer.body = ResponseBody(10);
    const std::string text =
        absl::StrCat("{\"a\":\"", std::string(100000, 'x'), whole ? "\"}" : "");
    ASSERT_TRUE(answer.body.Append(text.data(), text.size()).ok());
    ASSERT_TRUE(answer.body.in_file());
    JudgeAnswer(kOperation, kToken, absl::OkStatus(), 200, &answer);
    EXPECT_EQ(answer.status.ok(), whole);
  }
}

TEST(JudgeAnswerTest, WhatBecameOfTheTransferComesFirst) {
  using Code = absl::StatusCode;
  struct {
    Code transfer;
    Verdict verdict;
    Code code;
    const char* reason;
  } const rows[] = {
      {Code::kUnavailable, Verdict::kTransient, Code::kUnavailable, "INTERCOM_UNREACHABLE"},
      {Code::kDeadlineExceeded, Verdict::kTransient, Code::kUnavailable, "INTERCOM_UNREACHABLE"},
      {Code::kFailedPrecondition, Verdict::kFinal, Code::kFailedPrecondition,
       "INTERCOM_UNREACHABLE"},
      {Code::kResourceExhausted, Verdict::kFinal, Code::kResourceExhausted, "LOCAL_RESOURCES"},
      {Code::kCancelled, Verdict::kFinal, Code::kCancelled, ""},
  };
  for (const auto& row : rows) {
    // A cut body may look whole.
    const Judged judged = Judge(200, "{}", absl::Status(row.transfer, "it went so"));
    EXPECT_EQ(judged.verdict, row.verdict) << judged.answer.status;
    EXPECT_EQ(judged.code(), row.code);
    EXPECT_EQ(judged.reason(), row.reason);
    EXPECT_TRUE(absl::StrContains(judged.message(), "it went so"));
  }
}

TEST(JudgeAnswerTest, MessageSaysWhatIntercomSaid) {
  const Judged judged = Judge(400, ErrorList("parameter_invalid", "per_page is too large"));
  EXPECT_EQ(judged.message(), absl::StrCat(kOperation,
                                           ": HTTP 400 parameter_invalid (per_page is too large), "
                                           "request_id=req1"));
  EXPECT_EQ(judged.answer.request_id, "req1");
}

TEST(JudgeAnswerTest, RequestIdOfTheHeaderStaysWhenTheBodyHasNone) {
  ApiAnswer answer;
  answer.request_id = "from-header";
  answer.body = ResponseBody::FromString(kNginx404);
  JudgeAnswer(kOperation, kToken, absl::OkStatus(), 404, &answer);
  EXPECT_EQ(answer.request_id, "from-header");
  EXPECT_TRUE(absl::StrContains(answer.status.message(), "request_id=from-header"));
}

// It would spoil the event that repeats it: protobuf's strings are UTF-8.
TEST(JudgeAnswerTest, RequestIdThatIsNoAsciiIsForgotten) {
  ApiAnswer answer;
  answer.request_id = "\xff\xfe";
  answer.body = ResponseBody::FromString(kNginx404);
  JudgeAnswer(kOperation, kToken, absl::OkStatus(), 404, &answer);
  EXPECT_EQ(answer.request_id, "");
}

// It goes into gRPC's metadata, which has room for 8 KiB in all.
TEST(JudgeAnswerTest, RequestIdThatIsTooLongForOneIsForgotten) {
  for (const size_t size : {200, 201, 100'000}) {
    ApiAnswer answer;
    answer.request_id = std::string(size, 'a');
    answer.body = ResponseBody::FromString(kNginx404);
    JudgeAnswer(kOperation, kToken, absl::OkStatus(), 404, &answer);
    EXPECT_EQ(answer.request_id.size(), size == 200 ? 200 : 0);
    EXPECT_LT(answer.status.message().size(), 500u);
  }
}

TEST(JudgeAnswerTest, TokenIsNeverInAMessageEvenWhenTheServerEchoesIt) {
  for (const int status : {400, 401, 403, 404, 429, 500, 503}) {
    const Judged judged =
        Judge(status, ErrorList("unauthorized", absl::StrCat("Bearer ", kToken, " is bad")));
    EXPECT_FALSE(absl::StrContains(judged.message(), kToken)) << judged.message();
    EXPECT_TRUE(absl::StrContains(judged.message(), "[token]")) << judged.message();
  }
  const Judged in_code = Judge(400, ErrorList(kToken));
  EXPECT_FALSE(absl::StrContains(in_code.message(), kToken)) << in_code.message();
  const Judged in_transfer = Judge(0, "", absl::UnavailableError(absl::StrCat("to ", kToken)));
  EXPECT_FALSE(absl::StrContains(in_transfer.message(), kToken)) << in_transfer.message();

  ApiAnswer answer;
  answer.request_id = kToken;
  JudgeAnswer(kOperation, kToken, absl::OkStatus(), 500, &answer);
  EXPECT_FALSE(absl::StrContains(answer.status.message(), kToken)) << answer.status;
  EXPECT_FALSE(absl::StrContains(answer.request_id, kToken)) << answer.request_id;
}

// A long message is cut, and what the cut left of the token passed unnoticed.
TEST(JudgeAnswerTest, TokenThatALongMessageCutsInTwoIsNotShownEither) {
  const std::string start = std::string(kToken).substr(0, 6);
  for (size_t before = 170; before <= 200; ++before) {
    const Judged judged =
        Judge(401, ErrorList("unauthorized", absl::StrCat(std::string(before, '.'), kToken)));
    EXPECT_FALSE(absl::StrContains(judged.message(), start)) << judged.message();
  }
}

TEST(JudgeAnswerTest, HugeErrorPageIsNotReadToItsEnd) {
  const Judged judged = Judge(500, ErrorList("server_error", std::string(1 << 20, 'x')));
  EXPECT_EQ(judged.code(), absl::StatusCode::kUnavailable);
  EXPECT_LT(judged.message().size(), 500u);
}

TEST(ReasonTest, TravelsWithTheStatus) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  EXPECT_EQ(ReasonOf(absl::NotFoundError("plain")), "");
  const absl::Status status =
      StatusWithReason(absl::StatusCode::kNotFound, "RECORD_GONE", "it went");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "it went");
  EXPECT_EQ(ReasonOf(status), "RECORD_GONE");
}

TEST(IsTooSlowTest, IsWhatIntercomOrItsGatewayHadNotReadyInTime) {
  const absl::Status late = absl::DeadlineExceededError("no byte for 90 s");
  EXPECT_TRUE(IsTooSlow(late, /*sent=*/true, 0));
  for (const int status : {408, 502, 504}) {
    EXPECT_TRUE(IsTooSlow(absl::OkStatus(), true, status)) << status;
  }
}

TEST(IsTooSlowTest, OtherFailuresSayNothingAboutHowMuchWasAskedFor) {
  EXPECT_FALSE(IsTooSlow(absl::DeadlineExceededError("not connected"), /*sent=*/false, 0));
  EXPECT_FALSE(IsTooSlow(absl::UnavailableError("reset"), true, 0));
  EXPECT_FALSE(IsTooSlow(absl::CancelledError("cancelled"), true, 0));
  for (const int status : {200, 400, 429, 500, 503}) {
    EXPECT_FALSE(IsTooSlow(absl::OkStatus(), true, status)) << status;
  }
}

}  // namespace
}  // namespace intercom_extractor

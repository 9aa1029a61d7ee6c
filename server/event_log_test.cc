#include "server/event_log.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/log.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Event ToEvent(const v1::ExtractResponse& response) { return Event(response.SerializeAsString()); }

class EventLogTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { StartLogging(LogFormat::kJson, spdlog::level::info); }

  std::string Logged(const Event& event) {
    ::testing::internal::CaptureStderr();
    LogEvent(event, {"00c0ffee00c0ffee", "acme", "nightly", "4bf92f3577b34da6a3ce929d0e0e4736"});
    return ::testing::internal::GetCapturedStderr();
  }

  v1::ExtractResponse response_;
};

TEST_F(EventLogTest, WarningsHaveTableReasonAndIntercomsRequestId) {
  v1::Notice& notice = *response_.mutable_notice();
  notice.set_code(v1::NOTICE_CODE_DETAILS_FAILED);
  notice.set_severity(v1::SEVERITY_WARNING);
  notice.set_table("notes");
  notice.set_record_id("c-1");
  notice.set_request_id("req-1");
  notice.set_message("its rows are missing");
  EXPECT_THAT(Logged(ToEvent(response_)),
              AllOf(HasSubstr(R"("level":"warning","message":"notice",)"),
                    HasSubstr(R"("extraction":"00c0ffee00c0ffee","connection":"acme",)"),
                    HasSubstr(R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",)"),
                    HasSubstr(R"("table":"notes","reason":"DETAILS_FAILED","record_id":"c-1",)"),
                    HasSubstr(R"("request_id":"req-1","detail":"its rows are missing"})")));
}

TEST_F(EventLogTest, WhatIsMerelyWorthKnowingIsForDebugging) {
  response_.mutable_notice()->set_severity(v1::SEVERITY_INFO);
  EXPECT_EQ(Logged(ToEvent(response_)), "");
}

TEST_F(EventLogTest, ATableThatBeginsAnewIsLogged) {
  response_.mutable_table_restarted()->set_table("companies");
  response_.mutable_table_restarted()->set_reason("the scroll broke");
  EXPECT_THAT(Logged(ToEvent(response_)),
              AllOf(HasSubstr(R"("table":"companies")"), HasSubstr("the scroll broke"),
                    Not(HasSubstr("request_id"))));
}

TEST_F(EventLogTest, RowsProgressAndRubbishAreNot) {
  response_.mutable_progress();
  EXPECT_EQ(Logged(ToEvent(response_)), "");
  response_.mutable_row_batch()->add_users()->set_email("someone@customer.example");
  EXPECT_EQ(Logged(ToEvent(response_)), "");
  EXPECT_EQ(Logged(Event()), "");
  EXPECT_EQ(Logged(Event("\x1a\xff")), "");
}

}  // namespace
}  // namespace intercom_extractor

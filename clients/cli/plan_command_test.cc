#include "clients/cli/plan_command.h"

#include <string>

#include "absl/time/time.h"
#include "clients/cli/fake_extractor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void Set(v1::CountEstimate* estimate, int64_t min, int64_t likely, int64_t max) {
  estimate->set_min(min);
  estimate->set_likely(likely);
  estimate->set_max(max);
}

class PlanCommandTest : public ::testing::Test {
 protected:
  PlanCommandTest() {
    v1::ExtractionPlan& plan = *fake_.plan.mutable_plan();
    v1::PlannedRequests& contacts = *plan.add_requests();
    contacts.set_operation("GET /contacts");
    contacts.set_way(v1::READ_WAY_LIST);
    contacts.add_tables("users");
    Set(contacts.mutable_requests(), 7, 7, 7);
    v1::PlannedRequests& notes = *plan.add_requests();
    notes.set_operation("GET /contacts/{id}/notes");
    notes.set_way(v1::READ_WAY_PER_RECORD);
    notes.set_reason("for contacts that have notes");
    notes.add_tables("notes");
    Set(notes.mutable_requests(), 0, 1200, 4000);
    v1::TablePlan& users = *plan.add_tables();
    users.set_table("users");
    Set(users.mutable_requests(), 7, 7, 7);
    Set(users.mutable_rows(), 1050, 1050, 1050);
    Set(plan.mutable_total(), 7, 1207, 4007);
    plan.mutable_duration()->mutable_min()->set_nanos(50000000);
    plan.mutable_duration()->mutable_likely()->set_seconds(72);
    plan.mutable_duration()->mutable_max()->set_seconds(241);
    fake_.plan.mutable_quota()->set_limit(1666);
    fake_.plan.mutable_requests()->set_sent(8);
    options_.tables = {"users", "notes"};
  }

  Outcome Run() { return RunPlan(options_, fake_.api.get(), fake_.console); }

  FakeExtractor fake_;
  PlanOptions options_;
};

TEST_F(PlanCommandTest, SaysRequestsTablesAndTime) {
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.planned.tables(), ElementsAre("users", "notes"));
  EXPECT_EQ(fake_.out,
            "operation                 requests                  how\n"
            "GET /contacts             7                         list\n"
            "GET /contacts/{id}/notes  about 1,200 (0 to 4,000)  one per record: for contacts that "
            "have notes\n"
            "total                     about 1,207 (7 to 4,007)\n"
            "\n"
            "table  requests  rows\n"
            "users  7         1,050\n"
            "\n"
            "time: about 1:12 (0:01 to 4:01), as the quota of 1,666 requests per window less the "
            "reserve allows\n"
            "Planning took 8 requests. No rows were read.\n");
}

TEST_F(PlanCommandTest, WithoutAQuotaNothingIsSaidOfTheTime) {
  fake_.plan.mutable_plan()->clear_duration();
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_THAT(fake_.out, HasSubstr("Intercom states no quota"));
}

TEST_F(PlanCommandTest, JsonIsOneObject) {
  options_.json = true;
  options_.connection.connection = "acme";
  options_.body_format = v1::BODY_FORMAT_HTML;
  EXPECT_EQ(Run().code, ExitCode::kComplete);
  EXPECT_EQ(fake_.connection, "acme");
  EXPECT_EQ(fake_.planned.body_format(), v1::BODY_FORMAT_HTML);
  EXPECT_EQ(
      fake_.out,
      R"({"connection":"acme","updated_since":null,"find_deleted":false,"plan":{"total":{"min":7,"likely":1207,"max":4007},)"
      R"("duration_seconds":{"min":0.05,"likely":72,"max":241},"requests":[)"
      R"({"operation":"GET /contacts","way":"list","tables":["users"],)"
      R"("requests":{"min":7,"likely":7,"max":7},"reason":""},)"
      R"({"operation":"GET /contacts/{id}/notes","way":"per_record","tables":["notes"],)"
      R"("requests":{"min":0,"likely":1200,"max":4000},)"
      R"("reason":"for contacts that have notes"}],"tables":[{"table":"users",)"
      R"("requests":{"min":7,"likely":7,"max":7},)"
      R"("rows":{"min":1050,"likely":1050,"max":1050}}]},"requests_made":8})"
      "\n");
}

TEST_F(PlanCommandTest, IncrementalPlanSaysSinceWhen) {
  options_.incremental.find_deleted = true;
  Run();
  EXPECT_FALSE(fake_.planned.has_updated_since());
  EXPECT_FALSE(fake_.planned.find_deleted());
  fake_.out.clear();

  options_.incremental.since = absl::FromUnixSeconds(1714521600);
  Run();
  EXPECT_EQ(fake_.planned.updated_since().seconds(), 1714521600);
  EXPECT_TRUE(fake_.planned.find_deleted());
  EXPECT_THAT(fake_.out, HasSubstr("incremental: what changed since 2024-05-01T00:00:00Z, and what "
                                   "was deleted\n\noperation"));
  options_.json = true;
  Run();
  EXPECT_THAT(fake_.out,
              HasSubstr(R"("updated_since":"2024-05-01T00:00:00Z","find_deleted":true)"));
}

TEST_F(PlanCommandTest, ErrorsHaveTheirCodes) {
  fake_.status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "HTTP 401");
  EXPECT_EQ(Run().code, ExitCode::kAuthentication);
  fake_.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "no route");
  EXPECT_EQ(Run().code, ExitCode::kUnreachable);
  EXPECT_EQ(fake_.out, "");
  fake_.status = grpc::Status::OK;
  fake_.out_works = false;
  EXPECT_EQ(Run().code, ExitCode::kOutput);
}

}  // namespace
}  // namespace intercom_extractor

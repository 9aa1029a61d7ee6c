// What a run will cost, said before and during it: the plan against the fake's own
// log of requests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

struct Sizes {
  size_t users;
  size_t leads;
  size_t companies;
  size_t conversations;
};

std::shared_ptr<const fake::Workspace> Workspace(const Sizes& sizes) {
  fake::GeneratorOptions options;
  options.users = sizes.users;
  options.leads = sizes.leads;
  options.companies = sizes.companies;
  options.conversations = sizes.conversations;
  return std::make_shared<fake::GeneratedWorkspace>(options);
}

// By operation; what one of a plan's lines says in `bound`.
std::map<std::string, int64_t> Lines(const v1::ExtractionPlan& plan,
                                     int64_t (v1::CountEstimate::*bound)() const) {
  std::map<std::string, int64_t> lines;
  for (const v1::PlannedRequests& line : plan.requests()) {
    lines[line.operation()] += (line.requests().*bound)();
  }
  return lines;
}

class PlanTest : public ::testing::TestWithParam<Sizes> {};

TEST_P(PlanTest, FinalPlanIsWhatIntercomWasAskedAndNothingWasAskedTwice) {
  ExtractionHarness harness(Workspace(GetParam()), fake::FakeIntercomOptions());
  const Extracted got = harness.Run();
  ASSERT_TRUE(got.status.ok()) << got.status;
  const fake::Stats::Snapshot log = harness.intercom().stats();
  EXPECT_EQ(got.summary.plan().total().likely(), log.total);
  EXPECT_EQ(got.summary.plan().total().min(), log.total);
  EXPECT_EQ(got.summary.plan().total().max(), log.total);
  EXPECT_EQ(log.total, got.summary.requests().sent() - got.summary.requests().retries());
  EXPECT_THAT(log.duplicate_list, IsEmpty());
  const auto lines = Lines(got.summary.plan(), &v1::CountEstimate::likely);
  std::map<std::string, int64_t> routes(log.by_route.begin(), log.by_route.end());
  EXPECT_EQ(lines, routes);
}

TEST_P(PlanTest, FirstEstimatesAreWithinATenthOfWhatItTakes) {
  ExtractionHarness harness(Workspace(GetParam()), fake::FakeIntercomOptions());
  const auto planned = harness.Plan();
  ASSERT_TRUE(planned.ok()) << planned.status();
  EXPECT_LE(planned->requests().sent(), 12);
  const Extracted got = harness.Run();
  const int64_t made = got.summary.plan().total().likely();
  const auto is_near = AllOf(Ge(made * 9 / 10), Le(made * 11 / 10 + 1));
  const v1::CountEstimate& total = planned->plan().total();
  EXPECT_THAT(total.likely(), is_near) << planned->plan().DebugString();
  EXPECT_LE(total.min(), made) << planned->plan().DebugString();
  EXPECT_GE(total.max(), made) << planned->plan().DebugString();
  EXPECT_THAT(got.summary.first_estimate().likely(), is_near) << "of " << made;

  // Both know the same operations.
  const auto before = Lines(planned->plan(), &v1::CountEstimate::max);
  for (const auto& [operation, requests] : Lines(got.summary.plan(), &v1::CountEstimate::likely)) {
    EXPECT_EQ(before.count(operation), 1u) << operation;
  }
  for (const v1::TablePlan& table : planned->plan().tables()) {
    if (!table.has_rows()) continue;
    EXPECT_NEAR(static_cast<double>(table.rows().likely()),
                static_cast<double>(got.Table(table.table()).rows()),
                static_cast<double>(got.Table(table.table()).rows()) / 8 + 2)
        << table.table();
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, PlanTest,
                         ::testing::Values(Sizes{0, 0, 0, 0}, Sizes{200, 100, 170, 60},
                                           Sizes{100, 900, 120, 700}, Sizes{3000, 800, 500, 300},
                                           Sizes{60, 40, 50, 3500}));

TEST(PlanTest, TablesThatMayNotBeReadAreSaid) {
  fake::FakeIntercomOptions options;
  options.faults = "scope_missing:/conversations";
  ExtractionHarness harness(Workspace({200, 100, 170, 60}), options);
  const auto planned = harness.Plan({"tags", "conversations"});
  ASSERT_TRUE(planned.ok()) << planned.status();
  std::vector<std::string> reasons;
  for (const v1::PlannedRequests& line : planned->plan().requests()) {
    reasons.push_back(line.reason());
  }
  EXPECT_THAT(reasons, Contains(HasSubstr("cannot be counted")));
}

TEST(PlanTest, WrongTokensAndUnknownTablesAreErrors) {
  ExtractionHarness harness(Workspace({0, 0, 0, 0}), fake::FakeIntercomOptions());
  EXPECT_TRUE(absl::IsInvalidArgument(harness.Plan({"user"}).status()));
  harness.access_token = "wrong";
  EXPECT_TRUE(absl::IsUnauthenticated(harness.Plan().status()));
}

TEST(PlanTest, ProgressCountsDownToTheLastRequest) {
  ExtractionHarness harness(Workspace({200, 100, 170, 60}), fake::FakeIntercomOptions());
  v1::Progress last;
  harness.Run({}, [&last](const v1::ExtractResponse& event) {
    if (event.has_progress()) last = event.progress();
  });
  ASSERT_TRUE(last.has_requests_planned());
  EXPECT_EQ(last.requests_planned().likely(), last.requests().sent());
  EXPECT_EQ(last.remaining().seconds(), 0);
}

TEST(PlanTest, AnswersThatCameDamagedCountAsRetries) {
  fake::FakeIntercomOptions options;
  options.faults = "malformed_json:7";
  ExtractionHarness harness(Workspace({200, 100, 0, 60}), options);
  const Extracted got = harness.Run({"users", "notes", "conversations"});
  EXPECT_GT(got.summary.requests().retries(), 0);
  EXPECT_EQ(got.summary.plan().total().likely(),
            got.summary.requests().sent() - got.summary.requests().retries());
}

}  // namespace
}  // namespace intercom_extractor

#include "extractor/plan/request_plan.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;

TableSet Set(const std::vector<std::string>& names) {
  TableSet set;
  for (const std::string& name : names) set.set(TableCatalog::Get().Find(name)->index);
  return set;
}

RequestPlan PlanFor(const std::vector<std::string>& names) {
  return RequestPlan(*TableCatalog::Get().Select(v1::TEMPLATE_UNSPECIFIED, names));
}

TEST(PagesOfTest, CountsTheLastPageAndTheEmptyList) {
  EXPECT_EQ(PagesOf(0, 150), 1);
  EXPECT_EQ(PagesOf(150, 150), 1);
  EXPECT_EQ(PagesOf(151, 150), 2);
}

TEST(RequestPlanTest, IsKnownOnceEveryLineIs) {
  RequestPlan plan = PlanFor({"users", "tags"});
  RequestPlan::Line* users = plan.AddLine("GET /contacts", v1::READ_WAY_LIST, Set({"users"}));
  RequestPlan::Line* tags = plan.AddLine("GET /tags", v1::READ_WAY_LIST, Set({"tags"}));
  tags->Expect(Estimate::Exactly(1));
  EXPECT_FALSE(plan.Known());
  users->Expect({1, 2, 3});
  EXPECT_TRUE(plan.Known());
}

TEST(RequestPlanTest, RequestsThatAreAskedTakeFromThoseExpected) {
  RequestPlan plan = PlanFor({"users"});
  RequestPlan::Line* line = plan.AddLine("GET /contacts", v1::READ_WAY_LIST, Set({"users"}));
  line->Expect({1, 5, 9});
  line->Ask();
  line->Ask();
  const Estimate total = plan.Total();
  EXPECT_EQ(total.min, 2) << "two were asked, so it takes at least two";
  EXPECT_EQ(total.likely, 5);
  EXPECT_EQ(total.max, 9);
  line->End();
  EXPECT_EQ(plan.Total().min, 2);
  EXPECT_EQ(plan.Total().max, 2) << "at the end the plan is what was asked";
}

TEST(RequestPlanTest, RequestsThatTablesShareCountOnceInTheTotal) {
  RequestPlan plan = PlanFor({"users", "leads", "notes"});
  plan.AddLine("GET /me", v1::READ_WAY_LIST, TableSet())->Ask();
  plan.AddLine("GET /contacts", v1::READ_WAY_LIST, Set({"users", "leads"}))
      ->Expect(Estimate::Exactly(4));
  RequestPlan::Line* notes =
      plan.AddLine("GET /contacts/{id}/notes", v1::READ_WAY_PER_RECORD, Set({"notes"}));
  notes->Expect({0, 2, 8});
  notes->Explain("one per contact that has notes");
  plan.AddLine("GET /tags", v1::READ_WAY_LIST, TableSet())->End();

  v1::ExtractionPlan filled;
  plan.Fill(&filled);
  EXPECT_EQ(filled.total().min(), 5);
  EXPECT_EQ(filled.total().likely(), 7);
  EXPECT_EQ(filled.total().max(), 13);
  ASSERT_EQ(filled.requests_size(), 3) << "a line without requests is left out";
  EXPECT_THAT(filled.requests(0).tables(), ElementsAre());
  EXPECT_THAT(filled.requests(1).tables(), ElementsAre("users", "leads"));
  EXPECT_EQ(filled.requests(2).reason(), "one per contact that has notes");
  EXPECT_EQ(filled.requests(2).way(), v1::READ_WAY_PER_RECORD);
  ASSERT_EQ(filled.tables_size(), 3);
  EXPECT_EQ(filled.tables(1).table(), "notes");
  EXPECT_EQ(filled.tables(0).requests().likely(), 4);
  EXPECT_EQ(filled.tables(1).requests().max(), 8);
}

TEST(RequestPlanTest, PartsOfALineCountInIt) {
  RequestPlan plan = PlanFor({"users"});
  RequestPlan::Line* line = plan.AddLine("POST /x", v1::READ_WAY_PER_SEGMENT, Set({"users"}));
  RequestPlan::Line* part = line->AddPart();
  RequestPlan::Line* other = line->AddPart();
  EXPECT_FALSE(plan.Known());
  line->End();
  EXPECT_TRUE(plan.Known());
  part->Expect({1, 2, 3});
  other->Expect(Estimate::Exactly(5));
  part->Ask();
  EXPECT_EQ(plan.Asked(), 1);
  EXPECT_EQ(plan.Total().min, 1 + 0 + 5);
  EXPECT_EQ(plan.Total().likely, 1 + 1 + 5);
  EXPECT_EQ(plan.Total().max, 1 + 2 + 5);
  line->End();
  EXPECT_EQ(plan.Total().max, 1);
}

}  // namespace
}  // namespace intercom_extractor

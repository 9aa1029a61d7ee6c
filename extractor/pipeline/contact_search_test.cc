#include "extractor/pipeline/contact_search.h"

#include <gtest/gtest.h>

#include <string>

namespace intercom_extractor {
namespace {

TEST(ContactSearchTest, FirstPageOfSomeDays) {
  ContactFilter filter;
  filter.created_from = absl::CivilDay(2024, 3, 10);
  filter.created_before = absl::CivilDay(2024, 3, 11);
  // The day has 23 hours.
  EXPECT_EQ(ContactSearchBody(filter, DayCalendar("America/New_York"), 150, ""),
            R"({"query":{"operator":"AND","value":[)"
            R"({"field":"created_at","operator":">","value":1710046799},)"
            R"({"field":"created_at","operator":"<","value":1710129600}]},)"
            R"("sort":{"field":"created_at","order":"ascending"},"pagination":{"per_page":150}})");
}

TEST(ContactSearchTest, LaterPageOfARoleAndDaysOfUpdate) {
  ContactFilter filter;
  filter.created_before = absl::CivilDay(1970, 1, 3);
  filter.role = ContactFilter::Role::kNotUser;
  filter.updated_from = absl::CivilDay(1970, 1, 2);
  EXPECT_EQ(ContactSearchBody(filter, DayCalendar("UTC"), 50, "a+/\"\n"),
            R"({"query":{"operator":"AND","value":[)"
            R"({"field":"created_at","operator":"<","value":172800},)"
            R"({"field":"role","operator":"!=","value":"user"},)"
            R"({"field":"updated_at","operator":">","value":86399}]},)"
            R"("sort":{"field":"created_at","order":"ascending"},)"
            R"("pagination":{"per_page":50,"starting_after":"a+/\"\u000a"}})");
}

TEST(ContactSearchTest, UnknownTimeZoneTakesADayMoreOnEachSide) {
  ContactFilter filter;
  filter.created_from = absl::CivilDay(1970, 1, 3);
  filter.created_before = absl::CivilDay(1970, 1, 4);
  const std::string body = ContactSearchBody(filter, DayCalendar(""), 150, "");
  EXPECT_NE(body.find(R"(">","value":86399})"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("<","value":345600})"), std::string::npos) << body;
}

TEST(ContactSearchTest, MembersOfASegment) {
  ContactFilter filter;
  filter.created_before = absl::CivilDay(1970, 1, 3);
  filter.segment_id = "a\"b";
  const std::string body = ContactSearchBody(filter, DayCalendar("UTC"), 150, "");
  EXPECT_NE(body.find(R"(172800},{"field":"segment_id","operator":"=","value":"a\"b"}]})"),
            std::string::npos)
      << body;
}

}  // namespace
}  // namespace intercom_extractor

#include "extractor/pipeline/day_calendar.h"

#include <gtest/gtest.h>

namespace intercom_extractor {
namespace {

using absl::CivilDay;

TEST(DayCalendarTest, DaysOfDaylightSavingHave23And25Hours) {
  const DayCalendar calendar("America/New_York");
  ASSERT_TRUE(calendar.known());
  const auto hours = [&](CivilDay day) {
    return (calendar.Start(day + 1) - calendar.Start(day)) / 3600;
  };
  EXPECT_EQ(hours(CivilDay(2024, 3, 10)), 23);
  EXPECT_EQ(hours(CivilDay(2024, 11, 3)), 25);
  EXPECT_EQ(hours(CivilDay(2024, 11, 4)), 24);
}

TEST(DayCalendarTest, SecondsBeforeAndAfterMidnightAreOnTheirDays) {
  const DayCalendar calendar("Asia/Kathmandu");
  const CivilDay day(2024, 5, 17);
  EXPECT_EQ(calendar.DayOf(calendar.Start(day)), day);
  EXPECT_EQ(calendar.DayOf(calendar.Start(day) - 1), day - 1);
}

TEST(DayCalendarTest, NoCutWhereMidnightDoesNotExistOrComesTwice) {
  // 2018-11-04 began at 01:00.
  const DayCalendar sao_paulo("America/Sao_Paulo");
  EXPECT_EQ(sao_paulo.NextCut(CivilDay(2018, 11, 4)), CivilDay(2018, 11, 5));
  EXPECT_EQ(sao_paulo.Start(CivilDay(2018, 11, 4)) - 1 + 3600,
            sao_paulo.Start(CivilDay(2018, 11, 3)) + 25 * 3600 - 1);
  EXPECT_EQ(sao_paulo.DayOf(sao_paulo.Start(CivilDay(2018, 11, 4)) - 1), CivilDay(2018, 11, 3));
  // On 2023-10-29 the clock went from 01:00 back to 00:00.
  const DayCalendar azores("Atlantic/Azores");
  EXPECT_EQ(azores.NextCut(CivilDay(2023, 10, 29)), CivilDay(2023, 10, 30));
  // 2011-12-30 was left out.
  const DayCalendar apia("Pacific/Apia");
  EXPECT_EQ(apia.NextCut(CivilDay(2011, 12, 30)), CivilDay(2011, 12, 31));
  EXPECT_EQ(apia.NextCut(CivilDay(2011, 12, 29)), CivilDay(2011, 12, 29));
}

TEST(DayCalendarTest, UnknownTimeZonesGiveTheDaysOfUtc) {
  for (const char* name : {"", "Mars/Olympus_Mons"}) {
    const DayCalendar calendar(name);
    EXPECT_FALSE(calendar.known());
    EXPECT_EQ(calendar.Start(CivilDay(1970, 1, 2)), 86400);
  }
}

}  // namespace
}  // namespace intercom_extractor

#include "extractor/tables/json_number.h"

#include <gtest/gtest.h>

#include <limits>

namespace intercom_extractor {
namespace {

TEST(JsonNumberTest, ReadsTheWholeRangeOfInt64) {
  EXPECT_EQ(ParseInt64("0"), 0);
  EXPECT_EQ(ParseInt64("-0"), 0);
  EXPECT_EQ(ParseInt64("1734537460"), 1734537460);
  EXPECT_EQ(ParseInt64("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseInt64("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(JsonNumberTest, RefusesWhatDoesNotFitInt64) {
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "1e19", "1e400",
                           "9223372036854775807.0", "99999999999999999999999999"}) {
    EXPECT_EQ(ParseInt64(text), std::nullopt) << text;
  }
}

TEST(JsonNumberTest, TakesIntegersWrittenWithFractionOrExponent) {
  EXPECT_EQ(ParseInt64("17.0"), 17);
  EXPECT_EQ(ParseInt64("1e3"), 1000);
  EXPECT_EQ(ParseInt64("1.5E1"), 15);
  EXPECT_EQ(ParseInt64("9007199254740991.0"), 9007199254740991);
  EXPECT_EQ(ParseInt64("1.5"), std::nullopt);
  EXPECT_EQ(ParseInt64("1e-1"), std::nullopt);
}

// It was read as ...992: a double has no ...993.
TEST(JsonNumberTest, NeverRoundsAnInteger) {
  EXPECT_EQ(ParseInt64("9007199254740993"), 9007199254740993);
  EXPECT_EQ(ParseInt64("9007199254740993.0"), std::nullopt);
  EXPECT_EQ(ParseInt64("-9007199254740993.0"), std::nullopt);
}

TEST(JsonNumberTest, RefusesWhatIsNoDecimalNumber) {
  for (const char* text : {"", "-", "+1", " 1", "1 ", "0x10", "1,5", "abc", "inf", "nan", "-inf",
                           "1_000", "--1", "1e", ".5", "1734537460s"}) {
    EXPECT_EQ(ParseInt64(text), std::nullopt) << text;
    EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
  }
}

TEST(JsonNumberTest, ReadsDoublesExactly) {
  EXPECT_EQ(ParseDouble("0.1"), 0.1);
  EXPECT_EQ(ParseDouble("-12.5"), -12.5);
  EXPECT_EQ(ParseDouble("1e3"), 1000.0);
  EXPECT_EQ(ParseDouble("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(ParseDouble("1e400"), std::nullopt);
}

}  // namespace
}  // namespace intercom_extractor

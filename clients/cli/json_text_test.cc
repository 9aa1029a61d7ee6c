#include "clients/cli/json_text.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

std::string JsonString(absl::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

std::string DoubleText(double value) {
  std::string out;
  AppendDouble(value, &out);
  return out;
}

TEST(JsonTextTest, EscapesOnlyWhatJsonDemands) {
  EXPECT_EQ(JsonString(""), R"("")");
  EXPECT_EQ(JsonString("a/b é 🎉"), R"("a/b é 🎉")");
  EXPECT_EQ(JsonString("\"\\\n\r\t\b\f"), R"("\"\\\n\r\t\b\f")");
  EXPECT_EQ(JsonString(absl::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
}

TEST(JsonTextTest, FindsSpecialCharactersAtEachPlaceOfAWord) {
  for (size_t length = 1; length < 40; ++length) {
    for (size_t at = 0; at < length; ++at) {
      std::string text(length, 'x');
      text[at] = '"';
      const std::string expected = "\"" + text.substr(0, at) + "\\\"" + text.substr(at + 1) + "\"";
      EXPECT_EQ(JsonString(text), expected);
      // High bytes beside it must not hide or fake it.
      std::string high(length, '\xc3');
      high[at] = '\n';
      EXPECT_EQ(JsonString(high), "\"" + high.substr(0, at) + "\\n" + high.substr(at + 1) + "\"");
    }
  }
}

TEST(JsonTextTest, DoublesAreShortestThatReadBack) {
  EXPECT_EQ(DoubleText(100), "100");
  EXPECT_EQ(DoubleText(100000), "100000");
  EXPECT_EQ(DoubleText(9007199254740993.0), "9007199254740992");
  EXPECT_EQ(DoubleText(1e16), "1e+16");
  EXPECT_EQ(DoubleText(0.0001), "0.0001");
  EXPECT_EQ(DoubleText(0.00001), "1e-05");
  EXPECT_EQ(DoubleText(0.1), "0.1");
  EXPECT_EQ(DoubleText(1e300), "1e+300");
  EXPECT_EQ(DoubleText(-0.0), "-0");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::denorm_min()), "5e-324");
  EXPECT_EQ(std::stod(DoubleText(1.0 / 3)), 1.0 / 3);
}

TEST(JsonTextTest, SetsCommasBetweenMembersAndElements) {
  JsonText json;
  json.BeginObject();
  json.Key("a").Int(1);
  json.Key("b").BeginArray().Bool(true).Null().String("x").EndArray();
  json.Key("c").BeginObject().EndObject();
  json.Key("d").Double(std::numeric_limits<double>::infinity());
  json.EndObject();
  EXPECT_EQ(json.text(), R"({"a":1,"b":[true,null,"x"],"c":{},"d":null})");
}

}  // namespace
}  // namespace intercom_extractor

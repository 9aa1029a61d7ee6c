#include "extractor/intercom/utf8_prefix.h"

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(Utf8PrefixTest, ShortTextsStayWhole) {
  EXPECT_EQ(Utf8Prefix("", 3), "");
  EXPECT_EQ(Utf8Prefix("abc", 3), "abc");
  EXPECT_EQ(Utf8Prefix("\xF0\x9F\x9A\x80", 4), "\xF0\x9F\x9A\x80");
}

TEST(Utf8PrefixTest, ACharacterIsNotCut) {
  // One of three bytes behind a letter.
  const absl::string_view text =
      "a\xE2\x82\xAC"
      "b";
  EXPECT_EQ(Utf8Prefix(text, 1), "a");
  EXPECT_EQ(Utf8Prefix(text, 2), "a");
  EXPECT_EQ(Utf8Prefix(text, 3), "a");
  EXPECT_EQ(Utf8Prefix(text, 4), "a\xE2\x82\xAC");
  EXPECT_EQ(Utf8Prefix(text, 0), "");
}

}  // namespace
}  // namespace intercom_extractor

#include "extractor/intercom/intercom_error.h"

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(IntercomErrorTest, ReadsTheFirstErrorOfAList) {
  const IntercomError error = ParseIntercomError(
      R"({"type":"error.list","request_id":"002je5a3asm5btar2flg","errors":[)"
      R"({"code":"not_found","message":"User Not Found","field":null},{"code":"other"}]})");
  EXPECT_EQ(error.code, "not_found");
  EXPECT_EQ(error.message, "User Not Found");
  EXPECT_EQ(error.request_id, "002je5a3asm5btar2flg");
}

TEST(IntercomErrorTest, TakesWhatIsThere) {
  const IntercomError nulls = ParseIntercomError(
      R"({"type":"error.list","request_id":null,"errors":[{"code":"unauthorized","message":null}]})");
  EXPECT_EQ(nulls.code, "unauthorized");
  EXPECT_EQ(nulls.message, "");
  EXPECT_EQ(nulls.request_id, "");

  const IntercomError no_code = ParseIntercomError(R"({"errors":[{"message":"why"}]})");
  EXPECT_EQ(no_code.code, "");
  EXPECT_EQ(no_code.message, "why");
}

TEST(IntercomErrorTest, WhatIsNoErrorListGivesNothing) {
  for (const char* body :
       {"", " ", "{}", "[]", "null", "42", "\"text\"", R"({"errors":[]})", R"({"errors":null})",
        R"({"errors":{}})", R"({"errors":"not_found"})", R"({"errors":["not_found"]})",
        R"({"errors":[null]})", R"({"errors":[{"code":404,"message":{}}]})",
        R"({"errors":[{"code":"not_found")", "<html><h1>404 Not Found</h1></html>", "\xff\xfe"}) {
    const IntercomError error = ParseIntercomError(body);
    EXPECT_EQ(error.code, "") << body;
    EXPECT_EQ(error.message, "") << body;
    EXPECT_EQ(error.request_id, "") << body;
  }
}

TEST(IntercomErrorTest, MessageIsPrintable) {
  EXPECT_EQ(ParseIntercomError("{\"errors\":[{\"message\":\"a\\nb\\u0000c\\u001b[31md\\u007f\"}]}")
                .message,
            "a b c [31md ");
}

TEST(IntercomErrorTest, LongMessageIsCut) {
  const std::string body =
      absl::StrCat(R"({"errors":[{"message":")", std::string(1000, 'a'), R"("}]})");
  EXPECT_EQ(ParseIntercomError(body).message, std::string(200, 'a'));
}

// Half a character would be no UTF-8, and protobuf's readers refuse the whole
// event that holds it.
TEST(IntercomErrorTest, LongMessageIsNotCutWithinACharacter) {
  for (const char* character : {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    for (size_t before = 195; before <= 200; ++before) {
      const std::string body =
          absl::StrCat(R"({"errors":[{"message":")", std::string(before, 'a'), character, "a\"}]}");
      const std::string message = ParseIntercomError(body).message;
      EXPECT_LE(message.size(), 200u);
      const std::string whole = absl::StrCat(std::string(before, 'a'), character, "a");
      EXPECT_EQ(message, whole.substr(0, message.size()));
      EXPECT_TRUE(message.size() <= before || message.size() >= before + std::strlen(character))
          << before << ": " << message;
    }
  }
}

}  // namespace
}  // namespace intercom_extractor

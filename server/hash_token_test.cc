#include "server/hash_token.h"

#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/caller_token.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Line(const std::string& token) {
  return absl::StrCat("token_sha256: ", absl::BytesToHexString(HashCallerToken(token)), "\n");
}

TEST(HashTokenTest, PrintsTheLineForTheFile) {
  const std::string token(32, 'a');
  for (const std::string& given : {token, token + "\n", " " + token + " \r\n"}) {
    std::istringstream in(given);
    std::ostringstream out;
    EXPECT_TRUE(PrintTokenHash(/*make_new=*/false, in, out).ok());
    EXPECT_EQ(out.str(), Line(token));
  }
}

TEST(HashTokenTest, MakesANewToken) {
  std::istringstream in("not read");
  std::ostringstream out;
  EXPECT_TRUE(PrintTokenHash(/*make_new=*/true, in, out).ok());
  const std::string text = out.str();
  const std::string kBefore = "# Give the caller this token; it stands nowhere else:\n# ";
  ASSERT_EQ(text.rfind(kBefore, 0), 0u) << text;
  const std::string token = text.substr(kBefore.size(), 43);
  EXPECT_EQ(text.substr(kBefore.size() + 43), "\n" + Line(token));
}

TEST(HashTokenTest, WhatCouldBeGuessedOrIsNoTokenIsRefusedAndNotRepeated) {
  for (const std::string& given :
       {std::string(), std::string("\n"), std::string(31, 'a'), std::string(40, 'a') + " b",
        std::string(40, 'a') + "\nsecond", std::string(5000, 'a')}) {
    std::istringstream in(given);
    std::ostringstream out;
    const absl::Status status = PrintTokenHash(/*make_new=*/false, in, out);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("aaaa")));
    EXPECT_EQ(out.str(), "");
  }
}

}  // namespace
}  // namespace intercom_extractor

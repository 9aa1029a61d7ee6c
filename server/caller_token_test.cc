#include "server/caller_token.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CallerTokenTest, NewTokensAreLongAndDifferent) {
  const std::string token = NewCallerToken();
  EXPECT_EQ(token.size(), 43u);
  EXPECT_GE(token.size(), kMinCallerTokenBytes);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                    "-_"),
            std::string::npos);
  EXPECT_NE(token, NewCallerToken());
}

TEST(CallerTokenTest, HashIsSha256AsOtherToolsMakeIt) {
  // printf abc | sha256sum
  const std::string kHex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(absl::BytesToHexString(HashCallerToken("abc")), kHex);
  const auto parsed = ParseCallerTokenHash(kHex);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(SameHash(*parsed, HashCallerToken("abc")));
  EXPECT_FALSE(SameHash(*parsed, HashCallerToken("abd")));
  EXPECT_FALSE(SameHash(*parsed, ""));
  EXPECT_EQ(*ParseCallerTokenHash(absl::AsciiStrToUpper(kHex)), *parsed);
}

TEST(CallerTokenTest, WhatIsNoHashIsRefusedWithoutRepeatingIt) {
  const std::string token = NewCallerToken();
  for (const std::string& text :
       {token, std::string(64, 'g'), std::string(63, 'a'), std::string(65, 'a'), std::string()}) {
    const auto parsed = ParseCallerTokenHash(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("hash-token"));
    if (text.empty()) continue;
    EXPECT_THAT(std::string(parsed.status().message()), Not(HasSubstr(text)));
  }
}

}  // namespace
}  // namespace intercom_extractor

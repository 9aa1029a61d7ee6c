#include "clients/login/authorization.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(AuthorizationTest, EachRegionHasAPageOfItsOwnAndAllOneExchange) {
  EXPECT_EQ(UrlsOfRegion("").authorize, "https://app.intercom.com/oauth");
  EXPECT_EQ(UrlsOfRegion("us").authorize, "https://app.intercom.com/oauth");
  EXPECT_EQ(UrlsOfRegion("eu").authorize, "https://app.eu.intercom.com/oauth");
  EXPECT_EQ(UrlsOfRegion("au").authorize, "https://app.au.intercom.com/oauth");
  EXPECT_EQ(UrlsOfRegion("eu").token, UrlsOfRegion("us").token);
}

TEST(AuthorizationTest, WhatIsPutIntoTheAddressCannotBreakOutOfItsParameter) {
  const OAuthApp app = {"id&state=x#", "secret", "https://localhost:1/call back"};
  EXPECT_EQ(AuthorizeUrl({"https://a/oauth", ""}, app, "s&t"),
            "https://a/oauth?client_id=id%26state%3Dx%23&state=s%26t&"
            "redirect_uri=https%3A%2F%2Flocalhost%3A1%2Fcall%20back");
}

TEST(AuthorizationTest, NoTwoLoginsHaveOneState) {
  std::set<std::string> states;
  for (int i = 0; i < 100; ++i) states.insert(RandomState());
  EXPECT_EQ(states.size(), 100u);
  EXPECT_GE(states.begin()->size(), 32u);
}

TEST(AuthorizationTest, TheCodeOfThisLoginIsTaken) {
  EXPECT_EQ(CodeIn("https://localhost:1/callback?code=a%2Bb&state=mine", "mine").value(), "a+b");
  EXPECT_EQ(CodeIn("https://etl.example/?state=m%26e&x&code=c", "m&e").value(), "c");
}

TEST(AuthorizationTest, ACodeWithAnotherStateIsNotTaken) {
  for (const char* state : {"", "theirs", "min", "mine2", "Mine"}) {
    const auto code =
        CodeIn(std::string("https://localhost:1/callback?code=secret-code&state=") + state, "mine");
    EXPECT_EQ(code.status().code(), absl::StatusCode::kPermissionDenied) << state;
    EXPECT_THAT(std::string(code.status().message()), Not(HasSubstr("secret-code")));
  }
  EXPECT_TRUE(absl::IsPermissionDenied(CodeIn("https://localhost:1/?code=c", "mine").status()));
  // Nor is a refusal, or anybody could end a login.
  EXPECT_TRUE(absl::IsPermissionDenied(
      CodeIn("https://localhost:1/?error=access_denied&state=theirs", "mine").status()));
}

TEST(AuthorizationTest, ARefusalSaysWhatIntercomSaid) {
  const auto code = CodeIn("https://localhost:1/?error=access_denied%0A&state=mine", "mine");
  EXPECT_TRUE(absl::IsUnauthenticated(code.status()));
  EXPECT_THAT(std::string(code.status().message()), HasSubstr("(access_denied\\n)"));
}

TEST(AuthorizationTest, WhatIsNoAddressWithACodeIsAnErrorOfItsOwn) {
  for (const char* text : {"", "code", "https://localhost:1/callback", "https://x/?state=mine",
                           "https://x/?state=mine&code=", "https://x/?state=mine&code=a%0Ab",
                           "not an address ?state=mine&code=c"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CodeIn(text, "mine").status())) << text;
  }
}

}  // namespace
}  // namespace intercom_extractor

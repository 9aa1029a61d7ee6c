#include "clients/login/redirect_listener.h"

#include <httplib.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Origin(const RedirectListener& listener) {
  return listener.url().substr(0, listener.url().rfind('/'));
}

TEST(RedirectListenerTest, OnlyAddressesOfThisMachineAreListenedAt) {
  for (const char* url : {"http://localhost:8765/callback", "https://127.0.0.1:1/",
                          "http://[::1]/x", "https://localhost"}) {
    EXPECT_TRUE(IsLoopbackUrl(url)) << url;
  }
  for (const char* url :
       {"https://etl.example/callback", "https://localhost.example/", "ftp://localhost/",
        "https://localhost@etl.example/", "https://me@localhost/", "localhost:1", "",
        "https://localhost/?a=b", "https://localhost/#f", "https://127.0.0.1.example/"}) {
    EXPECT_FALSE(IsLoopbackUrl(url)) << url;
    EXPECT_TRUE(absl::IsInvalidArgument(
        RedirectListener::Start(url, [](const std::string&) { return absl::OkStatus(); }).status()))
        << url;
  }
}

class WaysTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Schemes, WaysTest, ::testing::Values("http", "https"));

TEST_P(WaysTest, ABrowserIsToldWhatCameOfItsAddress) {
  std::string came;
  absl::Status answer;
  auto listener = RedirectListener::Start(absl::StrCat(GetParam(), "://127.0.0.1:0/callback"),
                                          [&](const std::string& address) {
                                            came = address;
                                            return answer;
                                          });
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_THAT((*listener)->url(), StartsWith(absl::StrCat(GetParam(), "://127.0.0.1:")));
  httplib::Client browser(Origin(**listener));
  browser.enable_server_certificate_verification(false);
  auto page = browser.Get("/callback?code=c%2Bd&state=s");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->body, HasSubstr("Authorized"));
  EXPECT_THAT(page->body, Not(HasSubstr("c+d")));
  EXPECT_EQ(came, absl::StrCat((*listener)->url(), "?code=c%2Bd&state=s"));
  EXPECT_EQ(page->get_header_value("Referrer-Policy"), "no-referrer");

  answer = absl::PermissionDeniedError("not <you>");
  page = browser.Get("/callback?state=other");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 400);
  EXPECT_THAT(page->body, HasSubstr("not &lt;you&gt;"));

  came = "";
  page = browser.Get("/favicon.ico?state=s");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 404);
  EXPECT_EQ(came, "");
}

TEST(RedirectListenerTest, APortThatIsTakenIsAnError) {
  const auto ok = [](const std::string&) { return absl::OkStatus(); };
  auto first = RedirectListener::Start("http://127.0.0.1:0/callback", ok);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = RedirectListener::Start((*first)->url(), ok);
  EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
}

}  // namespace
}  // namespace intercom_extractor

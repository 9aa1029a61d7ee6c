#include "server/watch_http.h"

#include <atomic>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "server/listen_address.h"
#include "server/status_page.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WatchHttpTest : public ::testing::Test {
 protected:
  void Start(const std::string& address = "127.0.0.1:0") {
    auto http =
        WatchHttp::Start(*ParseListenAddress(address),
                         {[] { return std::string("a_metric 1\n"); },
                          [] { return std::string("{}"); }, [this] { return ready_.load(); }});
    ASSERT_TRUE(http.ok()) << http.status();
    http_ = *std::move(http);
  }

  httplib::Result Get(const std::string& path, const httplib::Headers& headers = {}) {
    httplib::Client client("127.0.0.1", http_->port());
    return client.Get(path, headers);
  }

  std::atomic<bool> ready_{true};
  std::unique_ptr<WatchHttp> http_;
};

TEST_F(WatchHttpTest, ServesItsFivePagesAndNoOther) {
  Start();
  EXPECT_EQ(Get("/metrics")->body, "a_metric 1\n");
  EXPECT_EQ(Get("/metrics")->get_header_value("Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(Get("/livez")->body, "ok\n");
  EXPECT_EQ(Get("/status.json")->body, "{}");
  EXPECT_EQ(Get("/")->body, kStatusPage);
  for (const char* path : {"/etc/passwd", "/../metrics", "/metrics/", "//", "/%2e%2e/x"}) {
    EXPECT_EQ(Get(path)->status, 404) << path;
  }
  httplib::Client client("127.0.0.1", http_->port());
  EXPECT_EQ(client.Post("/metrics")->status, 404);
  EXPECT_EQ(client.Head("/metrics")->status, 200);
}

TEST_F(WatchHttpTest, IsReadyOnlyWhenTheServerIs) {
  Start();
  EXPECT_EQ(Get("/readyz")->status, 200);
  ready_ = false;
  EXPECT_EQ(Get("/readyz")->status, 503);
  EXPECT_EQ(Get("/readyz")->body, "stopping\n");
  EXPECT_EQ(Get("/livez")->status, 200);
}

TEST_F(WatchHttpTest, ANameThatPointsHereIsNotAnswered) {
  Start();
  const std::string port = absl::StrCat(":", http_->port());
  for (const std::string& host : {"127.0.0.1" + port, "localhost" + port, std::string("LocalHost"),
                                  "[::1]" + port, std::string("127.0.0.1"), std::string("[::1]")}) {
    EXPECT_EQ(Get("/status.json", {{"Host", host}})->status, 200) << host;
  }
  for (const std::string& host : {"evil.example" + port, "127.0.0.1.evil.example" + port,
                                  std::string("localhost.evil.example"), std::string("[evil]")}) {
    const httplib::Result answer = Get("/status.json", {{"Host", host}});
    EXPECT_EQ(answer->status, 421) << host;
    EXPECT_THAT(answer->body, Not(HasSubstr("{}")));
  }
}

TEST_F(WatchHttpTest, WhereOthersMayAskAnyNameIsRight) {
  Start("0.0.0.0:0");
  EXPECT_EQ(Get("/status.json", {{"Host", "extractor.internal.example"}})->status, 200);
}

TEST_F(WatchHttpTest, ASecondServerCannotShareThePort) {
  Start();
  const std::string address = absl::StrCat("127.0.0.1:", http_->port());
  const auto second = WatchHttp::Start(*ParseListenAddress(address), {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(address));
}

TEST_F(WatchHttpTest, UnixSocketsAreRefused) {
  EXPECT_EQ(WatchHttp::Start(*ParseListenAddress("unix:/tmp/x"), {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(WatchHttpTest, LargeRequestsAreRefused) {
  Start();
  httplib::Client client("127.0.0.1", http_->port());
  const auto answer = client.Post("/metrics", std::string(1 << 20, 'x'), "text/plain");
  // Refused, or cut off while it was sent.
  if (answer) {
    EXPECT_THAT(answer->status, ::testing::AnyOf(404, 413));
  }
  EXPECT_EQ(Get("/livez")->status, 200);
}

TEST_F(WatchHttpTest, ThePageMayLoadNothingButWhatIsHere) {
  Start();
  const std::string policy = Get("/")->get_header_value("Content-Security-Policy");
  EXPECT_EQ(policy, PagePolicy(kStatusPage));
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  const std::string page = kStatusPage;
  for (const char* reference : {"src=", "@import", "url(", "//fonts", "https://"}) {
    EXPECT_FALSE(absl::StrContains(page, reference)) << reference;
  }
}

// The digest of "alert(1)" is that of `openssl dgst -sha256 -binary | base64`.
TEST(PagePolicyTest, NamesScriptAndStyleByTheirHashes) {
  const std::string policy = PagePolicy("<style></style><script>alert(1)</script>");
  EXPECT_THAT(policy,
              HasSubstr("script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"));
  EXPECT_THAT(policy, HasSubstr("style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"));
}

}  // namespace
}  // namespace intercom_extractor

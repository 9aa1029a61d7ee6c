#include "tests/fake_intercom/oauth.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"

namespace intercom_extractor::fake {
namespace {

class OAuthTest : public ::testing::Test {
 protected:
  // A code that a person has just agreed to.
  std::string NewCode() {
    Request request;
    request.method = "GET";
    request.path = "/oauth";
    request.query = {{"client_id", "fake-client-id"}, {"state", "s"}, {"redirect_uri", "u"}};
    Response response;
    EXPECT_TRUE(oauth_.Answer(request, &response));
    EXPECT_EQ(response.status, 302);
    const std::string& location = response.headers.at(0).second;
    const std::string begin = "u?code=";
    EXPECT_EQ(location.compare(0, begin.size(), begin), 0) << location;
    return location.substr(begin.size(), location.find('&') - begin.size());
  }

  int Exchange(const std::string& code, const std::string& secret = "fake-client-secret") {
    Request request;
    request.method = "POST";
    request.path = "/auth/eagle/token";
    request.body = "code=" + code + "&client_id=fake-client-id&client_secret=" + secret;
    Response response;
    EXPECT_TRUE(oauth_.Answer(request, &response));
    const bool has_token = response.body.find("\"the-token\"") != std::string::npos;
    EXPECT_EQ(has_token, response.status == 200);
    return response.status;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'760'000'000);
  OAuth oauth_{OAuth::Options(), "the-token", [this] { return now_; }};
};

TEST_F(OAuthTest, ACodeWorksOnceAndForFiveMinutes) {
  const std::string code = NewCode();
  EXPECT_EQ(Exchange(code), 200);
  EXPECT_EQ(Exchange(code), 401);
  const std::string late = NewCode();
  now_ += absl::Minutes(5);
  EXPECT_EQ(Exchange(late), 401);
}

TEST_F(OAuthTest, AStrangerGetsNothing) {
  EXPECT_EQ(Exchange("fake-code-1"), 401);
  const std::string code = NewCode();
  EXPECT_EQ(Exchange(code, "wrong"), 401);
  // Who does not know the secret has not used the code up.
  EXPECT_EQ(Exchange(code), 200);
}

TEST_F(OAuthTest, OtherRequestsAreNotItsOwn) {
  Request request;
  request.method = "GET";
  request.path = "/me";
  Response response;
  EXPECT_FALSE(oauth_.Answer(request, &response));
}

}  // namespace
}  // namespace intercom_extractor::fake

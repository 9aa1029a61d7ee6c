#include "clients/sinks/sink_url.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr char kForm[] = "queue://USER@HOST";

TEST(SinkUrlTest, IsTakenApart) {
  const auto url = ParseSinkUrl("queue://me%40crm@h1:1,[::1]:2/3?a=b%20c&d=", kForm);
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->scheme, "queue");
  EXPECT_EQ(url->user, "me@crm");
  EXPECT_THAT(url->hosts, ElementsAre("h1:1", "[::1]:2"));
  EXPECT_EQ(url->path, "3");
  EXPECT_THAT(url->parameters, ElementsAre(Pair("a", "b c"), Pair("d", "")));
}

TEST(SinkUrlTest, MistakesAreToldWithoutWhatMayBeAPassword) {
  for (const char* url :
       {"hunter2", "queue://etl:hunter2@h", "queue://:hunter2@h/1", "queue://",
        "queue://hun/ter2@h", "queue://h hunter2", "queue://a@hunter2@h", "queue://h?hunter2",
        "queue://h?a=hunter2%4", "queue://%4hunter2@h", "queue://h,,hunter2"}) {
    const auto status = ParseSinkUrl(url, kForm).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(kForm), Not(HasSubstr("ter2"))));
  }
  for (const char* url : {"queue://etl:hunter2@h", "queue://:hunter2@h/1", "queue://a@hunter2@h"}) {
    EXPECT_THAT(std::string(ParseSinkUrl(url, kForm).status().message()),
                HasSubstr("INTERCOM_SINK_PASSWORD"));
  }
}

TEST(SinkUrlTest, AnUnknownParameterIsNamedUnlessItMayBeASecret) {
  EXPECT_THAT(std::string(UnknownParameter("size", kForm).message()), HasSubstr("size"));
  EXPECT_THAT(std::string(UnknownParameter("hunter 2", kForm).message()), Not(HasSubstr("hunter")));
  EXPECT_THAT(std::string(UnknownParameter("password", kForm).message()),
              HasSubstr("INTERCOM_SINK_PASSWORD"));
}

TEST(SinkUrlTest, HostsMayHaveAPort) {
  std::string host;
  int port = 7;
  EXPECT_TRUE(SplitHostPort("h", &host, &port));
  EXPECT_EQ(host, "h");
  EXPECT_EQ(port, 7);
  EXPECT_TRUE(SplitHostPort("[::1]:8", &host, &port));
  EXPECT_EQ(host, "::1");
  EXPECT_EQ(port, 8);
  EXPECT_TRUE(SplitHostPort("[::1]", &host, &port));
  EXPECT_EQ(host, "::1");
  EXPECT_TRUE(SplitHostPort("h:9", &host, &port));
  EXPECT_EQ(port, 9);
  EXPECT_FALSE(SplitHostPort("h:0", &host, &port));
  EXPECT_FALSE(SplitHostPort("h:x", &host, &port));
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/sinks/redis/redis_url.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedisUrlTest, AHostAloneGivesProtobufAndKeysOfIntercom) {
  const auto target = ParseRedisUrl("redis://h");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->format, RecordFormat::kProtobuf);
  EXPECT_EQ(target->maxlen, 0);
  EXPECT_EQ(target->name(), "redis://h:6379/0, keys intercom:*");
}

TEST(RedisUrlTest, ReadsUserPortDatabaseAndParameters) {
  const auto target =
      ParseRedisUrl("redis://etl@[::1]:6380/3?prefix=crm%3A&format=json&maxlen=1000");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->host, "::1");
  EXPECT_EQ(target->user, "etl");
  EXPECT_EQ(target->database, 3);
  EXPECT_EQ(target->format, RecordFormat::kJson);
  EXPECT_EQ(target->maxlen, 1000);
  EXPECT_EQ(target->name(), "redis://etl@[::1]:6380/3, keys crm:*");
}

TEST(RedisUrlTest, MistakesAreToldWithoutWhatMayBeAPassword) {
  for (const char* url :
       {"redis://:hunter2@h", "redis://h/hunter2", "redis://h:hunter2", "redis://h?maxlen=hunter2",
        "redis://h?maxlen=0", "redis://h?format=hunter2", "redis://h?password=hunter2",
        "redis://h,hunter2", "redis://h/-1", "rediss://hunter2@h", "http://hunter2"}) {
    const auto status = ParseRedisUrl(url).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("ter2"))) << url;
  }
}

}  // namespace
}  // namespace intercom_extractor

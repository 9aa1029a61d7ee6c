#include "clients/sinks/nats/nats_url.h"

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(NatsUrlTest, AHostAloneGivesProtobufAndSubjectsOfIntercom) {
  const auto target = ParseNatsUrl("nats://h");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->format, RecordFormat::kProtobuf);
  EXPECT_EQ(target->duplicate_window, absl::Minutes(10));
  EXPECT_FALSE(target->tls);
  EXPECT_EQ(target->bucket(), "INTERCOM_positions");
  EXPECT_EQ(target->name(), "nats://h, stream INTERCOM, subjects intercom.*");
}

TEST(NatsUrlTest, ReadsUserHostsAndParameters) {
  const auto target = ParseNatsUrl(
      "nats://etl@h1:4222,h2:4223?stream=CRM&prefix=crm.raw.&format=json&duplicate_window=2h"
      "&replicas=3&ca=%2Fetc%2Fca.pem&creds=%2Fetc%2Fnats.creds");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_THAT(target->hosts, ElementsAre("h1:4222", "h2:4223"));
  EXPECT_EQ(target->user, "etl");
  EXPECT_EQ(target->format, RecordFormat::kJson);
  EXPECT_EQ(target->duplicate_window, absl::Hours(2));
  EXPECT_EQ(target->replicas, 3);
  EXPECT_EQ(target->ca, "/etc/ca.pem");
  EXPECT_TRUE(target->tls);
  EXPECT_EQ(target->credentials, "/etc/nats.creds");
  EXPECT_EQ(target->name(), "nats://etl@h1:4222,h2:4223, stream CRM, subjects crm.raw.*");
}

TEST(NatsUrlTest, MistakesAreToldWithoutWhatMayBeAPassword) {
  for (const char* url :
       {"nats://etl:hunter2@h", "nats://h/hunter2", "nats://h:hunter2", "nats://h?token=hunter2",
        "nats://h?stream=hunter2.x", "nats://h?prefix=hunter2", "nats://h?prefix=hunter2..",
        "nats://h?prefix=hunter2.>.", "nats://h?prefix=", "nats://h?format=hunter2",
        "nats://h?duplicate_window=hunter2", "nats://h?duplicate_window=0s", "nats://h?replicas=9",
        "nats://h?tls=hunter2", "redis://hunter2"}) {
    const auto status = ParseNatsUrl(url).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("ter2"))) << url;
  }
}

}  // namespace
}  // namespace intercom_extractor

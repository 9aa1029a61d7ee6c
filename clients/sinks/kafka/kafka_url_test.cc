#include "clients/sinks/kafka/kafka_url.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(KafkaUrlTest, BrokersAloneGiveTransactionsProtobufAndTopicsOfIntercom) {
  const auto target = ParseKafkaUrl("kafka://k1:9092,k2:9092");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->brokers, "k1:9092,k2:9092");
  EXPECT_EQ(target->prefix, "intercom.");
  EXPECT_EQ(target->format, RecordFormat::kProtobuf);
  EXPECT_TRUE(target->transactional);
  EXPECT_EQ(target->replication, -1);
  EXPECT_EQ(target->name(), "kafka://k1:9092,k2:9092, topics intercom.*");
}

TEST(KafkaUrlTest, ParametersAreOursOfTopicsAndOfLibrdkafka) {
  const auto target = ParseKafkaUrl(
      "kafka://[::1]:9092/?prefix=crm_&format=json&compression=zstd&transactional=false&"
      "partitions=12&replication=3&cleanup.policy=delete&retention.ms=1000&"
      "max.message.bytes=2000000&sasl.username=etl%40crm&security.protocol=SASL_SSL&linger.ms=5");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->prefix, "crm_");
  EXPECT_EQ(target->format, RecordFormat::kJson);
  EXPECT_FALSE(target->transactional);
  EXPECT_EQ(target->partitions, 12);
  EXPECT_EQ(target->replication, 3);
  EXPECT_EQ(target->topic_settings.at("cleanup.policy"), "delete");
  EXPECT_EQ(target->topic_settings.at("retention.ms"), "1000");
  EXPECT_EQ(target->max_message_bytes, 2'000'000);
  EXPECT_EQ(target->properties.at("compression.type"), "zstd");
  EXPECT_EQ(target->properties.at("sasl.username"), "etl@crm");
  EXPECT_EQ(target->properties.at("linger.ms"), "5");
  EXPECT_TRUE(IsConnectionProperty("sasl.username"));
  EXPECT_FALSE(IsConnectionProperty("linger.ms"));
}

TEST(KafkaUrlTest, EventsAndPositionsAreCompactedAndAsSafeAsRows) {
  const auto target = ParseKafkaUrl("kafka://k/?cleanup.policy=delete&min.insync.replicas=2");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_THAT(target->OwnTopicSettings(),
              ElementsAre(Pair("cleanup.policy", "compact"), Pair("min.insync.replicas", "2")));
}

TEST(KafkaUrlTest, TheLocalQueueHoldsTwoOfTheLargestRecords) {
  const auto large = ParseKafkaUrl("kafka://k/?max.message.bytes=67108864");
  ASSERT_TRUE(large.ok()) << large.status();
  EXPECT_EQ(large->properties.at("queue.buffering.max.kbytes"), "131072");
  EXPECT_FALSE(ParseKafkaUrl("kafka://k/?queue.buffering.max.kbytes=20000").ok());
  EXPECT_TRUE(
      ParseKafkaUrl("kafka://k/?queue.buffering.max.kbytes=20000&max.message.bytes=1000000").ok());
}

TEST(KafkaUrlTest, MistakesAreToldWithoutWhatMayBeAPassword) {
  for (const char* url :
       {"kafka://etl:hunter2@k:9092", "kafka://k:9092/hunter2", "kafka://k/?sasl.password=hunter2",
        "kafka://k/?hunter2", "kafka://k/?no+hunter2=1", "kafka://k/?format=hunter2", "kafka://",
        "kafka://k,,l", "kafka://k hunter2", "kafka://k/hunter2@l/?format=json",
        "kafka://k/?prefix=hunter2%2", "kafka://k/?prefix=a/hunter2", "kafka://k/?partitions=0",
        "kafka://k/?compression=hunter2", "kafka://k/?transactional=hunter2",
        "kafka://k/?enable.idempotence=false", "kafka://k/?transactional.id=x"}) {
    const absl::Status status = ParseKafkaUrl(url).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("ter2"))) << url;
  }
}

TEST(KafkaUrlTest, APasswordIsSaidToComeFromTheEnvironment) {
  for (const char* url : {"kafka://etl:hunter2@k:9092", "kafka://k/?sasl.password=hunter2"}) {
    EXPECT_THAT(std::string(ParseKafkaUrl(url).status().message()),
                HasSubstr("INTERCOM_SINK_PASSWORD"));
  }
}

}  // namespace
}  // namespace intercom_extractor

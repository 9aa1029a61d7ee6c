#include "clients/sinks/kafka/kafka_errors.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

absl::Status ErrorOf(rd_kafka_resp_err_t code) {
  return KafkaError(code, "cannot write to topic t", "kafka://k:9092, topics t*");
}

TEST(KafkaErrorsTest, SaysWhatWhereAndWhyOnOneLine) {
  const absl::Status status = KafkaError(RD_KAFKA_RESP_ERR__TRANSPORT, "cannot connect",
                                         "kafka://k:9092, topics t*", "Connection refused");
  EXPECT_EQ(status.message(),
            "cannot connect at kafka://k:9092, topics t*: Connection refused (_TRANSPORT); check "
            "that Kafka runs there and can be reached");
}

TEST(KafkaErrorsTest, WhatMayPassIsTriedAgain) {
  for (const auto code :
       {RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__RESOLVE,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
        RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER}) {
    EXPECT_EQ(ErrorOf(code).code(), absl::StatusCode::kUnavailable) << rd_kafka_err2name(code);
  }
}

TEST(KafkaErrorsTest, WhatAPersonHasToDoIsSaid) {
  const struct {
    rd_kafka_resp_err_t code;
    absl::StatusCode as;
    const char* advice;
  } kCases[] = {
      {RD_KAFKA_RESP_ERR__AUTHENTICATION, absl::StatusCode::kPermissionDenied,
       "INTERCOM_SINK_PASSWORD"},
      {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, absl::StatusCode::kPermissionDenied,
       "INTERCOM_SINK_PASSWORD"},
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, absl::StatusCode::kPermissionDenied,
       "grant CREATE"},
      {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, absl::StatusCode::kPermissionDenied,
       "transactional ids"},
      {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, absl::StatusCode::kFailedPrecondition,
       "max.message.bytes"},
      {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, absl::StatusCode::kFailedPrecondition,
       "replication"},
      {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, absl::StatusCode::kFailedPrecondition,
       "transaction.max.timeout.ms"},
      {RD_KAFKA_RESP_ERR__SSL, absl::StatusCode::kFailedPrecondition, "ssl.ca.location"},
  };
  for (const auto& expected : kCases) {
    const absl::Status status = ErrorOf(expected.code);
    EXPECT_EQ(status.code(), expected.as) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(expected.advice));
  }
}

TEST(KafkaErrorsTest, AnEndedTransactionMayBeTheWorkOfANewerInstance) {
  for (const auto code : {RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
                          RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH}) {
    EXPECT_TRUE(MayBeFenced(code));
  }
  EXPECT_FALSE(MayBeFenced(RD_KAFKA_RESP_ERR__TRANSPORT));
  EXPECT_FALSE(MayBeFenced(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/sinks/kafka/kafka_errors.h"

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

struct Meaning {
  absl::StatusCode code;
  absl::string_view advice;
};

Meaning MeaningOf(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return {absl::StatusCode::kUnavailable, "check the hosts in --sink"};
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return {absl::StatusCode::kUnavailable, "check that Kafka runs there and can be reached"};
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return {absl::StatusCode::kPermissionDenied,
              "check sasl.username and sasl.mechanism in --sink, and the password in "
              "INTERCOM_SINK_PASSWORD"};
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
      return {absl::StatusCode::kPermissionDenied, "check sasl.mechanism in --sink"};
    case RD_KAFKA_RESP_ERR__SSL:
      return {absl::StatusCode::kFailedPrecondition,
              "check security.protocol and ssl.ca.location in --sink"};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return {absl::StatusCode::kPermissionDenied,
              "grant CREATE, WRITE and DESCRIBE on the topics, and READ on the one of positions"};
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {absl::StatusCode::kPermissionDenied,
              "grant IDEMPOTENT_WRITE on the cluster, and CREATE unless the topics are there"};
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return {absl::StatusCode::kPermissionDenied,
              "grant WRITE and DESCRIBE on transactional ids that begin with intercom-extract/"};
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return {absl::StatusCode::kFailedPrecondition,
              "set max.message.bytes in --sink, and of the topic where it is there, to more"};
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return {absl::StatusCode::kFailedPrecondition,
              "the topic was deleted meanwhile; run again, which makes it"};
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
      return {absl::StatusCode::kFailedPrecondition,
              "set replication in --sink to at most the number of brokers"};
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
      return {absl::StatusCode::kFailedPrecondition,
              "set transaction.timeout.ms in --sink to at most transaction.max.timeout.ms of the "
              "brokers"};
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REQUEST:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return {absl::StatusCode::kFailedPrecondition,
              "check partitions, replication and the topics' settings in --sink"};
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
      return {absl::StatusCode::kFailedPrecondition, "this sink needs Kafka 2.5 or later"};
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return {absl::StatusCode::kFailedPrecondition, "check the topic's settings"};
    default:
      return {absl::StatusCode::kUnavailable, ""};
  }
}

}  // namespace

absl::Status KafkaError(rd_kafka_resp_err_t code, absl::string_view what, absl::string_view where,
                        absl::string_view said) {
  const Meaning meaning = MeaningOf(code);
  return absl::Status(
      meaning.code,
      absl::StrCat(what, " at ", where, ": ", said.empty() ? rd_kafka_err2str(code) : said, " (",
                   rd_kafka_err2name(code), ")", meaning.advice.empty() ? "" : "; ",
                   meaning.advice));
}

bool MayBeFenced(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING:
    case RD_KAFKA_RESP_ERR_INVALID_TXN_STATE:
    case RD_KAFKA_RESP_ERR__STATE:
      return true;
    default:
      return false;
  }
}

}  // namespace intercom_extractor

#ifndef CLIENTS_SINKS_KAFKA_KAFKA_URL_H_
#define CLIENTS_SINKS_KAFKA_KAFKA_URL_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/records/record_table.h"

namespace intercom_extractor {

// Brokers, and what is asked of them.
struct KafkaTarget {
  std::string brokers;               // "k1:9092,k2:9092"
  std::string prefix = "intercom.";  // Of all topics.
  RecordFormat format = RecordFormat::kProtobuf;
  bool transactional = true;
  // Of topics that are made. The settings are those of rows.
  int partitions = 3;
  int replication = -1;  // The brokers' default.
  std::map<std::string, std::string> topic_settings;
  // The largest record, in bytes, of producer and topics.
  int64_t max_message_bytes = 0;
  // librdkafka's, as in the URL.
  std::map<std::string, std::string> properties;
  std::string password;  // Not from the URL. Secret.

  // Not from the URL: where many workspaces share topics, the one that a sink is for. Keys
  // begin with it and a '/', and a header names it. Empty: the topics are one workspace's.
  std::string workspace;
  // Of the topic of positions, where it is made.
  int position_partitions = 1;

  // For people: "kafka://k1:9092,k2:9092, topics intercom.*".
  std::string name() const;

  // Under which one writer at a time is known to the brokers: that of a sink id.
  std::string TransactionalId(absl::string_view id) const;

  // Those of the topics beside them: compacted, and as safe as rows.
  std::map<std::string, std::string> OwnTopicSettings() const;
};

// Whether a sink's URL is one of Kafka.
bool IsKafkaUrl(absl::string_view url);

// Whether a property of the URL is about connections, of whatever client.
bool IsConnectionProperty(absl::string_view property);

// Reads "kafka://host:port,host:port/?name=value&...". The names are those of docs/sinks.md.
// kInvalidArgument, without values of the URL: a password has no place in it, but people try.
absl::StatusOr<KafkaTarget> ParseKafkaUrl(const std::string& url);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_KAFKA_KAFKA_URL_H_

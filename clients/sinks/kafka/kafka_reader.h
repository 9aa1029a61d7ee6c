#ifndef CLIENTS_SINKS_KAFKA_KAFKA_READER_H_
#define CLIENTS_SINKS_KAFKA_KAFKA_READER_H_

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/kafka/kafka_url.h"

namespace intercom_extractor {

// One record; its texts live as long as the call that gives it.
struct KafkaRecord {
  absl::string_view key;
  std::optional<absl::string_view> value;
  std::map<std::string, std::string> headers;
};

// Gives every committed record of a topic, up to what its end is now, in the order of each
// partition. Waits while transactions of others are open before that end. Errors as
// KafkaError(); kUnavailable also where such a transaction stays open.
absl::Status ReadTopic(const KafkaTarget& target, const std::string& topic,
                       const std::function<void(const KafkaRecord&)>& on_record);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_KAFKA_KAFKA_READER_H_

#ifndef CLIENTS_SINKS_KAFKA_KAFKA_READER_H_
#define CLIENTS_SINKS_KAFKA_KAFKA_READER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/kafka/kafka_url.h"

namespace intercom_extractor {

// One record; its texts live as long as the call that gives it.
struct KafkaRecord {
  absl::string_view key;
  std::optional<absl::string_view> value;
  std::map<std::string, std::string> headers;
};

// How many partitions a topic has; 0: it is not there, or not yet. Errors as KafkaError().
absl::StatusOr<int> CountPartitions(const KafkaTarget& target, const std::string& topic);

struct TopicRange {
  int32_t partition = -1;  // -1: all.
  // Up to what the end is now, waiting while transactions of others are open before it; else
  // up to the first that is open.
  bool wait_for_open = true;
};

// Gives every committed record of a topic, up to what its end is now, in the order of each
// partition. Errors as KafkaError(); kUnavailable also where a transaction that is waited
// for stays open.
absl::Status ReadTopic(const KafkaTarget& target, const std::string& topic, const TopicRange& range,
                       const std::function<void(const KafkaRecord&)>& on_record);

// The last value of each key of a compacted topic. `parse` makes one of a record that has
// one, or says false: kDataLoss, "has a damaged `what` KEY; `advice`". Errors as ReadTopic().
template <typename Value, typename Parse>
absl::StatusOr<std::map<std::string, Value>> ReadLatest(const KafkaTarget& target,
                                                        const std::string& topic,
                                                        const TopicRange& range, Parse parse,
                                                        absl::string_view what,
                                                        absl::string_view advice) {
  std::map<std::string, Value> values;
  std::string damaged;
  absl::Status read = ReadTopic(target, topic, range, [&](const KafkaRecord& record) {
    const std::string key(record.key);
    Value value;
    if (!record.value.has_value()) {
      values.erase(key);
    } else if (parse(record, &value)) {
      values[key] = std::move(value);
    } else {
      damaged = key;
    }
  });
  if (!read.ok()) return read;
  if (damaged.empty()) return values;
  return absl::DataLossError(absl::StrCat("topic ", topic, " at ", target.name(), " has a damaged ",
                                          what, " ", damaged, "; ", advice));
}

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_KAFKA_KAFKA_READER_H_

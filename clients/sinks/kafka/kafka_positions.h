#ifndef CLIENTS_SINKS_KAFKA_KAFKA_POSITIONS_H_
#define CLIENTS_SINKS_KAFKA_KAFKA_POSITIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/kafka/kafka_producer.h"
#include "clients/sinks/kafka/kafka_reader.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

// What the topic of positions says of one sink id.
struct KafkaPosition {
  sinks::SinkPosition position;
  uint64_t run = 0;                 // Of the last run that has committed; 0: none has.
  std::string instance;             // The one that has the id.
  std::vector<std::string> tables;  // Those that it fills.
  std::string note;                 // What its owner keeps with it.
};

// "intercom._positions".
std::string PositionsTopicName(const KafkaTarget& target);

// Compacted, keyed by sink id.
KafkaTopic PositionsTopic(const KafkaTarget& target);

// The partition of a key that may be others' as well, of `partitions`.
int32_t PartitionOfKey(absl::string_view key, int partitions);

// Positions by sink id, as they are committed now. Errors as ReadTopic(); kDataLoss: a
// record is none of ours.
absl::StatusOr<std::map<std::string, KafkaPosition>> ReadPositions(const KafkaTarget& target,
                                                                   const TopicRange& range);

// Sends the position of an id.
absl::Status SendPosition(const KafkaTarget& target, const std::string& id,
                          const KafkaPosition& position, KafkaProducer* producer);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_KAFKA_KAFKA_POSITIONS_H_

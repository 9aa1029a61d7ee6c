#include "clients/sinks/kafka/kafka_positions.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "clients/sinks/kafka/kafka_reader.h"

namespace intercom_extractor {
namespace {

std::string TopicName(const KafkaTarget& target) {
  return absl::StrCat(target.prefix, "_positions");
}

bool ReadRecord(const KafkaRecord& record, KafkaPosition* position) {
  const auto header = [&record](const char* name) {
    const auto found = record.headers.find(name);
    return found == record.headers.end() ? std::string() : found->second;
  };
  if (!absl::SimpleAtoi(header("run"), &position->run)) return false;
  position->instance = header("instance");
  position->tables = absl::StrSplit(header("tables"), ',', absl::SkipEmpty());
  return position->position.ParseFromArray(record.value->data(),
                                           static_cast<int>(record.value->size()));
}

}  // namespace

KafkaTopic PositionsTopic(const KafkaTarget& target) {
  KafkaTopic topic{TopicName(target), 1, target.OwnTopicSettings()};
  // Small segments: the last one is never compacted, and each start reads it.
  topic.settings["min.cleanable.dirty.ratio"] = "0.1";
  topic.settings["segment.bytes"] = "16777216";
  return topic;
}

absl::StatusOr<std::map<std::string, KafkaPosition>> ReadPositions(const KafkaTarget& target) {
  std::map<std::string, KafkaPosition> positions;
  std::string damaged;
  absl::Status read =
      ReadTopic(target, TopicName(target), [&positions, &damaged](const KafkaRecord& record) {
        const std::string id(record.key);
        KafkaPosition position;
        if (!record.value.has_value()) {
          positions.erase(id);
        } else if (ReadRecord(record, &position)) {
          positions[id] = std::move(position);
        } else {
          damaged = id;
        }
      });
  if (!read.ok()) return read;
  if (!damaged.empty()) {
    return absl::DataLossError(absl::StrCat("topic ", TopicName(target), " at ", target.name(),
                                            " has a damaged position of sink id ", damaged,
                                            "; give another prefix, or write a null value for "
                                            "that key to begin anew"));
  }
  return positions;
}

absl::Status SendPosition(const KafkaTarget& target, const std::string& id,
                          const KafkaPosition& position, KafkaProducer* producer) {
  KafkaHeaders headers;
  headers.Add("run", absl::StrCat(position.run))
      .Add("instance", position.instance)
      .Add("tables", absl::StrJoin(position.tables, ","))
      .Add("checkpoint", absl::StrCat(position.position.checkpoint()));
  return producer->Send(TopicName(target), id, position.position.SerializeAsString(), headers);
}

}  // namespace intercom_extractor

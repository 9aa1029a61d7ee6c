#include "clients/sinks/kafka/kafka_positions.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "zlib.h"

namespace intercom_extractor {
namespace {

bool ReadRecord(const KafkaRecord& record, KafkaPosition* position) {
  const auto header = [&record](const char* name) {
    const auto found = record.headers.find(name);
    return found == record.headers.end() ? std::string() : found->second;
  };
  if (!absl::SimpleAtoi(header("run"), &position->run)) return false;
  position->instance = header("instance");
  position->note = header("note");
  position->tables = absl::StrSplit(header("tables"), ',', absl::SkipEmpty());
  return position->position.ParseFromArray(record.value->data(),
                                           static_cast<int>(record.value->size()));
}

}  // namespace

std::string PositionsTopicName(const KafkaTarget& target) {
  return absl::StrCat(target.prefix, "_positions");
}

KafkaTopic PositionsTopic(const KafkaTarget& target) {
  KafkaTopic topic{PositionsTopicName(target), target.position_partitions,
                   target.OwnTopicSettings()};
  // Small segments: the last one is never compacted, and each start reads it.
  topic.settings["min.cleanable.dirty.ratio"] = "0.1";
  topic.settings["segment.bytes"] = "16777216";
  return topic;
}

int32_t PartitionOfKey(absl::string_view key, int partitions) {
  const uLong sum =
      crc32(0, reinterpret_cast<const Bytef*>(key.data()), static_cast<uInt>(key.size()));
  return static_cast<int32_t>(sum % static_cast<uLong>(partitions));
}

absl::StatusOr<std::map<std::string, KafkaPosition>> ReadPositions(const KafkaTarget& target,
                                                                   const TopicRange& range) {
  return ReadLatest<KafkaPosition>(
      target, PositionsTopicName(target), range, ReadRecord, "position of sink id",
      "give another prefix, or write a null value for that key to begin anew");
}

absl::Status SendPosition(const KafkaTarget& target, const std::string& id,
                          const KafkaPosition& position, KafkaProducer* producer) {
  KafkaHeaders headers;
  headers.Add("run", absl::StrCat(position.run))
      .Add("instance", position.instance)
      .Add("tables", absl::StrJoin(position.tables, ","))
      .Add("checkpoint", absl::StrCat(position.position.checkpoint()));
  if (!position.note.empty()) headers.Add("note", position.note);
  return producer->Send(PositionsTopicName(target), id, position.position.SerializeAsString(),
                        headers, PartitionOfKey(id, target.position_partitions));
}

}  // namespace intercom_extractor

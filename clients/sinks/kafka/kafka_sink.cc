#include "clients/sinks/kafka/kafka_sink.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "clients/sinks/one_writer.h"

namespace intercom_extractor {
namespace {

// Room in topics for what a record has besides key and value.
constexpr int64_t kRecordOverhead = 64 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaSink>> KafkaSink::Make(
    KafkaTarget target, std::string id, const std::vector<v1::TableDescription>& tables,
    const std::vector<v1::TableDescription>& all) {
  auto made = MakeTables(tables, all, target.format);
  if (!made.ok()) return made.status();
  return std::unique_ptr<KafkaSink>(
      new KafkaSink(std::move(target), std::move(id), RandomInstance(), *std::move(made)));
}

std::string KafkaSink::TopicOf(absl::string_view stream) const {
  return absl::StrCat(target_.prefix, stream);
}

std::vector<KafkaTopic> KafkaSink::Topics() const {
  KafkaTopic rows;
  rows.partitions = target_.partitions;
  // A topic then stays as large as its table, and a new reader finds all of it.
  rows.settings["cleanup.policy"] = "compact";
  rows.settings["max.message.bytes"] = absl::StrCat(target_.max_message_bytes + kRecordOverhead);
  for (const auto& [name, value] : target_.topic_settings) rows.settings[name] = value;
  std::vector<KafkaTopic> topics = {PositionsTopic(target_)};
  topics.push_back({TopicOf(kEventsStream), target_.partitions, target_.OwnTopicSettings()});
  for (const RecordTable& table : tables()) {
    rows.name = TopicOf(table.name());
    topics.push_back(rows);
  }
  return topics;
}

absl::StatusOr<sinks::SinkPosition> KafkaSink::Open() {
  // What the older producer had not committed is gone with its transaction.
  producer_ = nullptr;
  auto producer = KafkaProducer::Connect(
      target_, target_.transactional ? target_.TransactionalId(id_) : std::string());
  if (!producer.ok()) return producer.status();
  if (absl::Status made = (*producer)->MakeTopics(Topics(), target_.replication); !made.ok()) {
    return made;
  }
  if (has_id_) {
    // Taking it would end a newer instance.
    const auto before = Positions();
    if (!before.ok()) return before.status();
    if (absl::Status fenced = RefuseFenced(*before); !fenced.ok()) return fenced;
  }
  if (absl::Status taken = (*producer)->TakeTransactionalId(); !taken.ok()) return taken;
  auto positions = Positions();
  if (!positions.ok()) return positions.status();
  // One that came in between goes on by itself.
  if (absl::Status fenced = RefuseFenced(*positions); !fenced.ok()) return fenced;
  if (absl::Status refused = RefuseTaken(*positions); !refused.ok()) return refused;
  KafkaPosition stored = std::move((*positions)[id_]);
  committed_ = stored;
  GoOnFrom(stored.position, stored.run);
  producer_ = *std::move(producer);
  sinks::SinkPosition position = stored.position;
  if (!has_id_) {
    if (absl::Status taken = TakeId(std::move(stored)); !taken.ok()) return taken;
  }
  has_id_ = true;
  return position;
}

absl::Status KafkaSink::RefuseFenced(const std::map<std::string, KafkaPosition>& positions) const {
  if (!has_id_) return absl::OkStatus();
  const auto found = positions.find(id_);
  if (found != positions.end() && found->second.instance == instance_) return absl::OkStatus();
  return TakenOverError(id_, name(), "prefix");
}

absl::Status KafkaSink::RefuseTaken(const std::map<std::string, KafkaPosition>& positions) const {
  for (const auto& [id, other] : positions) {
    if (id == id_ || !target_.workspace.empty()) continue;
    for (const RecordTable& table : tables()) {
      if (std::count(other.tables.begin(), other.tables.end(), table.name()) == 0) continue;
      return FilledByError(absl::StrCat("topic ", TopicOf(table.name())), name(), id, "prefix");
    }
  }
  return absl::OkStatus();
}

// Says in the topic of positions who has the id.
absl::Status KafkaSink::TakeId(KafkaPosition stored) {
  stored.instance = instance_;
  for (const RecordTable& table : tables()) {
    if (std::count(stored.tables.begin(), stored.tables.end(), table.name()) == 0) {
      stored.tables.push_back(table.name());
    }
  }
  filled_ = stored.tables;
  if (absl::Status sent = SendPositionOf(std::move(stored)); !sent.ok()) return sent;
  return producer_->Commit();
}

absl::StatusOr<std::map<std::string, KafkaPosition>> KafkaSink::Positions() const {
  TopicRange range;
  // Sinks of other workspaces fill other topics of rows.
  if (!target_.workspace.empty())
    range.partition = PartitionOfKey(id_, target_.position_partitions);
  return ReadPositions(target_, range);
}

absl::Status KafkaSink::SendPositionOf(KafkaPosition position) {
  if (note_) position.note = note_(position.position, position.run);
  absl::Status sent = SendPosition(target_, id_, position, producer_.get());
  if (sent.ok()) committed_ = std::move(position);
  return sent;
}

absl::Status KafkaSink::CommitNote() {
  if (absl::Status dropped = Drop(); !dropped.ok()) return dropped;
  absl::Status sent = SendPositionOf(committed_);
  return Explained(sent.ok() ? producer_->Commit() : sent);
}

const KafkaHeaders& KafkaSink::HeadersOf(const RecordLabels& labels) {
  const auto fields = [](const RecordLabels& of) {
    return std::tie(of.table, of.schema_version, of.run, of.generation, of.extracted_at);
  };
  if (fields(labels) == fields(labels_)) return headers_;
  labels_ = labels;
  headers_ = KafkaHeaders();
  if (!target_.workspace.empty()) headers_.Add("workspace", target_.workspace);
  headers_.Add("table", labels.table)
      .Add("schema_version", labels.schema_version)
      .Add("run", labels.run)
      .Add("generation", labels.generation);
  if (!labels.extracted_at.empty()) headers_.Add("extracted_at", labels.extracted_at);
  return headers_;
}

absl::Status KafkaSink::Send(const Record& record) {
  const KafkaHeaders& headers =
      record.labels == nullptr ? event_headers_ : HeadersOf(*record.labels);
  absl::string_view key = record.key;
  if (!target_.workspace.empty()) {
    key_ = absl::StrCat(target_.workspace, "/", record.key);
    key = key_;
  }
  return Explained(producer_->Send(TopicOf(record.stream), key, record.value, headers));
}

absl::Status KafkaSink::Drop() { return Explained(producer_->Abort()); }

absl::Status KafkaSink::CommitSent(const sinks::SinkPosition& position, uint64_t run) {
  // Without transactions, the position must not be there before the rows.
  absl::Status safe = target_.transactional ? absl::OkStatus() : producer_->Commit();
  if (safe.ok()) {
    safe = SendPositionOf({position, run, instance_, filled_, /*note=*/""});
  }
  if (safe.ok()) safe = producer_->Commit();
  return Explained(std::move(safe));
}

absl::Status KafkaSink::Explained(absl::Status error) {
  if (error.ok() || !producer_->fenced()) return error;
  // A transaction that took too long looks the same; who has the id tells.
  const auto positions = Positions();
  if (!positions.ok()) return error;
  absl::Status fenced = RefuseFenced(*positions);
  return fenced.ok() ? error : fenced;
}

}  // namespace intercom_extractor

#ifndef CLIENTS_SINKS_KAFKA_KAFKA_SINK_H_
#define CLIENTS_SINKS_KAFKA_KAFKA_SINK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/sinks/kafka/kafka_positions.h"
#include "clients/sinks/kafka/kafka_producer.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "clients/sinks/records/record_sink.h"
#include "clients/sinks/records/record_table.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

// Rows in topics of Kafka, one for each table: the key is the row's, null as the value says
// that a record is deleted. What else is gone stands in the topic "_events", for readers that
// keep tables; docs/sinks.md says how they do. How far the sink is stands in "_positions".
//
// With transactions, readers with read_committed see each row exactly once, and a newer
// instance with the id ends the older one's transaction; without, they may see rows since
// the last position again. Rows of a commit go to the brokers before it.
class KafkaSink : public RecordSink {
 public:
  // `tables` are those of the run, `all` those of the server. kUnimplemented: a table is newer
  // than this program.
  static absl::StatusOr<std::unique_ptr<KafkaSink>> Make(
      KafkaTarget target, std::string id, const std::vector<v1::TableDescription>& tables,
      const std::vector<v1::TableDescription>& all);

  // A text that is kept with each position from now on, of what that is and the number of its
  // run. Without, the one that is there goes with the first commit.
  using Note = std::function<std::string(const sinks::SinkPosition&, uint64_t run)>;
  void SetNote(Note note) { note_ = std::move(note); }
  // Those of the position that is committed; 0: no run has.
  const std::string& note() const { return committed_.note; }
  uint64_t committed_run() const { return committed_.run; }
  // Keeps the position that is committed, with a new note. What was written since is lost.
  absl::Status CommitNote();

  absl::StatusOr<sinks::SinkPosition> Open() override;
  // A commit takes some 25 ms, whatever it holds.
  absl::Duration commit_interval() const override { return absl::Milliseconds(500); }
  std::string name() const override { return target_.name(); }

 protected:
  absl::Status Send(const Record& record) override;
  absl::Status Drop() override;
  absl::Status CommitSent(const sinks::SinkPosition& position, uint64_t run) override;

 private:
  KafkaSink(KafkaTarget target, std::string id, std::string instance,
            std::vector<RecordTable> tables)
      : RecordSink(std::move(tables)),
        target_(std::move(target)),
        id_(std::move(id)),
        instance_(std::move(instance)) {
    if (!target_.workspace.empty()) event_headers_.Add("workspace", target_.workspace);
  }

  std::string TopicOf(absl::string_view stream) const;
  std::vector<KafkaTopic> Topics() const;
  const KafkaHeaders& HeadersOf(const RecordLabels& labels);
  // The steps of Open().
  absl::Status RefuseTaken(const std::map<std::string, KafkaPosition>& positions) const;
  absl::Status RefuseFenced(const std::map<std::string, KafkaPosition>& positions) const;
  absl::Status TakeId(KafkaPosition stored);
  absl::StatusOr<std::map<std::string, KafkaPosition>> Positions() const;
  absl::Status SendPositionOf(KafkaPosition position);
  // kAborted where the error comes of a newer instance, else the error.
  absl::Status Explained(absl::Status error);

  const KafkaTarget target_;
  const std::string id_;
  const std::string instance_;       // Random: tells this object from all others.
  std::vector<std::string> filled_;  // Tables that the id has ever filled.
  std::unique_ptr<KafkaProducer> producer_;
  bool has_id_ = false;  // Whether an Open() has succeeded.
  Note note_;
  KafkaPosition committed_;
  std::string key_;  // Of the last record, with the workspace.
  KafkaHeaders event_headers_;
  // Those of the last record: rows of a batch have the same.
  RecordLabels labels_;
  KafkaHeaders headers_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_KAFKA_KAFKA_SINK_H_

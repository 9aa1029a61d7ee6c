#ifndef CLIENTS_SINKS_RECORDS_RECORD_SINK_H_
#define CLIENTS_SINKS_RECORDS_RECORD_SINK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/records/record_events.h"
#include "clients/sinks/records/record_table.h"
#include "clients/sinks/sink.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

// The stream that says which rows are gone; those of rows have their table's name.
inline constexpr char kEventsStream[] = "_events";

// What stands beside the value of each record of a table, as text.
struct RecordLabels {
  std::string table;
  std::string schema_version;
  std::string run;
  std::string generation;
  std::string extracted_at;  // "2026-03-01T12:00:00.000Z"; empty for a deletion.
};

// What a stream gets. Lives as long as the call that gives it.
struct Record {
  absl::string_view stream;
  absl::string_view key;
  std::optional<absl::string_view> value;  // None: the record with this key is deleted.
  const RecordLabels* labels = nullptr;    // Null for an event.
};

// A sink that is a set of streams: one for each table, whose records are rows with their
// keys, and one of events. A class of each kind of queue sends the records and knows how
// they are committed. Threads and errors as of Sink.
class RecordSink : public Sink {
 public:
  absl::Status Begin(const v1::ExtractRequest& request) final;
  absl::Status Write(const v1::RowBatch& batch, const SerializedRows& rows) final;
  absl::Status Delete(const v1::DeletedRecords& deleted) final;
  absl::Status Keep(const v1::LivingRecords& living) final;
  absl::Status Restart(const std::string& table, uint32_t generation) final;
  absl::Status Commit(const sinks::SinkPosition& position) final;
  absl::Status Finish(const v1::Summary& summary, const sinks::SinkPosition& position) final;

 protected:
  // `tables` are those of the run, `all` those of the server. Errors as RecordTable::Make().
  static absl::StatusOr<std::vector<RecordTable>> MakeTables(
      const std::vector<v1::TableDescription>& tables, const std::vector<v1::TableDescription>& all,
      RecordFormat format);

  explicit RecordSink(std::vector<RecordTable> tables) : tables_(std::move(tables)) {}

  const std::vector<RecordTable>& tables() const { return tables_; }
  // The number of the present run.
  uint64_t run() const { return run_; }

  // What Open() found: the position and the number of its run, 0 where none has committed.
  void GoOnFrom(const sinks::SinkPosition& position, uint64_t run);

  virtual absl::Status Send(const Record& record) = 0;
  // Throws away what was sent since the last commit, as far as the queue can.
  virtual absl::Status Drop() = 0;
  virtual absl::Status CommitSent(const sinks::SinkPosition& position, uint64_t run) = 0;

 private:
  const RecordTable* Find(const std::string& table) const;
  // Whether the run reads all rows of the table.
  bool ReadsWhole(const std::string& table) const;
  RowVersion VersionOf(const std::string& table) const;
  absl::Status SendEvent(const RecordEvent& event);

  const std::vector<RecordTable> tables_;
  uint64_t stored_run_ = 0;  // The last run that is committed.
  uint64_t run_ = 0;         // The present one.
  bool incremental_ = false;
  bool finds_deleted_ = false;
  absl::flat_hash_map<std::string, uint32_t> generations_;  // Those above 1.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_RECORDS_RECORD_SINK_H_

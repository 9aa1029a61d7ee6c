#include "clients/sinks/records/record_sink.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace intercom_extractor {
namespace {

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ",
                          absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
                          absl::UTCTimeZone());
}

RecordLabels LabelsOf(const RecordTable& table, RowVersion version) {
  return {table.name(), table.schema_version(), absl::StrCat(version.run),
          absl::StrCat(version.generation), ""};
}

}  // namespace

absl::StatusOr<std::vector<RecordTable>> RecordSink::MakeTables(
    const std::vector<v1::TableDescription>& tables, const std::vector<v1::TableDescription>& all,
    RecordFormat format) {
  std::vector<RecordTable> made;
  for (const v1::TableDescription& description : tables) {
    auto table = RecordTable::Make(description, all, format);
    if (!table.ok()) return table.status();
    made.push_back(*std::move(table));
  }
  return made;
}

void RecordSink::GoOnFrom(const sinks::SinkPosition& position, uint64_t run) {
  stored_run_ = run_ = run;
  v1::ExtractRequest request;
  request.ParseFromString(position.request());
  incremental_ = request.has_updated_since();
  finds_deleted_ = request.find_deleted();
  generations_.clear();
  for (const auto& [table, generation] : position.generations()) generations_[table] = generation;
}

absl::Status RecordSink::Begin(const v1::ExtractRequest& request) {
  run_ = stored_run_ + 1;
  incremental_ = request.has_updated_since();
  finds_deleted_ = request.find_deleted();
  generations_.clear();
  return Drop();
}

const RecordTable* RecordSink::Find(const std::string& table) const {
  for (const RecordTable& candidate : tables_) {
    if (candidate.name() == table) return &candidate;
  }
  return nullptr;
}

bool RecordSink::ReadsWhole(const std::string& table) const {
  const RecordTable* const found = Find(table);
  return !incremental_ || (found != nullptr && found->always_whole());
}

RowVersion RecordSink::VersionOf(const std::string& table) const {
  const auto found = generations_.find(table);
  return {run_, found == generations_.end() ? 1 : found->second};
}

absl::Status RecordSink::SendEvent(const RecordEvent& event) {
  return Send({kEventsStream, event.key, event.value, nullptr});
}

absl::Status RecordSink::Write(const v1::RowBatch& batch, const SerializedRows& rows) {
  const RecordTable* const table = Find(batch.table());
  if (table == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("the server sent rows of table ", batch.table(), ", which was not asked for"));
  }
  const RowVersion version = {run_, batch.generation()};
  RecordLabels labels = LabelsOf(*table, version);
  labels.extracted_at = TimeText(batch.extracted_at());
  std::string key;
  std::string scratch;
  for (const absl::string_view row : rows) {
    key.clear();
    if (!table->AppendKey(row, &key)) {
      return absl::DataLossError(
          absl::StrCat("the server sent a row of ", batch.table(), " that is no message"));
    }
    absl::Status sent = Send({table->name(), key, table->ValueOf(row, &scratch), &labels});
    if (!sent.ok()) return sent;
  }
  for (const v1::ParentRows& parent : batch.parents()) {
    absl::Status sent = SendEvent(ParentEvent(*table, parent, version));
    if (!sent.ok()) return sent;
  }
  return absl::OkStatus();
}

absl::Status RecordSink::Delete(const v1::DeletedRecords& deleted) {
  const RecordTable* const table = Find(deleted.table());
  for (const v1::DeletedRecords::Record& record : deleted.records()) {
    if (table != nullptr && table->keyed_by_id()) {
      const RecordLabels labels = LabelsOf(*table, VersionOf(deleted.table()));
      absl::Status sent = Send({table->name(), record.id(), std::nullopt, &labels});
      if (!sent.ok()) return sent;
    }
    absl::Status sent = SendEvent(DeletedEvent(deleted.table(), record, run_));
    if (!sent.ok()) return sent;
  }
  return absl::OkStatus();
}

absl::Status RecordSink::Keep(const v1::LivingRecords& living) {
  for (const std::string& id : living.ids()) {
    absl::Status sent = SendEvent(LivingEvent(living.table(), id, {run_, living.generation()}));
    if (!sent.ok()) return sent;
  }
  return absl::OkStatus();
}

absl::Status RecordSink::Restart(const std::string& table, uint32_t generation) {
  generations_[table] = generation;
  return SendEvent(RestartedEvent(table, {run_, generation}, ReadsWhole(table)));
}

absl::Status RecordSink::Commit(const sinks::SinkPosition& position) {
  absl::Status committed = CommitSent(position, run_);
  if (committed.ok()) stored_run_ = run_;
  return committed;
}

absl::Status RecordSink::Finish(const v1::Summary& summary, const sinks::SinkPosition& position) {
  for (const v1::TableSummary& table : summary.tables()) {
    if (table.status() != v1::TABLE_STATUS_COMPLETE) continue;
    const RowVersion version = VersionOf(table.table());
    absl::Status sent;
    if (ReadsWhole(table.table())) {
      sent = SendEvent(WholeEvent(table.table(), version));
    } else if (finds_deleted_ && (table.table() == "users" || table.table() == "leads")) {
      sent = SendEvent(ListedEvent(table.table(), version));
    }
    if (!sent.ok()) return sent;
  }
  return Commit(position);
}

}  // namespace intercom_extractor

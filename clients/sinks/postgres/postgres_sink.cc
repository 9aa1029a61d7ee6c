#include "clients/sinks/postgres/postgres_sink.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/sinks/one_writer.h"
#include "clients/sinks/postgres/copy_rows.h"

namespace intercom_extractor {
namespace {

// UNIQUE NULLS NOT DISTINCT.
constexpr int kOldestServer = 150'000;

// Rows of a table that wait for their commit in memory; what is more goes ahead.
constexpr size_t kMostBytes = size_t{4} << 20;

constexpr char kState[] = "_intercom_state";
constexpr char kTables[] = "_intercom_tables";
constexpr char kLiving[] = "_intercom_living";

// The ids as rows of a query.
std::string IdsSql(const std::vector<std::string>& ids) {
  return absl::StrCat("VALUES ",
                      absl::StrJoin(ids, ", ", [](std::string* out, const std::string& id) {
                        absl::StrAppend(out, "(", SqlText(id), ")");
                      }));
}

std::string WholeCopy(const std::string& rows) {
  std::string bytes;
  bytes.reserve(rows.size() + 32);
  AppendCopyHeader(&bytes);
  bytes += rows;
  AppendCopyTrailer(&bytes);
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresSink>> PostgresSink::Make(
    PostgresTarget target, std::string id, const std::vector<v1::TableDescription>& tables,
    const std::vector<v1::TableDescription>& all) {
  std::vector<PostgresTable> made;
  made.reserve(tables.size());
  for (const v1::TableDescription& description : tables) {
    auto table = PostgresTable::Make(target.schema, description, all);
    if (!table.ok()) return table.status();
    made.push_back(*std::move(table));
  }
  return std::unique_ptr<PostgresSink>(
      new PostgresSink(std::move(target), std::move(id), std::move(made)));
}

std::string PostgresSink::Ours(absl::string_view table) const {
  return absl::StrCat(SqlName(target_.schema), ".", SqlName(table));
}

absl::StatusOr<sinks::SinkPosition> PostgresSink::Open() {
  Forget();
  for (const auto step :
       {&PostgresSink::Connect, &PostgresSink::MakeStateTables, &PostgresSink::TakeId,
        &PostgresSink::MakeTables, &PostgresSink::MakeStaging}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  return ReadPosition();
}

absl::Status PostgresSink::Connect() {
  connection_ = nullptr;
  auto connected = PostgresConnection::Connect(target_);
  if (!connected.ok()) return connected.status();
  connection_ = *std::move(connected);
  if (connection_->server_version() < kOldestServer) {
    return absl::FailedPreconditionError(absl::StrCat(name(), " is PostgreSQL ",
                                                      connection_->server_version() / 10'000,
                                                      "; this sink needs 15 or later"));
  }
  // Who waits longer for a lock hears of it and tries again. What a commit sorts shall not go
  // through a file.
  return connection_->Do(
      "SET lock_timeout = '30s'; SET work_mem = '64MB'; SET timezone = 'UTC'; SET "
      "idle_in_transaction_session_timeout = 0;"
      " SET search_path = pg_catalog, pg_temp");
}

absl::Status PostgresSink::MakeStateTables() {
  const auto there =
      connection_->Run("SELECT to_regclass($1), to_regnamespace($2), to_regclass($3)",
                       {Ours(kState), SqlName(target_.schema), Ours(kLiving)});
  if (!there.ok()) return there.status();
  const auto& found = there->rows[0];
  if (found[0].has_value() && found[2].has_value()) return absl::OkStatus();
  return connection_->Do(absl::StrCat(
      "BEGIN; SELECT pg_advisory_xact_lock(hashtext(", SqlText(target_.schema), "));\n",
      // Asking for one that is there would want the right to make schemas.
      found[1].has_value()
          ? std::string()
          : absl::StrCat("CREATE SCHEMA IF NOT EXISTS ", SqlName(target_.schema), ";\n"),
      "CREATE TABLE IF NOT EXISTS ", Ours(kState),
      " (id text PRIMARY KEY, epoch bigint NOT NULL, checkpoint bigint NOT NULL DEFAULT 0,"
      " complete boolean NOT NULL DEFAULT false, position bytea NOT NULL DEFAULT '',"
      " cluster bigint NOT NULL, backend_pid int, backend_start timestamptz,"
      " updated_at timestamptz NOT NULL DEFAULT now());\nCOMMENT ON TABLE ",
      Ours(kState), " IS 'How far intercom-extract is, by --sink-id; do not change.';\n",
      "CREATE TABLE IF NOT EXISTS ", Ours(kTables),
      " (table_name text PRIMARY KEY, sink_id text NOT NULL, generation bigint NOT NULL DEFAULT 1,"
      " since xid8 NOT NULL);\nCREATE TABLE IF NOT EXISTS ",
      Ours(kLiving),
      " (table_name text NOT NULL, id text NOT NULL, PRIMARY KEY (table_name, id));\nCOMMIT"));
}

// One that is frozen holds its locks for ever, and one that was lost may still commit.
absl::Status PostgresSink::EndOlderSession() {
  // Refused to a role that may not end it: then its locks are waited for.
  (void)connection_->Do(
      absl::StrCat("SELECT pg_terminate_backend(a.pid, 5000) FROM ", Ours(kState),
                   " s JOIN pg_stat_activity a ON a.pid = s.backend_pid AND a.backend_start = "
                   "s.backend_start WHERE s.id = $1 AND a.pid <> pg_backend_pid()"),
      {id_});
  return absl::OkStatus();
}

absl::Status PostgresSink::Fenced() const { return TakenOverError(id_, name(), "schema"); }

absl::Status PostgresSink::TakeId() {
  if (!epoch_.empty()) {
    // The id was ours; a newer instance must not lose it to us.
    const auto epoch =
        connection_->Run(absl::StrCat("SELECT epoch FROM ", Ours(kState), " WHERE id = $1"), {id_});
    if (!epoch.ok()) return epoch.status();
    if (epoch->rows.empty() || epoch->rows[0][0] != epoch_) {
      return Fenced();
    }
  }
  if (absl::Status status = EndOlderSession(); !status.ok()) return status;
  const std::string mine =
      "(SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())";
  if (!epoch_.empty()) {
    const auto kept =
        connection_->Run(absl::StrCat("UPDATE ", Ours(kState),
                                      " SET backend_pid = pg_backend_pid(), backend_start = ", mine,
                                      " WHERE id = $1 AND epoch = $2"),
                         {id_, epoch_});
    return kept.status();
  }
  // A position of another cluster, as of a restored dump, tells nothing of this one's
  // transactions: such a run begins anew.
  const auto taken = connection_->Run(
      absl::StrCat(
          "INSERT INTO ", Ours(kState),
          " AS s (id, epoch, cluster, backend_pid, backend_start) VALUES ($1, 1,"
          " (SELECT system_identifier FROM pg_control_system()), pg_backend_pid(), ",
          mine,
          ") ON CONFLICT (id) DO UPDATE SET epoch = s.epoch + 1, backend_pid = "
          "EXCLUDED.backend_pid, backend_start = EXCLUDED.backend_start, cluster = "
          "EXCLUDED.cluster, position = CASE WHEN s.cluster = EXCLUDED.cluster THEN s.position "
          "ELSE '' END RETURNING epoch"),
      {id_});
  if (!taken.ok()) return taken.status();
  epoch_ = *taken->rows[0][0];
  return absl::OkStatus();
}

absl::Status PostgresSink::MakeTables() {
  if (absl::Status status = connection_->Do(absl::StrCat(
          "BEGIN; SELECT pg_advisory_xact_lock(hashtext(", SqlText(target_.schema), "))"));
      !status.ok()) {
    return status;
  }
  for (const PostgresTable& table : tables_) {
    if (absl::Status status = MakeTable(table); !status.ok()) return status;
  }
  return connection_->Do("COMMIT");
}

absl::Status PostgresSink::MakeTable(const PostgresTable& table) {
  const auto owner = connection_->Run(
      absl::StrCat("INSERT INTO ", Ours(kTables),
                   " AS t (table_name, sink_id, since) VALUES ($1, $2, pg_current_xact_id())"
                   " ON CONFLICT (table_name) DO UPDATE SET sink_id = t.sink_id"
                   " RETURNING sink_id, since"),
      {table.name(), id_});
  if (!owner.ok()) return owner.status();
  if (owner->rows[0][0] != id_) {
    return FilledByError(absl::StrCat("table ", table.name()), name(), *owner->rows[0][0],
                         "schema");
  }
  since_[table.name()] = *owner->rows[0][1];
  const auto columns = connection_->Run(
      "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT "
      "attisdropped",
      {Ours(table.name())});
  if (!columns.ok()) return columns.status();
  absl::flat_hash_set<std::string> present;
  for (const auto& row : columns->rows) present.insert(*row[0]);
  const std::string sql = present.empty() ? table.CreateSql() : table.AddColumnsSql(present);
  return sql.empty() ? absl::OkStatus() : connection_->Do(sql);
}

absl::Status PostgresSink::MakeStaging() {
  std::string sql;
  for (const PostgresTable& table : tables_) absl::StrAppend(&sql, table.StagingSql());
  return connection_->Do(sql);
}

absl::StatusOr<sinks::SinkPosition> PostgresSink::ReadPosition() {
  const auto stored = connection_->Run(
      absl::StrCat("SELECT encode(position, 'hex') FROM ", Ours(kState), " WHERE id = $1"), {id_});
  if (!stored.ok()) return stored.status();
  sinks::SinkPosition position;
  if (!position.ParseFromString(absl::HexStringToBytes(*stored->rows[0][0]))) {
    return absl::DataLossError(absl::StrCat("the position of sink id ", id_, " at ", name(),
                                            " is damaged; drop the schema and begin anew"));
  }
  v1::ExtractRequest request;
  request.ParseFromString(position.request());
  incremental_ = request.has_updated_since();
  finds_deleted_ = request.find_deleted();
  return position;
}

absl::Status PostgresSink::Begin(const v1::ExtractRequest& request) {
  pending_.clear();
  begins_ = true;
  incremental_ = request.has_updated_since();
  finds_deleted_ = request.find_deleted();
  if (!in_transaction_) return absl::OkStatus();
  in_transaction_ = false;
  return connection_->Do("ROLLBACK");
}

absl::Status PostgresSink::Write(const v1::RowBatch& batch, const SerializedRows& rows) {
  for (const PostgresTable& table : tables_) {
    if (table.name() != batch.table()) continue;
    Pending* const pending = &pending_[table.name()];
    for (const absl::string_view row : rows) {
      const auto key = AppendCopyRow(table, row, &pending->rows);
      if (!key.has_value()) {
        return absl::DataLossError(
            absl::StrCat("the server sent a row of ", table.name(), " that is no message"));
      }
      if (!pending->key_hashes.insert(*key).second) pending->keys_repeat = true;
    }
    for (const v1::ParentRows& parent : batch.parents()) {
      AppendCopyText(parent.id(), &pending->parents);
    }
    if (pending->rows.size() + pending->parents.size() < kMostBytes) return absl::OkStatus();
    if (absl::Status status = BeginTransaction(); !status.ok()) return status;
    return Stage(table, pending);
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the server sent rows of table ", batch.table(), ", which was not asked for"));
}

absl::Status PostgresSink::Delete(const v1::DeletedRecords& deleted) {
  for (const auto& record : deleted.records()) {
    pending_[deleted.table()].deleted.push_back(record.id());
  }
  return absl::OkStatus();
}

absl::Status PostgresSink::Keep(const v1::LivingRecords& living) {
  auto& ids = pending_[living.table()].living;
  ids.insert(ids.end(), living.ids().begin(), living.ids().end());
  return absl::OkStatus();
}

absl::Status PostgresSink::Restart(const std::string& table, uint32_t generation) {
  Pending* const pending = &pending_[table];
  const bool staged = pending->staged_rows || pending->staged_parents;
  std::vector<std::string> deleted = std::move(pending->deleted);
  *pending = {};
  pending->deleted = std::move(deleted);
  pending->restarted = true;
  pending->generation = generation;
  if (!staged) return absl::OkStatus();
  return connection_->Do(absl::StrCat("TRUNCATE pg_temp.", SqlName(absl::StrCat("rows_", table)),
                                      ", pg_temp.", SqlName(absl::StrCat("parents_", table))));
}

absl::Status PostgresSink::BeginTransaction() {
  if (in_transaction_) return absl::OkStatus();
  in_transaction_ = true;
  return connection_->Do("BEGIN");
}

absl::Status PostgresSink::Stage(const PostgresTable& table, Pending* pending) {
  if (!pending->rows.empty()) {
    absl::Status status = connection_->Copy(table.CopySql(), WholeCopy(pending->rows));
    if (!status.ok()) return status;
    pending->staged_rows = true;
    pending->rows.clear();
  }
  if (!pending->parents.empty()) {
    absl::Status status = connection_->Copy(table.CopyParentsSql(), WholeCopy(pending->parents));
    if (!status.ok()) return status;
    pending->staged_parents = true;
    pending->parents.clear();
  }
  return absl::OkStatus();
}

absl::Status PostgresSink::StagePending() {
  for (const PostgresTable& table : tables_) {
    const auto pending = pending_.find(table.name());
    if (pending == pending_.end()) continue;
    if (absl::Status status = Stage(table, &pending->second); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PostgresSink::WritePosition(const sinks::SinkPosition& position) {
  const auto written = connection_->Run(
      absl::StrCat("UPDATE ", Ours(kState),
                   " SET position = decode($3, 'hex'), checkpoint = $4, complete = $5,"
                   " updated_at = now() WHERE id = $1 AND epoch = $2"),
      {id_, epoch_, absl::BytesToHexString(position.SerializeAsString()),
       absl::StrCat(position.checkpoint()), position.complete() ? "true" : "false"});
  if (!written.ok()) return written.status();
  if (written->affected == 1) return absl::OkStatus();
  return Fenced();
}

absl::Status PostgresSink::DropLiving() {
  return connection_->Do(
      absl::StrCat("DELETE FROM ", Ours(kLiving), " WHERE table_name IN (SELECT table_name FROM ",
                   Ours(kTables), " WHERE sink_id = $1)"),
      {id_});
}

absl::Status PostgresSink::BeginGeneration(const std::string& table, uint32_t generation) {
  const auto begun = connection_->Run(
      absl::StrCat("UPDATE ", Ours(kTables),
                   " SET generation = $2, since = pg_current_xact_id() WHERE table_name = $1"
                   " RETURNING since"),
      {table, absl::StrCat(generation)});
  if (!begun.ok()) return begun.status();
  since_[table] = *begun->rows[0][0];
  return absl::OkStatus();
}

absl::Status PostgresSink::ApplyBegin() {
  if (!begins_) return absl::OkStatus();
  absl::Status status = DropLiving();
  for (const PostgresTable& table : tables_) {
    if (!status.ok()) return status;
    status = BeginGeneration(table.name(), 1);
  }
  return status;
}

absl::Status PostgresSink::ApplyRestarts() {
  for (const PostgresTable& table : tables_) {
    const auto pending = pending_.find(table.name());
    if (pending == pending_.end() || !pending->second.restarted) continue;
    // An incremental run does not read again what it did not change: there the next
    // generation overwrites by key.
    if (!incremental_ || table.always_whole()) {
      absl::Status dropped = connection_->Do(table.DropWrittenSql(since_[table.name()]));
      if (!dropped.ok()) return dropped;
    }
    absl::Status begun = BeginGeneration(table.name(), pending->second.generation);
    if (!begun.ok()) return begun;
    absl::Status voided = connection_->Do(
        absl::StrCat("DELETE FROM ", Ours(kLiving), " WHERE table_name = $1"), {table.name()});
    if (!voided.ok()) return voided;
  }
  return absl::OkStatus();
}

absl::Status PostgresSink::ApplyRows() {
  for (const PostgresTable& table : tables_) {
    const auto pending = pending_.find(table.name());
    if (pending == pending_.end() || !pending->second.staged_rows) continue;
    absl::Status status = connection_->Do(table.MergeSql(pending->second.keys_repeat));
    if (!status.ok()) return status;
  }
  // Attachments are found through their parts: children before what is above them.
  for (auto table = tables_.rbegin(); table != tables_.rend(); ++table) {
    const auto pending = pending_.find(table->name());
    if (pending == pending_.end()) continue;
    if (pending->second.staged_parents) {
      const std::string sql = table->DropOfStagedParentsSql(since_[table->name()]);
      absl::Status status = sql.empty() ? absl::OkStatus() : connection_->Do(sql);
      if (!status.ok()) return status;
    }
    if (pending->second.living.empty()) continue;
    absl::Status status = connection_->Do(absl::StrCat(
        "INSERT INTO ", Ours(kLiving), " SELECT ", SqlText(table->name()), ", id FROM (",
        IdsSql(pending->second.living), ") AS v (id) ON CONFLICT DO NOTHING"));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PostgresSink::DropRecords(absl::string_view table, const std::string& ids) {
  for (auto at = tables_.rbegin(); at != tables_.rend(); ++at) {
    const std::string sql = at->DropOfRecordsSql(table, ids);
    absl::Status status = sql.empty() ? absl::OkStatus() : connection_->Do(sql);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PostgresSink::ApplyDeleted() {
  for (const auto& [table, pending] : pending_) {
    if (pending.deleted.empty()) continue;
    absl::Status status = DropRecords(table, IdsSql(pending.deleted));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PostgresSink::ApplyEnd(const v1::Summary& summary) {
  for (auto table = tables_.rbegin(); table != tables_.rend(); ++table) {
    const auto ended = std::find_if(
        summary.tables().begin(), summary.tables().end(),
        [&table](const v1::TableSummary& other) { return other.table() == table->name(); });
    if (ended == summary.tables().end() || ended->status() != v1::TABLE_STATUS_COMPLETE) continue;
    const std::string& since = since_[table->name()];
    if (!incremental_ || table->always_whole()) {
      absl::Status status = connection_->Do(table->DropOlderSql(since));
      if (!status.ok()) return status;
    } else if (finds_deleted_ && (table->name() == "users" || table->name() == "leads")) {
      // Its own rows last: they tell which are gone.
      absl::Status status = DropRecords(table->name(), table->SelectVanishedSql(since));
      if (!status.ok()) return status;
    }
  }
  return DropLiving();
}

absl::Status PostgresSink::CommitWith(const sinks::SinkPosition& position,
                                      const v1::Summary* summary) {
  if (absl::Status status = BeginTransaction(); !status.ok()) return status;
  if (absl::Status status = StagePending(); !status.ok()) return status;
  // Before anything that readers see: it locks the id against a newer instance.
  if (absl::Status status = WritePosition(position); !status.ok()) return status;
  for (const auto step : {&PostgresSink::ApplyBegin, &PostgresSink::ApplyRestarts,
                          &PostgresSink::ApplyRows, &PostgresSink::ApplyDeleted}) {
    if (absl::Status status = (this->*step)(); !status.ok()) return status;
  }
  if (summary != nullptr) {
    if (absl::Status status = ApplyEnd(*summary); !status.ok()) return status;
  }
  if (absl::Status status = connection_->Do("COMMIT"); !status.ok()) return status;
  in_transaction_ = false;
  begins_ = false;
  pending_.clear();
  return absl::OkStatus();
}

absl::Status PostgresSink::Commit(const sinks::SinkPosition& position) {
  return CommitWith(position, nullptr);
}

absl::Status PostgresSink::Finish(const v1::Summary& summary, const sinks::SinkPosition& position) {
  return CommitWith(position, &summary);
}

void PostgresSink::Forget() {
  connection_ = nullptr;
  in_transaction_ = false;
  begins_ = false;
  pending_.clear();
  since_.clear();
}

}  // namespace intercom_extractor

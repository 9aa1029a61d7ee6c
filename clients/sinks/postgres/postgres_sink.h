#ifndef CLIENTS_SINKS_POSTGRES_POSTGRES_SINK_H_
#define CLIENTS_SINKS_POSTGRES_POSTGRES_SINK_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cpp/rows.h"
#include "clients/sinks/postgres/postgres_connection.h"
#include "clients/sinks/postgres/postgres_table.h"
#include "clients/sinks/postgres/postgres_url.h"
#include "clients/sinks/sink.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

// Rows in a schema of PostgreSQL 15 or later, a table for each table, exactly once: one
// transaction per commit has rows, deletions and the position.
//
// Tables of ours besides: `_intercom_state` (a row per id), `_intercom_tables` (which id
// fills a table, and since which transaction its present generation is written) and
// `_intercom_living` (what LivingRecords said, until the run ends). A table is filled by one
// id only. Columns are added, never dropped.
class PostgresSink : public Sink {
 public:
  // `tables` are those of the run, `all` those of the server. kUnimplemented: a table is newer
  // than this program.
  static absl::StatusOr<std::unique_ptr<PostgresSink>> Make(
      PostgresTarget target, std::string id, const std::vector<v1::TableDescription>& tables,
      const std::vector<v1::TableDescription>& all);

  absl::StatusOr<sinks::SinkPosition> Open() override;
  absl::Status Begin(const v1::ExtractRequest& request) override;
  absl::Status Write(const v1::RowBatch& batch, const SerializedRows& rows) override;
  absl::Status Delete(const v1::DeletedRecords& deleted) override;
  absl::Status Keep(const v1::LivingRecords& living) override;
  absl::Status Restart(const std::string& table, uint32_t generation) override;
  absl::Status Commit(const sinks::SinkPosition& position) override;
  absl::Status Finish(const v1::Summary& summary, const sinks::SinkPosition& position) override;
  // Most of a commit is waiting for the disk.
  absl::Duration commit_interval() const override { return absl::Milliseconds(500); }
  std::string name() const override { return target_.name(); }

 private:
  // What a table has got since the last commit.
  struct Pending {
    std::string rows;     // For COPY, without its header.
    std::string parents;  // The same.
    bool staged_rows = false;
    bool staged_parents = false;
    absl::flat_hash_set<size_t> key_hashes;  // Of the rows.
    bool keys_repeat = false;
    bool restarted = false;
    uint32_t generation = 0;
    std::vector<std::string> deleted;
    std::vector<std::string> living;
  };

  PostgresSink(PostgresTarget target, std::string id, std::vector<PostgresTable> tables)
      : target_(std::move(target)), id_(std::move(id)), tables_(std::move(tables)) {}

  std::string Ours(absl::string_view table) const;
  // The steps of Open().
  absl::Status Connect();
  absl::Status MakeStateTables();
  absl::Status TakeId();
  absl::Status EndOlderSession();
  absl::Status MakeTables();
  absl::Status MakeTable(const PostgresTable& table);
  absl::Status MakeStaging();
  absl::StatusOr<sinks::SinkPosition> ReadPosition();

  absl::Status Fenced() const;
  absl::Status BeginTransaction();
  absl::Status Stage(const PostgresTable& table, Pending* pending);
  // The steps of a commit, in this order.
  absl::Status StagePending();
  absl::Status WritePosition(const sinks::SinkPosition& position);
  absl::Status ApplyBegin();
  absl::Status ApplyRestarts();
  absl::Status ApplyRows();
  absl::Status ApplyDeleted();
  absl::Status ApplyEnd(const v1::Summary& summary);
  absl::Status CommitWith(const sinks::SinkPosition& position, const v1::Summary* summary);
  absl::Status BeginGeneration(const std::string& table, uint32_t generation);
  absl::Status DropLiving();
  absl::Status DropRecords(absl::string_view table, const std::string& ids);
  void Forget();

  const PostgresTarget target_;
  const std::string id_;
  const std::vector<PostgresTable> tables_;
  std::unique_ptr<PostgresConnection> connection_;
  std::string epoch_;  // Of this instance; empty before the first Open().
  bool in_transaction_ = false;
  bool begins_ = false;       // Whether the next commit is a run's first.
  bool incremental_ = false;  // Whether the run reads only what changed.
  bool finds_deleted_ = false;
  absl::flat_hash_map<std::string, Pending> pending_;
  absl::flat_hash_map<std::string, std::string> since_;  // By table.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_POSTGRES_POSTGRES_SINK_H_

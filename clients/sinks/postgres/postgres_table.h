#ifndef CLIENTS_SINKS_POSTGRES_POSTGRES_TABLE_H_
#define CLIENTS_SINKS_POSTGRES_POSTGRES_TABLE_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/cli/row_columns.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// How a value is written.
enum class PostgresType { kText, kBigint, kDouble, kBoolean, kTimestamp, kJson };

// One table of ours in a schema of PostgreSQL, and the SQL around it. Pure; immutable, hence
// thread-safe.
//
// Rows of a run are told from older ones by `xmin`, the transaction that PostgreSQL notes at
// each row: no column of ours is needed, which readers would see. `since` below is the text
// of the transaction that a run, or a table's generation, began with.
class PostgresTable {
 public:
  // `tables` are all of the server, as a table names what it belongs to. kUnimplemented as
  // RowColumns::Resolve().
  static absl::StatusOr<PostgresTable> Make(const std::string& schema,
                                            const v1::TableDescription& description,
                                            const std::vector<v1::TableDescription>& tables);

  const std::string& name() const { return columns_.table(); }
  const std::vector<std::string>& key() const { return key_; }
  const RowColumns& columns() const { return columns_; }
  // Of the columns, in their order.
  const std::vector<PostgresType>& types() const { return types_; }
  // Whether they are part of the key.
  const std::vector<bool>& in_key() const { return in_key_; }
  // Whether even an incremental run reads it whole.
  bool always_whole() const { return description_.table().incremental() == v1::INCREMENTAL_WHOLE; }

  // Makes the table with its key, comments and indexes.
  std::string CreateSql() const;
  // Adds the columns that are not among `present`; empty where all are.
  std::string AddColumnsSql(const absl::flat_hash_set<std::string>& present) const;
  // Makes this session's tables for rows, and for ids of parents.
  std::string StagingSql() const;
  std::string CopySql() const;
  std::string CopyParentsSql() const;

  // Writes the staged rows over those with their keys. Where a key may be staged more than
  // once, the last row of each counts; that takes a sort, an eighth of a commit.
  std::string MergeSql(bool keys_repeat) const;
  // Drops the rows that the run has written, or has not.
  std::string DropWrittenSql(absl::string_view since) const;
  std::string DropOlderSql(absl::string_view since) const;
  // Drops what staged parents have no more; empty for a table without parents.
  std::string DropOfStagedParentsSql(absl::string_view since) const;
  // Drops the rows, or what belongs to the rows, of `table` whose id `ids` selects; empty
  // where nothing here does.
  std::string DropOfRecordsSql(absl::string_view table, absl::string_view ids) const;
  // Drops, of users and leads, those that are not among the living and were not read.
  std::string SelectVanishedSql(absl::string_view since) const;

 private:
  // How a row names what it belongs to.
  struct Owner {
    std::string table;           // "conversations"
    std::string column;          // Of this table, or of `through`.
    std::string through;         // The table in between, else empty.
    std::string through_column;  // Of this table: the id in `through`.
  };

  explicit PostgresTable(RowColumns columns) : columns_(std::move(columns)) {}

  std::string QualifiedName(absl::string_view table) const;
  std::string Staging() const;
  std::string StagedParents() const;
  std::string ColumnSql(size_t index) const;
  std::string CommentSql(size_t index) const;
  // A condition on `t`: belongs to one of `ids`; empty without an owner.
  std::string OwnedBy(absl::string_view ids) const;

  std::string schema_;
  v1::TableDescription description_;
  RowColumns columns_;
  std::vector<PostgresType> types_;
  std::vector<bool> in_key_;
  std::vector<v1::ColumnDescription> descriptions_;  // Of the columns, in their order.
  std::vector<std::string> key_;
  bool documented_key_ = false;
  Owner owner_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_POSTGRES_POSTGRES_TABLE_H_

#include "clients/sinks/postgres/postgres_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/sinks/postgres/postgres_connection.h"

namespace intercom_extractor {
namespace {

PostgresType TypeOf(const v1::ColumnDescription& column) {
  switch (column.type()) {
    case v1::COLUMN_TYPE_INT64:
      return column.column().format() == v1::COLUMN_FORMAT_UNIX_SECONDS ? PostgresType::kTimestamp
                                                                        : PostgresType::kBigint;
    case v1::COLUMN_TYPE_DOUBLE:
      return PostgresType::kDouble;
    case v1::COLUMN_TYPE_BOOL:
      return PostgresType::kBoolean;
    default:
      return column.column().format() == v1::COLUMN_FORMAT_JSON_TEXT ? PostgresType::kJson
                                                                     : PostgresType::kText;
  }
}

absl::string_view SqlType(PostgresType type) {
  switch (type) {
    case PostgresType::kBigint:
      return "bigint";
    case PostgresType::kDouble:
      return "double precision";
    case PostgresType::kBoolean:
      return "boolean";
    case PostgresType::kTimestamp:
      return "timestamptz";
    case PostgresType::kJson:
      return "jsonb";
    default:
      return "text";
  }
}

const v1::TableDescription* Find(const std::vector<v1::TableDescription>& tables,
                                 absl::string_view name) {
  for (const v1::TableDescription& table : tables) {
    if (table.table().name() == name) return &table;
  }
  return nullptr;
}

// The column that refers to the id of `parent`; empty where none does.
std::string ReferenceTo(const v1::TableDescription& description, absl::string_view parent) {
  const std::string target = absl::StrCat(parent, ".id");
  for (const v1::ColumnDescription& column : description.columns()) {
    for (const std::string& reference : column.column().references()) {
      if (reference == target) return column.name();
    }
  }
  return "";
}

std::string Names(const std::vector<std::string>& names) {
  return absl::StrJoin(names, ", ", [](std::string* out, const std::string& name) {
    absl::StrAppend(out, SqlName(name));
  });
}

// Whether a row of `t` is older than `since`, a transaction that is younger than 2^31 others.
std::string IsOlder(absl::string_view since) {
  return absl::StrCat("age(t.xmin) > age('", since, "'::xid8::xid)");
}

}  // namespace

absl::StatusOr<PostgresTable> PostgresTable::Make(const std::string& schema,
                                                  const v1::TableDescription& description,
                                                  const std::vector<v1::TableDescription>& tables) {
  auto columns = RowColumns::Resolve(description, ColumnSelection::kAll);
  if (!columns.ok()) return columns.status();
  PostgresTable made(*std::move(columns));
  made.schema_ = schema;
  made.description_ = description;
  made.key_.assign(description.table().key().begin(), description.table().key().end());
  if (made.key_.empty()) {
    return absl::UnimplementedError(
        absl::StrCat("table ", made.name(), " has no key, which this sink needs"));
  }
  for (const RowColumns::Column& column : made.columns_.columns()) {
    for (const v1::ColumnDescription& described : made.description_.columns()) {
      if (described.name() != column.name) continue;
      made.types_.push_back(TypeOf(described));
      made.descriptions_.push_back(described);
      const bool in_key =
          std::find(made.key_.begin(), made.key_.end(), column.name) != made.key_.end();
      made.in_key_.push_back(in_key);
      made.documented_key_ |= in_key && described.column().primary_key();
      break;
    }
  }
  const std::string& parent = description.table().parent();
  if (parent.empty()) return made;
  made.owner_ = {parent, ReferenceTo(description, parent), "", ""};
  const v1::TableDescription* above = Find(tables, parent);
  if (above != nullptr && !above->table().parent().empty()) {
    const std::string& root = above->table().parent();
    made.owner_ = {root, ReferenceTo(*above, root), parent, made.owner_.column};
  }
  if (made.owner_.column.empty()) made.owner_ = {};
  return made;
}

std::string PostgresTable::QualifiedName(absl::string_view table) const {
  return absl::StrCat(SqlName(schema_), ".", SqlName(table));
}

std::string PostgresTable::Staging() const {
  return absl::StrCat("pg_temp.", SqlName(absl::StrCat("rows_", name())));
}

std::string PostgresTable::StagedParents() const {
  return absl::StrCat("pg_temp.", SqlName(absl::StrCat("parents_", name())));
}

std::string PostgresTable::ColumnSql(size_t index) const {
  return absl::StrCat(SqlName(columns_.columns()[index].name), " ", SqlType(types_[index]));
}

std::string PostgresTable::CommentSql(size_t index) const {
  const std::string& text = descriptions_[index].column().description();
  if (text.empty()) return "";
  return absl::StrCat("COMMENT ON COLUMN ", QualifiedName(name()), ".",
                      SqlName(columns_.columns()[index].name), " IS ", SqlText(text), ";\n");
}

std::string PostgresTable::CreateSql() const {
  const std::string table = QualifiedName(name());
  std::vector<std::string> parts;
  parts.reserve(types_.size() + 1);
  for (size_t i = 0; i < types_.size(); ++i) parts.push_back(ColumnSql(i));
  // Only ids are promised not to be null; a link to a record without one is a row, too.
  parts.push_back(absl::StrCat(documented_key_ ? "PRIMARY KEY (" : "UNIQUE NULLS NOT DISTINCT (",
                               Names(key_), ")"));
  std::string sql = absl::StrCat("CREATE TABLE ", table, " (\n  ", absl::StrJoin(parts, ",\n  "),
                                 "\n);\nCOMMENT ON TABLE ", table, " IS ",
                                 SqlText(description_.table().description()), ";\n");
  for (size_t i = 0; i < types_.size(); ++i) absl::StrAppend(&sql, CommentSql(i));
  // What a record has lost is looked for by its id.
  if (owner_.through.empty() && !owner_.column.empty() && key_.front() != owner_.column) {
    absl::StrAppend(&sql, "CREATE INDEX ON ", table, " (", SqlName(owner_.column), ");\n");
  }
  return sql;
}

std::string PostgresTable::AddColumnsSql(const absl::flat_hash_set<std::string>& present) const {
  std::string sql;
  for (size_t i = 0; i < types_.size(); ++i) {
    if (present.contains(columns_.columns()[i].name)) continue;
    absl::StrAppend(&sql, "ALTER TABLE ", QualifiedName(name()), " ADD COLUMN ", ColumnSql(i),
                    ";\n", CommentSql(i));
  }
  return sql;
}

std::string PostgresTable::StagingSql() const {
  std::vector<std::string> parts;
  parts.reserve(types_.size());
  for (size_t i = 0; i < types_.size(); ++i) {
    // Rows are sorted by their key: by bytes is cheaper than by a language, and finds the same.
    const bool text = types_[i] == PostgresType::kText;
    parts.push_back(absl::StrCat(ColumnSql(i), text ? " COLLATE \"C\"" : ""));
  }
  return absl::StrCat("CREATE TEMPORARY TABLE ", SqlName(absl::StrCat("rows_", name())), " (",
                      absl::StrJoin(parts, ", "), ") ON COMMIT DELETE ROWS;\n",
                      "CREATE TEMPORARY TABLE ", SqlName(absl::StrCat("parents_", name())),
                      " (id text) ON COMMIT DELETE ROWS;\n");
}

std::string PostgresTable::CopySql() const {
  return absl::StrCat("COPY ", Staging(), " FROM STDIN (FORMAT binary)");
}

std::string PostgresTable::CopyParentsSql() const {
  return absl::StrCat("COPY ", StagedParents(), " FROM STDIN (FORMAT binary)");
}

std::string PostgresTable::MergeSql(bool keys_repeat) const {
  std::vector<std::string> names;
  std::vector<std::string> updates;
  for (const RowColumns::Column& column : columns_.columns()) {
    names.push_back(column.name);
    updates.push_back(absl::StrCat(SqlName(column.name), " = EXCLUDED.", SqlName(column.name)));
  }
  const std::string key = Names(key_);
  // The staging table is only ever appended to: the last row of a key has the last place.
  const std::string last = absl::StrCat(" ORDER BY ", key, ", ctid DESC");
  return absl::StrCat("INSERT INTO ", QualifiedName(name()), " (", Names(names), ") SELECT ",
                      keys_repeat ? absl::StrCat("DISTINCT ON (", key, ") ") : "", Names(names),
                      " FROM ", Staging(), keys_repeat ? last : "", " ON CONFLICT (", key,
                      ") DO UPDATE SET ", absl::StrJoin(updates, ", "));
}

std::string PostgresTable::DropWrittenSql(absl::string_view since) const {
  return absl::StrCat("DELETE FROM ", QualifiedName(name()), " t WHERE NOT ", IsOlder(since));
}

std::string PostgresTable::DropOlderSql(absl::string_view since) const {
  return absl::StrCat("DELETE FROM ", QualifiedName(name()), " t WHERE ", IsOlder(since));
}

std::string PostgresTable::OwnedBy(absl::string_view ids) const {
  if (owner_.column.empty()) return "";
  if (owner_.through.empty()) return absl::StrCat("t.", SqlName(owner_.column), " IN (", ids, ")");
  return absl::StrCat("t.", SqlName(owner_.through_column), " IN (SELECT p.id FROM ",
                      QualifiedName(owner_.through), " p WHERE p.", SqlName(owner_.column), " IN (",
                      ids, "))");
}

std::string PostgresTable::DropOfStagedParentsSql(absl::string_view since) const {
  const std::string owned = OwnedBy(absl::StrCat("SELECT id FROM ", StagedParents()));
  if (owned.empty()) return "";
  return absl::StrCat(DropOlderSql(since), " AND ", owned);
}

std::string PostgresTable::DropOfRecordsSql(absl::string_view table, absl::string_view ids) const {
  if (table != name() && table != owner_.table) return "";
  return absl::StrCat("DELETE FROM ", QualifiedName(name()), " t WHERE ",
                      table == name() ? absl::StrCat("t.id IN (", ids, ")") : OwnedBy(ids));
}

std::string PostgresTable::SelectVanishedSql(absl::string_view since) const {
  return absl::StrCat("SELECT t.id FROM ", QualifiedName(name()), " t WHERE ", IsOlder(since),
                      " AND NOT EXISTS (SELECT FROM ", QualifiedName("_intercom_living"),
                      " l WHERE l.table_name = ", SqlText(name()), " AND l.id = t.id)");
}

}  // namespace intercom_extractor

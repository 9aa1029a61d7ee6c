#include "tests/end_to_end/record_store.h"

#include <algorithm>
#include <iterator>

#include "tests/fake_intercom/oracle.h"

namespace intercom_extractor {
namespace {

// The table of the record that a row of `table` belongs to, and the column that names
// it; the role in the row decides where a contact may be either. Empty: no record.
struct Parent {
  std::string table;
  std::string column;
};

Parent ParentIn(const std::string& table, const fake::OracleRow& row) {
  if (table == "users" || table == "leads" || table == "conversations") return {table, "id"};
  if (table == "notes") return {CellOf(table, "user_type", row).value_or("") + "s", "user_id"};
  if (table == "events_summary") return {"users", "user_id"};
  if (table == "conversation_parts") return {"conversations", "conversations_pk"};
  for (const char* parent : {"users", "leads", "conversations"}) {
    const std::string prefix = std::string(parent) + "_";
    if (table.compare(0, prefix.size(), prefix) == 0) return {parent, prefix + "pk"};
  }
  return {};
}

constexpr char kPartAttachments[] = "conversation_parts_attachments";

std::map<RecordKey, Rows> Grouped(const Rows& rows, Rows* others) {
  std::map<RecordKey, Rows> records;
  std::map<std::string, RecordKey> conversation_of_part;
  const auto parts = rows.find("conversation_parts");
  if (parts != rows.end()) {
    for (const fake::OracleRow& row : parts->second) {
      conversation_of_part[CellOf("conversation_parts", "id", row).value_or("")] = {
          "conversations", CellOf("conversation_parts", "conversations_pk", row).value_or("")};
    }
  }
  for (const auto& [table, of_table] : rows) {
    for (const fake::OracleRow& row : of_table) {
      if (table == kPartAttachments) {
        const std::string part = CellOf(table, "conversation_parts_pk", row).value_or("");
        records[conversation_of_part[part]][table].insert(row);
        continue;
      }
      const Parent parent = ParentIn(table, row);
      if (parent.table.empty()) {
        (*others)[table].insert(row);
      } else {
        records[{parent.table, CellOf(table, parent.column, row).value_or("")}][table].insert(row);
      }
    }
  }
  return records;
}

}  // namespace

RecordStore::RecordStore(const Rows& rows) { records_ = Grouped(rows, &others_); }

void RecordStore::Apply(const Extracted& got, bool find_deleted) {
  others_.clear();
  std::map<RecordKey, Rows> read = Grouped(RowsOf(got.rows), &others_);
  if (find_deleted) {
    for (const char* table : {"users", "leads"}) {
      const auto found = got.living.find(table);
      for (auto record = records_.begin(); record != records_.end();) {
        const bool gone =
            record->first.first == table && read.count(record->first) == 0 &&
            (found == got.living.end() || found->second.count(record->first.second) == 0);
        record = gone ? records_.erase(record) : std::next(record);
      }
    }
  }
  for (auto& [record, rows] : read) records_[record] = std::move(rows);
  for (const auto& [table, deleted] : got.deleted) {
    for (const auto& [id, deleted_at] : deleted) records_.erase({table, id});
  }
}

Rows RecordStore::Of(const RecordKey& record) const {
  const auto found = records_.find(record);
  return found == records_.end() ? Rows() : found->second;
}

std::set<RecordKey> RecordStore::Records() const {
  std::set<RecordKey> keys;
  for (const auto& [record, rows] : records_) keys.insert(record);
  return keys;
}

Rows RecordStore::All() const {
  Rows all = others_;
  for (const auto& [record, rows] : records_) {
    for (const auto& [table, of_table] : rows) all[table].insert(of_table.begin(), of_table.end());
  }
  return all;
}

Rows WithoutRolesOf(const std::set<std::string>& contacts, const Rows& rows) {
  const auto position = [](const std::string& table, const std::string& column) {
    for (const fake::OracleTable& described : fake::OracleTables()) {
      if (described.name != table) continue;
      const auto found = std::find(described.columns.begin(), described.columns.end(), column);
      return static_cast<size_t>(found - described.columns.begin());
    }
    return size_t{0};
  };
  Rows masked = rows;
  const auto mask = [&](const std::string& table, const std::string& role, const std::string& id) {
    const auto found = rows.find(table);
    if (found == rows.end()) return;
    masked[table].clear();
    for (fake::OracleRow row : found->second) {
      const fake::OracleCell& contact = row[position(table, id)];
      if (contact && contacts.count(*contact) > 0) row[position(table, role)] = "any";
      masked[table].insert(std::move(row));
    }
  };
  mask("conversations", "user_type", "user_id");
  mask("conversations_customers", "type", "id");
  return masked;
}

}  // namespace intercom_extractor

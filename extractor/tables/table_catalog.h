#ifndef EXTRACTOR_TABLES_TABLE_CATALOG_H_
#define EXTRACTOR_TABLES_TABLE_CATALOG_H_

#include <bitset>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Some of the catalog's tables, by index.
constexpr int kMaxTables = 64;
using TableSet = std::bitset<kMaxTables>;

class PrivacyRules;

// One documented table, as its row message's annotations describe it.
struct TableInfo {
  // Position in the catalog; tables are referred to by it everywhere inside.
  int index = 0;
  const google::protobuf::Descriptor* row = nullptr;
  // The field of `RowBatch` that holds the rows.
  const google::protobuf::FieldDescriptor* batch_field = nullptr;
  // Everything that `ListTables` says of it.
  v1::TableDescription description;
  // What rows are made with, null for values as Intercom sends them. Never set in the
  // catalog itself: who reads a table for a request has one of its own (RequestTables).
  std::shared_ptr<const PrivacyRules> privacy;

  const std::string& name() const { return description.table().name(); }
};

// All tables, read once from the descriptors of tables.proto, in the order of
// their documentation. Immutable, thus thread-safe; lives as long as the process.
class TableCatalog {
 public:
  static const TableCatalog& Get();

  const std::vector<TableInfo>& tables() const { return tables_; }
  const TableInfo* Find(absl::string_view name) const;

  // Whether a template holds the table.
  static bool InTemplate(const TableInfo& table, v1::Template wanted);

  // The tables of a request, in catalog order. kInvalidArgument names an unknown
  // table and the nearest known one, or asks for a table when there is none.
  absl::StatusOr<std::vector<const TableInfo*>> Select(v1::Template wanted,
                                                       const std::vector<std::string>& names) const;

 private:
  TableCatalog();
  std::vector<TableInfo> tables_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_TABLE_CATALOG_H_

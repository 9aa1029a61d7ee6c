#ifndef EXTRACTOR_TABLES_CONVERTED_ROWS_H_
#define EXTRACTOR_TABLES_CONVERTED_ROWS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "extractor/tables/record_converter.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"
#include "google/protobuf/message.h"
#include "intercom/extractor/v1/extractor_service.pb.h"

namespace intercom_extractor {

// What a test sees of the rows that a converter wrote: read back from their
// bytes as a client reads them, through the typed messages.
struct ConvertedRows {
  v1::RowBatch batch;
  std::vector<UnitRows::RowNotice> notices;
  // Of reading the record.
  absl::Status status;

  // From the bytes of `unit`; fails the test when they are no rows.
  static ConvertedRows Of(UnitRows* unit);

  int Count(const std::string& table) const;
  const google::protobuf::Message& Row(const std::string& table, int row) const;
  // A column's value as text; nothing when it is null. Fails the test when there
  // is no such row or column.
  std::optional<std::string> Cell(const std::string& table, int row,
                                  const std::string& column) const;
  std::optional<std::string> Cell(const std::string& table, const std::string& column) const {
    return Cell(table, 0, column);
  }
  // A column of all rows, "null" for null.
  std::vector<std::string> Cells(const std::string& table, const std::string& column) const;
  // Everything, for comparing.
  std::string DebugString() const;
};

// A column's value as text; nothing when it is null.
std::optional<std::string> CellText(const google::protobuf::Message& row,
                                    const std::string& column);

// Tables by name; all when `names` is empty.
std::vector<const TableInfo*> TablesNamed(const std::vector<std::string>& names);

// Converts one record that stands alone, for the tables named (all when empty).
ConvertedRows ConvertRecord(v1::SourceRecord record, const std::string& json,
                            const std::vector<std::string>& tables = {},
                            const RecordContext& context = {});
// The same for tables as a request has them.
ConvertedRows ConvertRecordInto(v1::SourceRecord record, const std::string& json,
                                const std::vector<const TableInfo*>& tables,
                                const RecordContext& context);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_CONVERTED_ROWS_H_

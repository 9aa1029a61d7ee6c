#ifndef CLIENTS_CLI_ROW_COLUMNS_H_
#define CLIENTS_CLI_ROW_COLUMNS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/casts.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Which of a table's columns are written.
enum class ColumnSelection {
  kDocumented,  // Exactly the documented ones.
  kAll,         // The documented ones, then the extension columns.
};

// The columns of one table and the numbers by which a serialized row has them: looked up
// by name once, so that nothing is looked up per row. A column that a newer server has
// and this program's messages lack is read like any other.
//
// Immutable, hence thread-safe.
class RowColumns {
 public:
  struct Column {
    std::string name;
    v1::ColumnType type;
    int number;
  };

  // Resolves what the server said of a table. kUnimplemented: the table, or the
  // type of a column, is newer than this program.
  static absl::StatusOr<RowColumns> Resolve(const v1::TableDescription& description,
                                            ColumnSelection selection);

  const std::string& table() const { return table_; }
  const std::vector<Column>& columns() const { return columns_; }

  // Calls, for each column in order, one of `visitor`'s Null(), String(text),
  // Int64(value), Double(value) and Bool(value). `row` is a serialized row message of
  // the table; text lives as long as it. False, and no call, where it is none.
  template <typename Visitor>
  bool VisitRow(absl::string_view row, Visitor* visitor) const;

 private:
  // What a row says of a column.
  struct Value {
    bool present = false;
    uint64_t bits = 0;  // Of a number.
    absl::string_view text;
  };
  // No table has more, so that values need no memory of their own.
  using Values = absl::InlinedVector<Value, 64>;

  bool ReadRow(absl::string_view row, Values* values) const;

  std::string table_;
  std::vector<Column> columns_;
  // By number: the index of the column, or -1.
  std::vector<int> index_;
};

template <typename Visitor>
bool RowColumns::VisitRow(absl::string_view row, Visitor* visitor) const {
  Values values(columns_.size());
  if (!ReadRow(row, &values)) return false;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Value& value = values[i];
    if (!value.present) {
      visitor->Null();
      continue;
    }
    switch (columns_[i].type) {
      case v1::COLUMN_TYPE_STRING:
        visitor->String(value.text);
        break;
      case v1::COLUMN_TYPE_INT64:
        visitor->Int64(static_cast<int64_t>(value.bits));
        break;
      case v1::COLUMN_TYPE_DOUBLE:
        visitor->Double(absl::bit_cast<double>(value.bits));
        break;
      case v1::COLUMN_TYPE_BOOL:
        visitor->Bool(value.bits != 0);
        break;
      default:  // Resolve() lets no other type pass.
        visitor->Null();
    }
  }
  return true;
}

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_ROW_COLUMNS_H_

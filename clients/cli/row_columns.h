#ifndef CLIENTS_CLI_ROW_COLUMNS_H_
#define CLIENTS_CLI_ROW_COLUMNS_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Which of a table's columns are written.
enum class ColumnSelection {
  kDocumented,  // Exactly the documented ones.
  kAll,         // The documented ones, then the extension columns.
};

// The columns of one table and where a row message holds them: looked up by name
// once, so that nothing is looked up per row. A column that a newer server has
// and this program's messages lack is read from the message's unknown fields.
//
// Immutable, hence thread-safe.
class RowColumns {
 public:
  struct Column {
    std::string name;
    v1::ColumnType type;
    int number;
    // Null for a column that is newer than this program.
    const google::protobuf::FieldDescriptor* field;
  };

  // Resolves what the server said of a table. kUnimplemented: the table, or the
  // type of a column, is newer than this program.
  static absl::StatusOr<RowColumns> Resolve(const v1::TableDescription& description,
                                            ColumnSelection selection);

  const std::string& table() const { return table_; }
  const std::vector<Column>& columns() const { return columns_; }

  // The repeated field of `RowBatch` that holds this table's rows.
  const google::protobuf::FieldDescriptor* batch_field() const { return batch_field_; }

  // Calls, for each column in order, one of `visitor`'s Null(), String(text),
  // Int64(value), Double(value) and Bool(value). `row` is one of the messages in
  // `batch_field()`; text lives as long as the row.
  template <typename Visitor>
  void VisitRow(const google::protobuf::Message& row, Visitor* visitor) const;

 private:
  template <typename Visitor>
  static void VisitUnknown(const Column& column, const google::protobuf::UnknownFieldSet& fields,
                           Visitor* visitor);

  std::string table_;
  const google::protobuf::FieldDescriptor* batch_field_ = nullptr;
  std::vector<Column> columns_;
};

template <typename Visitor>
void RowColumns::VisitRow(const google::protobuf::Message& row, Visitor* visitor) const {
  const google::protobuf::Reflection& reflection = *row.GetReflection();
  std::string scratch;
  for (const Column& column : columns_) {
    if (column.field == nullptr) {
      VisitUnknown(column, reflection.GetUnknownFields(row), visitor);
      continue;
    }
    if (!reflection.HasField(row, column.field)) {
      visitor->Null();
      continue;
    }
    switch (column.type) {
      case v1::COLUMN_TYPE_STRING:
        visitor->String(reflection.GetStringReference(row, column.field, &scratch));
        break;
      case v1::COLUMN_TYPE_INT64:
        visitor->Int64(reflection.GetInt64(row, column.field));
        break;
      case v1::COLUMN_TYPE_DOUBLE:
        visitor->Double(reflection.GetDouble(row, column.field));
        break;
      case v1::COLUMN_TYPE_BOOL:
        visitor->Bool(reflection.GetBool(row, column.field));
        break;
      default:  // Resolve() lets no other type pass.
        visitor->Null();
    }
  }
}

template <typename Visitor>
void RowColumns::VisitUnknown(const Column& column, const google::protobuf::UnknownFieldSet& fields,
                              Visitor* visitor) {
  using google::protobuf::UnknownField;
  // The last one counts, as for every protobuf field that is not repeated.
  for (int i = fields.field_count() - 1; i >= 0; --i) {
    const UnknownField& field = fields.field(i);
    if (field.number() != column.number) continue;
    if (column.type == v1::COLUMN_TYPE_STRING &&
        field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
      return visitor->String(field.length_delimited());
    }
    if (column.type == v1::COLUMN_TYPE_DOUBLE && field.type() == UnknownField::TYPE_FIXED64) {
      const uint64_t bits = field.fixed64();
      double value;
      std::memcpy(&value, &bits, sizeof(value));
      return visitor->Double(value);
    }
    if (field.type() != UnknownField::TYPE_VARINT) continue;
    if (column.type == v1::COLUMN_TYPE_INT64) {
      return visitor->Int64(static_cast<int64_t>(field.varint()));
    }
    if (column.type == v1::COLUMN_TYPE_BOOL) {
      return visitor->Bool(field.varint() != 0);
    }
  }
  visitor->Null();
}

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_ROW_COLUMNS_H_

#include "clients/cli/row_columns.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

using ::google::protobuf::FieldDescriptor;

absl::Status Newer(absl::string_view what) {
  return absl::UnimplementedError(
      absl::StrCat(what,
                   " is newer than this program; update intercom-extract to the server's "
                   "version, or name the other tables with --tables"));
}

// Whether `field` holds values of `type`.
bool Holds(const FieldDescriptor& field, v1::ColumnType type) {
  if (field.is_repeated()) return false;
  switch (type) {
    case v1::COLUMN_TYPE_STRING:
      return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    case v1::COLUMN_TYPE_INT64:
      return field.cpp_type() == FieldDescriptor::CPPTYPE_INT64;
    case v1::COLUMN_TYPE_DOUBLE:
      return field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
    case v1::COLUMN_TYPE_BOOL:
      return field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
    default:
      return false;
  }
}

}  // namespace

absl::StatusOr<RowColumns> RowColumns::Resolve(const v1::TableDescription& description,
                                               ColumnSelection selection) {
  RowColumns result;
  result.table_ = description.table().name();
  const FieldDescriptor* batch_field = v1::RowBatch::descriptor()->FindFieldByName(result.table_);
  if (batch_field == nullptr || !batch_field->is_repeated() ||
      batch_field->message_type() == nullptr) {
    return Newer(absl::StrCat("table ", result.table_));
  }
  result.batch_field_ = batch_field;
  // The server promises this order; the file's columns must not depend on it.
  for (const bool documented : {true, false}) {
    if (!documented && selection == ColumnSelection::kDocumented) break;
    for (const v1::ColumnDescription& column : description.columns()) {
      if (column.documented() != documented) continue;
      const FieldDescriptor* field =
          batch_field->message_type()->FindFieldByNumber(column.number());
      const bool known_type =
          column.type() >= v1::COLUMN_TYPE_STRING && column.type() <= v1::COLUMN_TYPE_BOOL;
      if (!known_type || (field != nullptr && !Holds(*field, column.type()))) {
        return Newer(absl::StrCat("the type of column ", result.table_, ".", column.name()));
      }
      result.columns_.push_back({column.name(), column.type(), column.number(), field});
    }
  }
  return result;
}

}  // namespace intercom_extractor

#include "clients/cli/row_columns.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "clients/cpp/wire_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::internal::WireFormatLite;
using ::google::protobuf::io::CodedInputStream;

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

// How a value of `type` is written.
WireFormatLite::WireType WireTypeOf(v1::ColumnType type) {
  switch (type) {
    case v1::COLUMN_TYPE_STRING:
      return WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    case v1::COLUMN_TYPE_DOUBLE:
      return WireFormatLite::WIRETYPE_FIXED64;
    default:
      return WireFormatLite::WIRETYPE_VARINT;
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
      result.columns_.push_back({column.name(), column.type(), column.number()});
    }
  }
  for (size_t i = 0; i < result.columns_.size(); ++i) {
    const auto number = static_cast<size_t>(result.columns_[i].number);
    if (result.index_.size() <= number) result.index_.resize(number + 1, -1);
    result.index_[number] = static_cast<int>(i);
  }
  return result;
}

bool RowColumns::ReadRow(absl::string_view row, Values* values) const {
  CodedInputStream stream = WireStream(row);
  while (const uint32_t tag = stream.ReadTag()) {
    const auto number = static_cast<size_t>(WireFormatLite::GetTagFieldNumber(tag));
    const int index = number < index_.size() ? index_[number] : -1;
    const v1::ColumnType type = index < 0 ? v1::COLUMN_TYPE_UNSPECIFIED : columns_[index].type;
    if (index < 0 || WireFormatLite::GetTagWireType(tag) != WireTypeOf(type)) {
      if (!WireFormatLite::SkipField(&stream, tag)) return false;
      continue;
    }
    // The last one counts, as for every field that is not repeated.
    Value& value = (*values)[index];
    value.present = true;
    const bool read = type == v1::COLUMN_TYPE_STRING   ? ReadView(&stream, &value.text)
                      : type == v1::COLUMN_TYPE_DOUBLE ? stream.ReadLittleEndian64(&value.bits)
                                                       : stream.ReadVarint64(&value.bits);
    if (!read) return false;
  }
  return stream.ConsumedEntireMessage();
}

}  // namespace intercom_extractor

#ifndef CLIENTS_CLI_TEST_TABLES_H_
#define CLIENTS_CLI_TEST_TABLES_H_

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What a server says of the table that `descriptor` is the row message of.
inline v1::TableDescription DescribeTable(const google::protobuf::Descriptor& descriptor) {
  v1::TableDescription description;
  *description.mutable_table() = descriptor.options().GetExtension(v1::table);
  description.set_row_message(descriptor.full_name());
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *descriptor.field(i);
    v1::ColumnDescription& column = *description.add_columns();
    column.set_name(field.name());
    column.set_number(field.number());
    column.set_documented(field.number() <= 100);
    *column.mutable_column() = field.options().GetExtension(v1::column);
    switch (field.cpp_type()) {
      case google::protobuf::FieldDescriptor::CPPTYPE_INT64:
        column.set_type(v1::COLUMN_TYPE_INT64);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE:
        column.set_type(v1::COLUMN_TYPE_DOUBLE);
        break;
      case google::protobuf::FieldDescriptor::CPPTYPE_BOOL:
        column.set_type(v1::COLUMN_TYPE_BOOL);
        break;
      default:
        column.set_type(v1::COLUMN_TYPE_STRING);
    }
  }
  return description;
}

// What a server that has all tables of this program answers to `ListTables`.
inline v1::ListTablesResponse DescribeAllTables() {
  v1::ListTablesResponse response;
  const google::protobuf::Descriptor& batch = *v1::RowBatch::descriptor();
  for (int i = 0; i < batch.field_count(); ++i) {
    if (!batch.field(i)->is_repeated()) continue;
    if (!batch.field(i)->message_type()->options().HasExtension(v1::table)) continue;
    *response.add_tables() = DescribeTable(*batch.field(i)->message_type());
  }
  return response;
}

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TEST_TABLES_H_

#include "extractor/tables/converted_rows.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "extractor/http/response_body.h"
#include "extractor/tables/page_reader.h"

namespace intercom_extractor {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

ConvertedRows ConvertedRows::Of(UnitRows* unit) {
  ConvertedRows result;
  result.notices = unit->notices();
  const auto& tables = TableCatalog::Get().tables();
  for (size_t i = 0; i < unit->tables().size(); ++i) {
    const UnitRows::TableRows& rows = unit->tables()[i];
    v1::RowBatch batch;
    EXPECT_TRUE(batch.ParseFromArray(rows.bytes.data(), static_cast<int>(rows.bytes.size())))
        << tables[i].name();
    std::vector<const FieldDescriptor*> fields;
    batch.GetReflection()->ListFields(batch, &fields);
    EXPECT_EQ(fields.size(), rows.ends.empty() ? 0 : 1) << tables[i].name();
    for (const FieldDescriptor* field : fields) {
      EXPECT_EQ(field, tables[i].batch_field) << tables[i].name();
      EXPECT_EQ(static_cast<size_t>(batch.GetReflection()->FieldSize(batch, field)),
                rows.ends.size());
    }
    EXPECT_TRUE(batch.GetReflection()->GetUnknownFields(batch).empty());
    EXPECT_EQ(rows.ends.empty() ? 0 : rows.ends.back(), rows.bytes.size());
    result.batch.MergeFrom(batch);
  }
  return result;
}

int ConvertedRows::Count(const std::string& table) const {
  return batch.GetReflection()->FieldSize(batch, TableCatalog::Get().Find(table)->batch_field);
}

const Message& ConvertedRows::Row(const std::string& table, int row) const {
  return batch.GetReflection()->GetRepeatedMessage(
      batch, TableCatalog::Get().Find(table)->batch_field, row);
}

std::optional<std::string> ConvertedRows::Cell(const std::string& table, int row,
                                               const std::string& column) const {
  if (row >= Count(table)) {
    ADD_FAILURE() << table << " has no row " << row;
    return std::nullopt;
  }
  return CellText(Row(table, row), column);
}

std::vector<std::string> ConvertedRows::Cells(const std::string& table,
                                              const std::string& column) const {
  std::vector<std::string> result;
  for (int row = 0; row < Count(table); ++row) {
    result.push_back(Cell(table, row, column).value_or("null"));
  }
  return result;
}

std::string ConvertedRows::DebugString() const {
  std::string result = batch.ShortDebugString();
  for (const UnitRows::RowNotice& notice : notices) {
    absl::StrAppend(&result, "\n", notice.table, " ", notice.code, " ", notice.record_id, " ",
                    notice.message);
  }
  return result;
}

std::optional<std::string> CellText(const Message& row, const std::string& column) {
  const auto* reflection = row.GetReflection();
  const FieldDescriptor* field = row.GetDescriptor()->FindFieldByName(column);
  if (field == nullptr) {
    ADD_FAILURE() << row.GetTypeName() << " has no column " << column;
    return std::nullopt;
  }
  EXPECT_TRUE(field->has_presence()) << column;
  EXPECT_TRUE(reflection->GetUnknownFields(row).empty());
  if (!reflection->HasField(row, field)) return std::nullopt;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->GetString(row, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(reflection->GetInt64(row, field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(row, field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      char text[40];
      std::snprintf(text, sizeof(text), "%.17g", reflection->GetDouble(row, field));
      return text;
    }
    default:
      ADD_FAILURE() << column << " has an unexpected type";
      return std::nullopt;
  }
}

std::vector<const TableInfo*> TablesNamed(const std::vector<std::string>& names) {
  std::vector<const TableInfo*> result;
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    if (names.empty()) result.push_back(&table);
  }
  for (const std::string& name : names) {
    result.push_back(TableCatalog::Get().Find(name));
    EXPECT_NE(result.back(), nullptr) << name;
  }
  return result;
}

ConvertedRows ConvertRecord(v1::SourceRecord record, const std::string& json,
                            const std::vector<std::string>& tables, const RecordContext& context) {
  return ConvertRecordInto(record, json, TablesNamed(tables), context);
}

ConvertedRows ConvertRecordInto(v1::SourceRecord record, const std::string& json,
                                const std::vector<const TableInfo*>& tables,
                                const RecordContext& context) {
  RecordConverter converter(record, tables);
  PageReader reader({}, "", converter.shape());
  ResponseBody body = ResponseBody::FromString(json);
  UnitRows unit(TableCatalog::Get().tables().size());
  const auto info = reader.Read(&body, [&](const PageReader::Record& read) {
    converter.Convert(*read.values, context, &unit);
    return absl::OkStatus();
  });
  ConvertedRows result = ConvertedRows::Of(&unit);
  result.status = info.status();
  return result;
}

}  // namespace intercom_extractor

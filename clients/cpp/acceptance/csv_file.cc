#include "clients/cpp/acceptance/csv_file.h"

#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace intercom_extractor {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The shortest text that reads back exactly.
std::string Number(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

std::string Quoted(const std::string& text) {
  if (!text.empty() && text.find_first_of(",\"\n\r") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string Field(const Message& row, const FieldDescriptor* column) {
  const auto* reflection = row.GetReflection();
  if (!reflection->HasField(row, column)) return "";
  switch (column->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return Quoted(reflection->GetString(row, column));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection->GetInt64(row, column));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Number(reflection->GetDouble(row, column));
    default:
      return reflection->GetBool(row, column) ? "true" : "false";
  }
}

}  // namespace

CsvFile::CsvFile(std::string path, const v1::TableDescription& table)
    : path_(std::move(path)), table_(table) {
  const auto* row = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      table.row_message());
  for (const v1::ColumnDescription& column : table.columns()) {
    columns_.push_back(row->FindFieldByNumber(column.number()));
  }
  Restart();
}

void CsvFile::Restart() {
  if (file_.is_open()) file_.close();
  file_.open(path_, std::ios::binary | std::ios::trunc);
  const char* comma = "";
  for (const v1::ColumnDescription& column : table_.columns()) {
    file_ << std::exchange(comma, ",") << column.name();
  }
  file_ << '\n';
}

void CsvFile::Write(const Message& row) {
  const char* comma = "";
  for (const FieldDescriptor* column : columns_) {
    file_ << std::exchange(comma, ",") << Field(row, column);
  }
  file_ << '\n';
}

absl::Status CsvFile::Close() {
  file_.close();
  return file_ ? absl::OkStatus() : absl::InternalError(absl::StrCat("cannot write ", path_));
}

}  // namespace intercom_extractor

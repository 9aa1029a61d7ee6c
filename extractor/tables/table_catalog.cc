#include "extractor/tables/table_catalog.h"

#include <algorithm>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "extractor/tables/nearest_name.h"
#include "intercom/extractor/v1/annotations.pb.h"

namespace intercom_extractor {
namespace {

using google::protobuf::FieldDescriptor;

v1::ColumnType TypeOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return v1::COLUMN_TYPE_STRING;
    case FieldDescriptor::CPPTYPE_INT64:
      return v1::COLUMN_TYPE_INT64;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return v1::COLUMN_TYPE_DOUBLE;
    case FieldDescriptor::CPPTYPE_BOOL:
      return v1::COLUMN_TYPE_BOOL;
    default:
      return v1::COLUMN_TYPE_UNSPECIFIED;
  }
}

}  // namespace

const TableCatalog& TableCatalog::Get() {
  static const TableCatalog* const catalog = new TableCatalog();
  return *catalog;
}

// The batch's fields are the list of tables and their order.
TableCatalog::TableCatalog() {
  const auto* batch = v1::RowBatch::descriptor();
  // Beyond these numbers a field is an extension column.
  constexpr int kLastDocumented = 100;
  for (int i = 0; i < batch->field_count(); ++i) {
    const FieldDescriptor* field = batch->field(i);
    const auto* row = field->message_type();
    if (row == nullptr || !row->options().HasExtension(v1::table)) continue;
    TableInfo info;
    info.index = static_cast<int>(tables_.size());
    info.row = row;
    info.batch_field = field;
    *info.description.mutable_table() = row->options().GetExtension(v1::table);
    info.description.set_row_message(row->full_name());
    std::vector<const FieldDescriptor*> fields;
    fields.reserve(row->field_count());
    for (int j = 0; j < row->field_count(); ++j) fields.push_back(row->field(j));
    std::sort(fields.begin(), fields.end(),
              [](const auto* a, const auto* b) { return a->number() < b->number(); });
    for (const FieldDescriptor* column : fields) {
      v1::ColumnDescription* described = info.description.add_columns();
      described->set_name(column->name());
      described->set_number(column->number());
      described->set_type(TypeOf(*column));
      described->set_documented(column->number() <= kLastDocumented);
      *described->mutable_column() = column->options().GetExtension(v1::column);
    }
    tables_.push_back(std::move(info));
  }
}

const TableInfo* TableCatalog::Find(absl::string_view name) const {
  for (const TableInfo& table : tables_) {
    if (table.name() == name) return &table;
  }
  return nullptr;
}

bool TableCatalog::InTemplate(const TableInfo& table, v1::Template wanted) {
  return wanted == v1::TEMPLATE_ALL ||
         (wanted != v1::TEMPLATE_UNSPECIFIED && table.description.table().template_() == wanted);
}

absl::StatusOr<std::vector<const TableInfo*>> TableCatalog::Select(
    v1::Template wanted, const std::vector<std::string>& names) const {
  std::set<int> chosen;
  for (const TableInfo& table : tables_) {
    if (InTemplate(table, wanted)) chosen.insert(table.index);
  }
  for (const std::string& name : names) {
    if (const TableInfo* table = Find(name)) {
      chosen.insert(table->index);
      continue;
    }
    std::vector<std::string> known;
    known.reserve(tables_.size());
    for (const TableInfo& table : tables_) known.push_back(table.name());
    // Anybody may have sent it: it may be long, and hold what moves a terminal's cursor.
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no table \"", absl::CHexEscape(name.substr(0, 64)), "\"; did you mean \"",
        *NearestName(name, known), "\"? `intercom-extract tables` lists all"));
  }
  if (chosen.empty()) {
    return absl::InvalidArgumentError(
        "no table was asked for; name a template (basic, conversations, all) or tables");
  }
  std::vector<const TableInfo*> result;
  result.reserve(chosen.size());
  for (const int index : chosen) result.push_back(&tables_[index]);
  return result;
}

}  // namespace intercom_extractor

#include "clients/sinks/records/record_table.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/cli/json_text.h"
#include "zlib.h"

namespace intercom_extractor {
namespace {

// Only the columns of the key, in its order.
v1::TableDescription KeyOf(const v1::TableDescription& description) {
  v1::TableDescription keys;
  *keys.mutable_table() = description.table();
  for (const std::string& key : description.table().key()) {
    for (const v1::ColumnDescription& column : description.columns()) {
      if (column.name() == key) *keys.add_columns() = column;
    }
  }
  return keys;
}

// Of what a reader of the values goes by.
std::string SchemaVersion(const v1::TableDescription& description) {
  uLong sum = crc32(0, nullptr, 0);
  for (const v1::ColumnDescription& column : description.columns()) {
    const std::string text =
        absl::StrCat(column.name(), " ", column.number(), " ", column.type(), "\n");
    sum = crc32(sum, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  }
  return absl::StrFormat("v1/%08x", sum);
}

// The column that refers to the id of `parent`; empty where none does.
std::string ReferenceTo(const v1::TableDescription& description, absl::string_view parent) {
  const std::string target = absl::StrCat(parent, ".id");
  for (const v1::ColumnDescription& column : description.columns()) {
    for (const std::string& reference : column.column().references()) {
      if (reference == target) return column.name();
    }
  }
  return "";
}

RecordTable::Owner OwnerOf(const v1::TableDescription& description,
                           const std::vector<v1::TableDescription>& all) {
  const std::string& parent = description.table().parent();
  if (parent.empty()) return {};
  RecordTable::Owner owner;
  owner.column = ReferenceTo(description, parent);
  for (const v1::TableDescription& above : all) {
    if (above.table().name() != parent || above.table().parent().empty()) continue;
    owner.through = parent;
    owner.through_column = ReferenceTo(above, above.table().parent());
  }
  return owner;
}

// A key of one column.
struct OneValue {
  void Null() { out->append("[null]"); }
  void String(absl::string_view text) { out->append(text.data(), text.size()); }
  void Int64(int64_t value) { AppendInt64(value, out); }
  void Double(double value) { AppendDouble(value, out); }
  void Bool(bool value) { out->append(value ? "true" : "false"); }

  std::string* out;
};

// Each value after a comma.
struct Elements {
  std::string& Next() {
    out->push_back(',');
    return *out;
  }
  void Null() { Next().append("null"); }
  void String(absl::string_view text) { AppendJsonString(text, &Next()); }
  void Int64(int64_t value) { AppendInt64(value, &Next()); }
  void Double(double value) { AppendDouble(value, &Next()); }
  void Bool(bool value) { Next().append(value ? "true" : "false"); }

  std::string* out;
};

}  // namespace

bool ParseRecordFormat(absl::string_view text, RecordFormat* format) {
  *format = text == "json" ? RecordFormat::kJson : RecordFormat::kProtobuf;
  return text == "json" || text == "protobuf";
}

absl::StatusOr<RecordTable> RecordTable::Make(const v1::TableDescription& description,
                                              const std::vector<v1::TableDescription>& all,
                                              RecordFormat format) {
  const v1::TableDescription key = KeyOf(description);
  auto keys = RowColumns::Resolve(key, ColumnSelection::kAll);
  if (!keys.ok()) return keys.status();
  if (key.columns().empty() || key.columns_size() != description.table().key_size()) {
    return absl::UnimplementedError(
        absl::StrCat("table ", description.table().name(), " has no key, which this sink needs"));
  }
  auto columns = RowColumns::Resolve(description, ColumnSelection::kAll);
  if (!columns.ok()) return columns.status();
  RecordTable made(*std::move(keys));
  if (format == RecordFormat::kJson) made.json_ = NewJsonlRowWriter(*std::move(columns));
  made.schema_version_ = SchemaVersion(description);
  made.owner_ = OwnerOf(description, all);
  made.always_whole_ = description.table().incremental() == v1::INCREMENTAL_WHOLE;
  made.keyed_by_id_ = key.columns_size() == 1 && key.columns(0).name() == "id";
  return made;
}

bool RecordTable::AppendKey(absl::string_view row, std::string* out) const {
  if (keys_.columns().size() == 1) {
    OneValue value{out};
    return keys_.VisitRow(row, &value);
  }
  const size_t begin = out->size();
  Elements elements{out};
  if (!keys_.VisitRow(row, &elements)) return false;
  (*out)[begin] = '[';
  out->push_back(']');
  return true;
}

absl::string_view RecordTable::ValueOf(absl::string_view row, std::string* scratch) const {
  if (json_ == nullptr) return row;
  scratch->clear();
  json_->AppendRow(row, scratch);
  scratch->pop_back();  // The line end.
  return *scratch;
}

}  // namespace intercom_extractor

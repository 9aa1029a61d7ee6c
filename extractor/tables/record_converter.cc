#include "extractor/tables/record_converter.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "extractor/tables/json_number.h"
#include "extractor/tables/wire.h"

namespace intercom_extractor {
namespace {

using Kind = JsonValue::Kind;

std::string_view Std(absl::string_view text) { return {text.data(), text.size()}; }
absl::string_view Abs(std::string_view text) { return {text.data(), text.size()}; }

const char* RoleName(v1::ContactRole role) {
  return role == v1::CONTACT_ROLE_USER ? "user" : "lead";
}

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kFalse:
    case Kind::kTrue:
      return "a boolean";
    case Kind::kNumber:
      return "a number of another kind or size";
    case Kind::kString:
      return "a string";
    case Kind::kArray:
      return "an array";
    default:
      return "an object";
  }
}

// Whether something stands there that cannot be an id.
bool IsNoReference(const JsonValue& value) {
  return value.has_value() && value.kind != Kind::kNumber && value.kind != Kind::kString;
}

}  // namespace

bool IsSetReference(const JsonValue& value) {
  return (value.kind == Kind::kNumber || value.kind == Kind::kString) && !value.text.empty() &&
         value.text != "0";
}

void AppendUnknownRoles(const Shape& shape, const RecordValues& values, int list, ValueRef id,
                        ValueRef author_id, ValueRef author_type, std::vector<std::string>* ids) {
  const std::string_view author_role = values.Get(shape, author_type, 0).text;
  const std::string_view author =
      author_role == "user" || author_role == "lead" ? values.Get(shape, author_id, 0).text : "";
  for (size_t i = 0; i < values.lists[list].count; ++i) {
    const JsonValue& contact = values.Get(shape, id, i);
    if (IsSetReference(contact) && contact.text != author) ids->emplace_back(contact.text);
  }
}

RecordConverter::RecordConverter(v1::SourceRecord record,
                                 const std::vector<const TableInfo*>& wanted) {
  id_ = shape_.AddValue(-1, "id");
  if (record == v1::SOURCE_RECORD_CONTACT) role_ = shape_.AddValue(-1, "role");
  if (record == v1::SOURCE_RECORD_ADMIN || record == v1::SOURCE_RECORD_TEAM) {
    type_ = shape_.AddValue(-1, "type");
  }
  if (record == v1::SOURCE_RECORD_CONVERSATION) {
    author_id_ = shape_.AddValue(-1, "source.author.id");
    author_type_ = shape_.AddValue(-1, "source.author.type");
  }
  for (const TableInfo* info : wanted) {
    for (const v1::TableSource& source : info->description.table().sources()) {
      if (source.record() == record) AddTable(*info, source);
    }
  }
}

void RecordConverter::AddTable(const TableInfo& info, const v1::TableSource& source) {
  Table table;
  table.index = info.index;
  table.batch_field = info.batch_field->number();
  table.role = info.description.table().role();
  for (const v1::ColumnDescription& column : info.description.columns()) {
    if (!column.column().has_constant()) continue;
    const std::string& constant = column.column().constant();
    if (column.type() == v1::COLUMN_TYPE_BOOL) {
      AppendVarintField(column.number(), constant == "true" ? 1 : 0, &table.constants);
    } else {
      AppendBytesField(column.number(), constant, &table.constants);
    }
  }
  if (source.items().empty()) {
    table.variants.push_back(CompileVariant(info, -1));
  }
  for (const std::string& items : source.items()) {
    table.variants.push_back(CompileVariant(info, shape_.AddList(-1, items)));
  }
  tables_.push_back(std::move(table));
}

RecordConverter::Variant RecordConverter::CompileVariant(const TableInfo& info, int list) {
  Variant variant;
  variant.list = list;
  for (const v1::ColumnDescription& description : info.description.columns()) {
    const v1::Column& annotation = description.column();
    if (annotation.has_constant()) continue;
    if (annotation.paths().empty() && annotation.derivation() == v1::DERIVATION_UNSPECIFIED) {
      continue;  // Always null: today's Intercom has no counterpart.
    }
    Column column;
    column.name = &description.name();
    column.number = description.number();
    column.type = description.type();
    column.format = annotation.format();
    column.derivation = annotation.derivation();
    for (const std::string& path : annotation.paths()) {
      const absl::string_view below = absl::string_view(path).substr(2);
      if (absl::StartsWith(path, "@.")) {
        column.values.push_back(shape_.AddValue(list, below));
      } else if (list >= 0) {
        column.values.push_back(shape_.AddValue(shape_.lists()[list].parent, below));
      }  // else "^": what is around the record is the context's to know.
    }
    variant.columns.push_back(std::move(column));
  }
  return variant;
}

bool RecordConverter::InPart(int list, Part part, int split_list) const {
  if (part == Part::kWhole) return true;
  const bool inside =
      list >= 0 && (list == split_list || shape_.lists()[list].parent == split_list);
  return inside == (part == Part::kListOnly);
}

void RecordConverter::Convert(const RecordValues& values, const RecordContext& context,
                              UnitRows* unit, Part part, int list) {
  v1::ContactRole role = context.parent_role;
  if (role_.valid()) {
    const std::string_view name = values.Get(shape_, role_, 0).text;
    role = name == "user"   ? v1::CONTACT_ROLE_USER
           : name == "lead" ? v1::CONTACT_ROLE_LEAD
                            : v1::CONTACT_ROLE_UNSPECIFIED;
  }
  for (const Table& table : tables_) {
    if (context.skip.test(table.index)) continue;
    if (table.role != v1::CONTACT_ROLE_UNSPECIFIED && table.role != role) continue;
    // The first list that is there counts; a misplaced one is reported below.
    const Variant* variant = &table.variants.front();
    for (const Variant& candidate : table.variants) {
      if (candidate.list >= 0 && values.lists[candidate.list].present) {
        variant = &candidate;
        break;
      }
    }
    if (!InPart(variant->list, part, list)) continue;
    RowSource row{&values, &context, &table, variant->list, 0, unit};
    if (variant->list < 0) {
      WriteRow(row, *variant);
      continue;
    }
    const ListValues& elements = values.lists[variant->list];
    if (elements.misplaced) {
      unit->notices().push_back({table.index, v1::NOTICE_CODE_VALUE_INVALID, RecordId(row),
                                 "a list was expected that is none, or holds more than objects"});
    }
    for (row.element = 0; row.element < elements.count; ++row.element) WriteRow(row, *variant);
  }
}

void RecordConverter::WriteRow(const RowSource& row, const Variant& variant) {
  row_.assign(row.table->constants);
  for (const Column& column : variant.columns) WriteColumn(row, column);
  UnitRows::TableRows& rows = row.unit->tables()[row.table->index];
  AppendBytesField(row.table->batch_field, row_, &rows.bytes);
  rows.ends.push_back(rows.bytes.size());
}

size_t RecordConverter::ElementOf(const RowSource& row, ValueRef ref) const {
  if (ref.list < 0) return 0;
  if (ref.list == row.list) return row.element;
  // The list around the row's own; else the first element was asked for.
  if (row.list >= 0 && shape_.lists()[row.list].parent == ref.list) {
    return row.values->lists[row.list].outer[row.element];
  }
  return 0;
}

const JsonValue& RecordConverter::Get(const RowSource& row, ValueRef ref) const {
  static const JsonValue kAbsent;
  static const JsonValue kMisplaced{Kind::kMisplaced, {}, {}};
  const size_t element = ElementOf(row, ref);
  if (ref.list >= 0 && element >= row.values->lists[ref.list].count) {
    return row.values->lists[ref.list].misplaced ? kMisplaced : kAbsent;
  }
  return row.values->Get(shape_, ref, element);
}

const JsonValue& RecordConverter::First(const RowSource& row, const Column& column) const {
  const JsonValue* result = nullptr;
  for (const ValueRef ref : column.values) {
    const JsonValue& value = Get(row, ref);
    if (value.kind != Kind::kAbsent && value.kind != Kind::kMisplaced && value.has_value()) {
      return value;
    }
    if (result == nullptr || result->kind == Kind::kAbsent) result = &value;
  }
  static const JsonValue kAbsent;
  return result == nullptr ? kAbsent : *result;
}

void RecordConverter::WriteColumn(const RowSource& row, const Column& column) {
  if (column.derivation != v1::DERIVATION_UNSPECIFIED) {
    WriteDerived(row, column);
  } else {
    WriteCopied(row, column, First(row, column));
  }
}

void RecordConverter::WriteText(const Column& column, std::string_view text) {
  AppendBytesField(column.number, text, &row_);
}

void RecordConverter::WriteCopied(const RowSource& row, const Column& column,
                                  const JsonValue& value) {
  if (!value.has_value()) return;
  const bool is_text = value.kind == Kind::kNumber || value.kind == Kind::kString;
  switch (column.type) {
    case v1::COLUMN_TYPE_STRING:
      if (column.format == v1::COLUMN_FORMAT_JSON_TEXT) {
        if (value.kind != Kind::kMisplaced) return WriteText(column, value.raw);
      } else if (value.kind == Kind::kString ||
                 (value.kind == Kind::kNumber && column.format == v1::COLUMN_FORMAT_IDENTIFIER)) {
        return WriteText(column, value.text);
      }
      return Complain(row, column, "a string", value);
    case v1::COLUMN_TYPE_INT64:
      if (is_text) {
        if (const auto number = ParseInt64(value.text)) {
          return AppendVarintField(column.number, static_cast<uint64_t>(*number), &row_);
        }
      }
      return Complain(row, column, "a 64-bit integer", value);
    case v1::COLUMN_TYPE_DOUBLE:
      if (is_text) {
        if (const auto number = ParseDouble(value.text)) {
          return AppendDoubleField(column.number, *number, &row_);
        }
      }
      return Complain(row, column, "a number", value);
    case v1::COLUMN_TYPE_BOOL:
      if (value.kind == Kind::kTrue || value.kind == Kind::kFalse) {
        return AppendVarintField(column.number, value.kind == Kind::kTrue ? 1 : 0, &row_);
      }
      return Complain(row, column, "true or false", value);
    default:
      return;
  }
}

void RecordConverter::WriteDerived(const RowSource& row, const Column& column) {
  switch (column.derivation) {
    case v1::DERIVATION_USER_AGENT_DATA: {
      static constexpr const char* kMembers[] = {"browser", "browser_version", "browser_language",
                                                 "os"};
      std::string text = "{";
      bool any = false;
      for (size_t i = 0; i < column.values.size(); ++i) {
        const JsonValue& value = Get(row, column.values[i]);
        const bool is_text = value.kind == Kind::kString;
        if (value.has_value() && !is_text) Complain(row, column, "strings", value);
        any = any || is_text;
        absl::StrAppend(&text, i == 0 ? "" : ",", "\"", kMembers[i],
                        "\":", is_text ? Abs(value.raw) : "null");
      }
      if (any) WriteText(column, absl::StrCat(text, "}"));
      return;
    }
    case v1::DERIVATION_ASSIGNEE_TYPE:
    case v1::DERIVATION_ASSIGNEE_ID: {
      const JsonValue& admin = Get(row, column.values[0]);
      const JsonValue& team = Get(row, column.values[1]);
      // What cannot be an id is not set; one notice for both columns suffices.
      if (column.derivation == v1::DERIVATION_ASSIGNEE_ID) {
        if (IsNoReference(admin)) Complain(row, column, "an id", admin);
        if (IsNoReference(team)) Complain(row, column, "an id", team);
      }
      if (column.derivation == v1::DERIVATION_ASSIGNEE_TYPE) {
        WriteText(column, IsSetReference(admin)  ? "admin"
                          : IsSetReference(team) ? "team"
                                                 : "nobody_admin");
      } else if (IsSetReference(admin) || IsSetReference(team)) {
        WriteText(column, IsSetReference(admin) ? admin.text : team.text);
      }
      return;
    }
    case v1::DERIVATION_PARENT_ROLE:
      if (row.context->parent_role != v1::CONTACT_ROLE_UNSPECIFIED) {
        WriteText(column, RoleName(row.context->parent_role));
      }
      return;
    case v1::DERIVATION_REFERENCED_ROLE: {
      const JsonValue& id = First(row, column);
      if (IsNoReference(id)) return Complain(row, column, "an id", id);
      if (IsSetReference(id)) WriteText(column, ReferencedRole(row, id.text));
      return;
    }
    case v1::DERIVATION_PERSON_TYPE: {
      const JsonValue& value = First(row, column);
      if (value.kind == Kind::kString) {
        WriteText(column, value.text == "contact" ? "lead" : value.text);
      } else {
        WriteCopied(row, column, value);
      }
      return;
    }
    case v1::DERIVATION_TRIMMED: {
      const JsonValue& value = First(row, column);
      if (value.kind == Kind::kString) {
        WriteText(column, Std(absl::StripAsciiWhitespace(Abs(value.text))));
      } else {
        WriteCopied(row, column, value);
      }
      return;
    }
    case v1::DERIVATION_ORDINAL:
      AppendVarintField(
          column.number,
          row.element -
              [&] {
                // Counted within the row's own parent.
                const ListValues& list = row.values->lists[row.list];
                size_t first = row.element;
                while (first > 0 && list.outer[first - 1] == list.outer[row.element]) --first;
                return first;
              }(),
          &row_);
      return;
    case v1::DERIVATION_PARTS_TRUNCATED:
      if (row.context->parts_truncated.has_value()) {
        AppendVarintField(column.number, *row.context->parts_truncated ? 1 : 0, &row_);
      }
      return;
    case v1::DERIVATION_ADMIN_EMAIL:
      if (Get(row, type_).text != "team") WriteCopied(row, column, First(row, column));
      return;
    case v1::DERIVATION_PARENT_ID: {
      const JsonValue& value = First(row, column);
      if (value.has_value()) return WriteCopied(row, column, value);
      if (!row.context->parent_id.empty()) WriteText(column, Std(row.context->parent_id));
      return;
    }
    default:
      return;
  }
}

std::string RecordConverter::ReferencedRole(const RowSource& row, std::string_view contact_id) {
  const JsonValue& author_type = row.values->Get(shape_, author_type_, 0);
  if ((author_type.text == "user" || author_type.text == "lead") &&
      row.values->Get(shape_, author_id_, 0).text == contact_id) {
    return std::string(author_type.text);
  }
  if (row.context->roles != nullptr) {
    if (const auto role = row.context->roles->Role(Abs(contact_id))) return std::string(*role);
  }
  row.unit->notices().push_back(
      {row.table->index, v1::NOTICE_CODE_ROLE_NOT_FOUND, RecordId(row),
       absl::StrCat("nobody knows whether contact ", Abs(contact_id),
                    " is a user or a lead; the column says \"contact\"")});
  return "contact";
}

void RecordConverter::Complain(const RowSource& row, const Column& column, const char* wanted,
                               const JsonValue& value) {
  // Says the type only: the value is somebody's data.
  row.unit->notices().push_back({row.table->index, v1::NOTICE_CODE_VALUE_INVALID, RecordId(row),
                                 absl::StrCat(*column.name, ": want ", wanted, ", got ",
                                              KindName(value.kind), "; read as null")});
}

std::string RecordConverter::RecordId(const RowSource& row) const {
  const JsonValue& id = row.values->Get(shape_, id_, 0);
  return id.has_value() ? std::string(id.text) : std::string(row.context->parent_id);
}

}  // namespace intercom_extractor

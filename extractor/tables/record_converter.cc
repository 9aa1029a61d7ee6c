#include "extractor/tables/record_converter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "extractor/tables/json_number.h"

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

WireFormatLite::WireType WireTypeOf(v1::ColumnType type) {
  switch (type) {
    case v1::COLUMN_TYPE_INT64:
    case v1::COLUMN_TYPE_BOOL:
      return WireFormatLite::WIRETYPE_VARINT;
    case v1::COLUMN_TYPE_DOUBLE:
      return WireFormatLite::WIRETYPE_FIXED64;
    default:
      return WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
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

RecordConverter::Column::Column(const v1::ColumnDescription& description)
    : name(&description.name()),
      tag(description.number(), WireTypeOf(description.type())),
      write(HowToWrite(description)),
      derivation(description.column().derivation()),
      is_protected(description.privacy() != v1::PRIVACY_ACTION_UNSPECIFIED ||
                   !description.attributes().empty()),
      privacy(description.privacy()),
      special(is_protected || derivation != v1::DERIVATION_UNSPECIFIED) {}

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
    // One connection's tables have the same rules.
    if (info->privacy != nullptr && protection_ == nullptr) {
      protection_ = std::make_unique<ValueProtection>(*info->privacy);
    }
    for (const v1::TableSource& source : info->description.table().sources()) {
      if (source.record() == record) AddTable(*info, source);
    }
  }
}

void RecordConverter::AddTable(const TableInfo& info, const v1::TableSource& source) {
  Table table{info.index,
              WireTag(info.batch_field->number(), WireFormatLite::WIRETYPE_LENGTH_DELIMITED),
              info.description.table().role(),
              {},
              {}};
  for (const v1::ColumnDescription& column : info.description.columns()) {
    if (!column.column().has_constant() || column.privacy() == v1::PRIVACY_ACTION_LEAVE_OUT) {
      continue;
    }
    const std::string& constant = column.column().constant();
    if (column.type() == v1::COLUMN_TYPE_BOOL) {
      AppendVarintField(column.number(), constant == "true" ? 1 : 0, &table.constants);
    } else if (column.privacy() == v1::PRIVACY_ACTION_UNSPECIFIED) {
      AppendBytesField(column.number(), constant, &table.constants);
    } else {
      AppendBytesField(column.number(), protection_->Protect(constant, column.privacy()),
                       &table.constants);
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
    if (description.privacy() == v1::PRIVACY_ACTION_LEAVE_OUT) continue;
    if (annotation.paths().empty() && annotation.derivation() == v1::DERIVATION_UNSPECIFIED) {
      continue;  // Always null: today's Intercom has no counterpart.
    }
    Column column(description);
    for (const std::string& path : annotation.paths()) {
      const absl::string_view below = absl::string_view(path).substr(2);
      if (absl::StartsWith(path, "@.")) {
        column.values.push_back(shape_.AddValue(list, below));
      } else if (list >= 0) {
        column.values.push_back(shape_.AddValue(shape_.lists()[list].parent, below));
      }  // else "^": what is around the record is the context's to know.
    }
    column.owner = OwnerOf(column.values, list);
    if (column.owner != Owner::kSeveral) column.slot = column.values.front().slot;
    variant.columns.push_back(std::move(column));
  }
  return variant;
}

RecordConverter::Write RecordConverter::HowToWrite(const v1::ColumnDescription& column) {
  switch (column.type()) {
    case v1::COLUMN_TYPE_INT64:
      return Write::kInt64;
    case v1::COLUMN_TYPE_BOOL:
      return Write::kBool;
    case v1::COLUMN_TYPE_DOUBLE:
      return Write::kDouble;
    default:
      break;
  }
  switch (column.column().format()) {
    case v1::COLUMN_FORMAT_JSON_TEXT:
      return Write::kJsonText;
    case v1::COLUMN_FORMAT_IDENTIFIER:
      return Write::kIdentifier;
    default:
      return Write::kText;
  }
}

RecordConverter::Owner RecordConverter::OwnerOf(const std::vector<ValueRef>& values,
                                                int list) const {
  if (values.size() != 1) return Owner::kSeveral;
  const int owner = values.front().list;
  if (owner < 0) return Owner::kRecord;
  if (owner == list) return Owner::kElement;
  if (list >= 0 && owner == shape_.lists()[list].parent) return Owner::kOuterElement;
  return Owner::kSeveral;
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
  for (Table& table : tables_) {
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
    RowSource row{
        &values,
        &context,
        &table,
        variant->list,
        0,
        0,
        unit,
        &unit->tables()[table.index].bytes,
        (variant->columns.size() + 1) * WireTag::kMaxFieldOverhead + table.constants.size()};
    if (variant->list < 0) {
      WriteRow(row, &table, *variant);
      continue;
    }
    const ListValues& elements = values.lists[variant->list];
    if (elements.misplaced) {
      unit->notices().push_back({table.index, v1::NOTICE_CODE_VALUE_INVALID, RecordId(row),
                                 "a list was expected that is none, or holds more than objects"});
    }
    for (row.element = 0; row.element < elements.count; ++row.element) {
      const bool of_same_parent =
          row.element > 0 && elements.outer[row.element] == elements.outer[row.element - 1];
      row.ordinal = of_same_parent ? row.ordinal + 1 : 0;
      WriteRow(row, &table, *variant);
    }
  }
}

void RecordConverter::WriteRow(const RowSource& row, Table* table, const Variant& variant) {
  GrowingBuffer& out = *row.out;
  const size_t begin = out.size();
  // The row's length stands before it and is known behind it: most rows' lengths take as
  // many bytes as that of the row before, the others are moved.
  char* to = table->batch_tag.Put(out.End(row.room));
  const auto header = static_cast<size_t>(to - out.data()) - begin;
  to = PutBytes(table->constants, to + table->length_size);
  to = WriteColumns(row, variant, to);

  const size_t guess = begin + header + table->length_size;
  const size_t size = static_cast<size_t>(to - out.data()) - guess;
  const size_t length_size = VarintSize(size);
  if (length_size != table->length_size) {
    char* const columns = to - size;
    to = columns - table->length_size + length_size;
    std::memmove(to, columns, size);
    to += size;
    table->length_size = length_size;
  }
  PutVarint(size, to - size - length_size);
  out.SetEnd(to);
  row.unit->tables()[table->index].ends.push_back(out.size());
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline char* RecordConverter::BeginText(const RowSource& row,
                                                                     const Column& column,
                                                                     size_t size, char* to) {
  if (static_cast<size_t>(row.out->limit() - to) < row.room + size) {
    row.out->SetEnd(to);
    to = row.out->End(row.room + size);
  }
  return PutVarint(size, column.tag.Put(to));
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline char* RecordConverter::WriteText(const RowSource& row,
                                                                     const Column& column,
                                                                     std::string_view text,
                                                                     char* to) {
  return PutBytes(text, BeginText(row, column, text.size(), to));
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline char* RecordConverter::WriteCopied(const RowSource& row,
                                                                       const Column& column,
                                                                       const JsonValue& value,
                                                                       char* to) {
  if (!value.has_value()) return to;
  const bool is_text = value.kind == Kind::kNumber || value.kind == Kind::kString;
  const char* wanted = nullptr;
  switch (column.write) {
    case Write::kText:
      if (value.kind == Kind::kString) return WriteText(row, column, value.text, to);
      wanted = "a string";
      break;
    case Write::kIdentifier:
      if (is_text) return WriteText(row, column, value.text, to);
      wanted = "a string";
      break;
    case Write::kJsonText:
      if (value.kind != Kind::kMisplaced) return WriteText(row, column, value.raw, to);
      wanted = "a string";
      break;
    case Write::kInt64:
      if (is_text) {
        if (int64_t number = 0; FastInt64(value.text, &number)) {
          return PutVarint(static_cast<uint64_t>(number), column.tag.Put(to));
        }
      }
      wanted = "a 64-bit integer";
      break;
    case Write::kDouble:
      if (is_text) {
        if (const auto number = ParseDouble(value.text)) {
          return PutDouble(*number, column.tag.Put(to));
        }
      }
      wanted = "a number";
      break;
    case Write::kBool:
      if (value.kind == Kind::kTrue || value.kind == Kind::kFalse) {
        return PutVarint(value.kind == Kind::kTrue ? 1 : 0, column.tag.Put(to));
      }
      wanted = "true or false";
      break;
  }
  Complain(row, column, wanted, value);
  return to;
}

char* RecordConverter::WriteColumns(const RowSource& row, const Variant& variant, char* to) {
  const JsonValue* values[3] = {row.values->slots.data(), nullptr, nullptr};
  if (variant.list >= 0) {
    const auto elements = [&](int list, size_t element) {
      return row.values->lists[list].values.data() +
             element * static_cast<size_t>(shape_.lists()[list].slots);
    };
    values[1] = elements(variant.list, row.element);
    if (const int outer = shape_.lists()[variant.list].parent; outer >= 0) {
      values[2] = elements(outer, row.values->lists[variant.list].outer[row.element]);
    }
  }
  for (const Column& column : variant.columns) {
    const JsonValue& value = column.owner == Owner::kSeveral
                                 ? First(row, column)
                                 : values[static_cast<int>(column.owner)][column.slot];
    to =
        column.special ? WriteSpecial(row, column, value, to) : WriteCopied(row, column, value, to);
  }
  return to;
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

char* RecordConverter::WriteUserAgent(const RowSource& row, const Column& column, char* to) {
  static constexpr std::string_view kBefore[] = {R"({"browser":)", R"(,"browser_version":)",
                                                 R"(,"browser_language":)", R"(,"os":)"};
  constexpr size_t kMembers = 4;
  std::string_view members[kMembers];
  bool any = false;
  size_t size = 1;
  for (size_t i = 0; i < kMembers; ++i) {
    const JsonValue& value = Get(row, column.values[i]);
    const bool is_text = value.kind == Kind::kString;
    if (value.has_value() && !is_text) Complain(row, column, "strings", value);
    any = any || is_text;
    members[i] = is_text ? value.raw : "null";
    size += kBefore[i].size() + members[i].size();
  }
  if (!any) return to;
  to = BeginText(row, column, size, to);
  for (size_t i = 0; i < kMembers; ++i) to = PutBytes(members[i], PutBytes(kBefore[i], to));
  return PutBytes("}", to);
}

char* RecordConverter::WriteAssignee(const RowSource& row, const Column& column, char* to) {
  const JsonValue& admin = Get(row, column.values[0]);
  const JsonValue& team = Get(row, column.values[1]);
  if (column.derivation == v1::DERIVATION_ASSIGNEE_TYPE) {
    return WriteText(row, column,
                     IsSetReference(admin)  ? "admin"
                     : IsSetReference(team) ? "team"
                                            : "nobody_admin",
                     to);
  }
  // What cannot be an id is not set; one notice for both columns suffices.
  if (IsNoReference(admin)) Complain(row, column, "an id", admin);
  if (IsNoReference(team)) Complain(row, column, "an id", team);
  if (!IsSetReference(admin) && !IsSetReference(team)) return to;
  return WriteText(row, column, IsSetReference(admin) ? admin.text : team.text, to);
}

char* RecordConverter::WriteSpecial(const RowSource& row, const Column& column,
                                    const JsonValue& value, char* to) {
  return column.is_protected ? WriteProtected(row, column, value, to)
                             : WriteDerived(row, column, value, to);
}

// Written as it is first, whatever rule makes it, then replaced where it stands.
char* RecordConverter::WriteProtected(const RowSource& row, const Column& column,
                                      const JsonValue& value, char* to) {
  const auto before = to - row.out->data();
  char* const end = column.derivation == v1::DERIVATION_UNSPECIFIED
                        ? WriteCopied(row, column, value, to)
                        : WriteDerived(row, column, value, to);
  // It may stand elsewhere by now.
  char* const begin = end - (end - row.out->data() - before);
  if (begin == end) return begin;
  const char* text = begin;
  for (int varints = 2; varints > 0; ++text) {
    if (static_cast<unsigned char>(*text) < 0x80) --varints;
  }
  plain_.assign(text, static_cast<size_t>(end - text));
  if (column.privacy != v1::PRIVACY_ACTION_UNSPECIFIED) {
    return WriteText(row, column, protection_->Protect(plain_, column.privacy), begin);
  }
  const auto attributes = protection_->ProtectAttributes(plain_);
  if (attributes.has_value()) return WriteText(row, column, *attributes, begin);
  row.unit->notices().push_back(
      {row.table->index, v1::NOTICE_CODE_VALUE_INVALID, RecordId(row),
       absl::StrCat(*column.name,
                    ": not the JSON that privacy rules can be applied to; read as "
                    "null")});
  return begin;
}

char* RecordConverter::WriteDerived(const RowSource& row, const Column& column,
                                    const JsonValue& value, char* to) {
  switch (column.derivation) {
    case v1::DERIVATION_USER_AGENT_DATA:
      return WriteUserAgent(row, column, to);
    case v1::DERIVATION_ASSIGNEE_TYPE:
    case v1::DERIVATION_ASSIGNEE_ID:
      return WriteAssignee(row, column, to);
    case v1::DERIVATION_PARENT_ROLE:
      if (row.context->parent_role == v1::CONTACT_ROLE_UNSPECIFIED) return to;
      return WriteText(row, column, RoleName(row.context->parent_role), to);
    case v1::DERIVATION_REFERENCED_ROLE:
      if (IsNoReference(value)) Complain(row, column, "an id", value);
      if (!IsSetReference(value)) return to;
      return WriteText(row, column, ReferencedRole(row, value.text), to);
    case v1::DERIVATION_PERSON_TYPE:
      if (value.kind == Kind::kString && value.text == "contact") {
        return WriteText(row, column, "lead", to);
      }
      return WriteCopied(row, column, value, to);
    case v1::DERIVATION_TRIMMED:
      if (value.kind == Kind::kString) {
        return WriteText(row, column, Std(absl::StripAsciiWhitespace(Abs(value.text))), to);
      }
      return WriteCopied(row, column, value, to);
    case v1::DERIVATION_ORDINAL:
      return PutVarint(row.ordinal, column.tag.Put(to));
    case v1::DERIVATION_PARTS_TRUNCATED:
      if (!row.context->parts_truncated.has_value()) return to;
      return PutVarint(*row.context->parts_truncated ? 1 : 0, column.tag.Put(to));
    case v1::DERIVATION_ADMIN_EMAIL:
      if (Get(row, type_).text == "team") return to;
      return WriteCopied(row, column, value, to);
    case v1::DERIVATION_PARENT_ID:
      if (value.has_value()) return WriteCopied(row, column, value, to);
      if (row.context->parent_id.empty()) return to;
      return WriteText(row, column, Std(row.context->parent_id), to);
    default:
      return to;
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

#include "extractor/tables/reference_converter.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <regex>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "extractor/tables/table_catalog.h"
#include "google/protobuf/message.h"

namespace intercom_extractor {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Json = ReferenceJson;
using Type = ReferenceJson::Type;

std::string Trimmed(const std::string& text) {
  constexpr char kSpace[] = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Digits, and a fraction and an exponent if need be: as JSON writes numbers, but
// strings may have zeros in front and no digit behind the point.
bool IsDecimal(const std::string& text) {
  static const auto* const decimal = new std::regex("-?[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)?");
  return std::regex_match(text, *decimal);
}

// Nothing when it is too large for a double, or so small that nothing is left of it.
std::optional<double> Double(const std::string& text) {
  if (!IsDecimal(text)) return std::nullopt;
  const double value = std::strtod(text.c_str(), nullptr);
  const bool is_zero =
      text.substr(0, text.find_first_of("eE")).find_first_of("123456789") == std::string::npos;
  if (!std::isfinite(value) || (value == 0 && !is_zero)) return std::nullopt;
  return value;
}

std::optional<int64_t> Integer(const std::string& text) {
  if (!IsDecimal(text)) return std::nullopt;
  if (text.find_first_of(".eE") == std::string::npos) {
    errno = 0;
    const int64_t value = std::strtoll(text.c_str(), nullptr, 10);
    if (errno == ERANGE) return std::nullopt;
    return value;
  }
  // Beyond 2^53 a double does not say which integer was meant.
  const std::optional<double> value = Double(text);
  if (!value.has_value() || *value != std::floor(*value) || std::fabs(*value) >= 0x1p53) {
    return std::nullopt;
  }
  return static_cast<int64_t>(*value);
}

// What stands at a path.
struct Found {
  // Something above it that cannot hold it.
  bool misplaced = false;
  // Null when nothing is there.
  const Json* json = nullptr;

  bool absent() const { return !misplaced && json == nullptr; }
  bool has_value() const { return misplaced || (json != nullptr && json->type != Type::kNull); }
  bool Is(Type type) const { return !misplaced && json != nullptr && json->type == type; }
  // A string's content, a number as it is written.
  bool IsText() const { return Is(Type::kString) || Is(Type::kNumber); }
  std::string Text() const {
    return Is(Type::kString) ? json->string : json == nullptr ? "" : std::string(json->raw);
  }
  // An id that refers to something.
  bool IsSet() const { return IsText() && !Text().empty() && Text() != "0"; }
  bool IsNoId() const { return has_value() && !IsText(); }
};

// The elements of a list and how it stands there.
struct List {
  bool present = false;
  bool misplaced = false;
  std::vector<const Json*> objects;
};

// Paths are followed key by key from `from`; `path` is "a.b" or "a[0].b".
class Path {
 public:
  // `all`: the paths that may lead to the same thing, this one among them.
  Path(const std::string& path, std::vector<std::string> all, bool leads_to_list)
      : steps_(absl::StrSplit(path, '.')), all_(std::move(all)), leads_to_list_(leads_to_list) {}

  Found ValueFrom(const Json* from) const {
    Found found;
    std::string prefix;
    found.json = from;
    for (const std::string& step : steps_) {
      if (found.json->type != Type::kObject) return NoObject(prefix, *found.json);
      const bool first = absl::EndsWith(step, "[0]");
      const std::string key = first ? step.substr(0, step.size() - 3) : step;
      absl::StrAppend(&prefix, prefix.empty() ? "" : ".", key);
      found.json = found.json->Find(key);
      if (found.json == nullptr) return {};
      if (!first) continue;
      const List list = ListOf(prefix, Found{false, found.json});
      if (list.objects.empty()) return Found{list.misplaced, nullptr};
      found.json = list.objects.front();
      prefix += "[0]";
    }
    if (found.Is(Type::kObject) && AnotherPathTakes(prefix, *found.json)) return {};
    return found;
  }

  List ListFrom(const Json* from) const {
    return ListOf(absl::StrJoin(steps_, "."), ValueFrom(from));
  }

 private:
  Found NoObject(const std::string& prefix, const Json& json) const {
    if (json.type == Type::kNull || AnotherPathTakes(prefix, json)) return {};
    return Found{true, nullptr};
  }

  List ListOf(const std::string& prefix, const Found& found) const {
    List list;
    list.misplaced = found.misplaced;
    if (found.Is(Type::kArray)) {
      list.present = true;
      for (const Json& element : found.json->elements) {
        if (element.type == Type::kObject) {
          list.objects.push_back(&element);
        } else {
          list.misplaced = true;
        }
      }
    } else if (found.has_value() && !found.misplaced) {
      list.misplaced = !AnotherPathTakes(prefix, *found.json);
    }
    return list;
  }

  // Whether one of the paths goes on with what stands at `prefix`.
  bool AnotherPathTakes(const std::string& prefix, const Json& json) const {
    for (const std::string& path : all_) {
      if (json.type == Type::kObject) {
        if (absl::StartsWith(path, prefix + ".")) return true;
      } else if (json.type == Type::kArray) {
        if (path == prefix || absl::StartsWith(path, prefix + "[0].")) return true;
      } else if (path == prefix && !leads_to_list_) {
        return true;
      }
    }
    return false;
  }

  const std::vector<std::string> steps_;
  const std::vector<std::string> all_;
  const bool leads_to_list_;
};

// What one row is made of.
struct Row {
  const Json* json;
  // What is around it; null when the record itself is the row.
  const Json* around;
  int64_t ordinal;
};

class Conversion {
 public:
  Conversion(v1::SourceRecord kind, const Json& record, const ReferenceContext& context,
             ReferenceRows* rows)
      : kind_(kind), record_(record), context_(context), rows_(rows) {}

  void Run() {
    for (const TableInfo& table : TableCatalog::Get().tables()) {
      const v1::ContactRole role = table.description.table().role();
      if (role != v1::CONTACT_ROLE_UNSPECIFIED && role != Role()) continue;
      table_ = &table;
      for (const v1::TableSource& source : table.description.table().sources()) {
        if (source.record() == kind_) AddTable(source);
      }
    }
  }

 private:
  Found OfRecord(const std::string& path) const {
    return Path(path, {}, false).ValueFrom(&record_);
  }

  v1::ContactRole Role() const {
    if (kind_ != v1::SOURCE_RECORD_CONTACT) return context_.parent_role;
    const Found role = OfRecord("role");
    if (!role.Is(Type::kString)) return v1::CONTACT_ROLE_UNSPECIFIED;
    if (role.Text() == "user") return v1::CONTACT_ROLE_USER;
    if (role.Text() == "lead") return v1::CONTACT_ROLE_LEAD;
    return v1::CONTACT_ROLE_UNSPECIFIED;
  }

  void AddTable(const v1::TableSource& source) {
    std::vector<Row> rows;
    if (source.items().empty()) {
      rows.push_back({&record_, nullptr, 0});
    } else if (!ListRows(source, &rows)) {
      Notice(v1::NOTICE_CODE_VALUE_INVALID, "");
    }
    for (const Row& row : rows) AddRow(row);
  }

  // The rows of the first list that is there; false when it is not quite one.
  bool ListRows(const v1::TableSource& source, std::vector<Row>* rows) const {
    const std::vector<std::string> all(source.items().begin(), source.items().end());
    std::optional<List> first;
    for (const std::string& items : all) {
      std::vector<Row> found;
      const List list = ListAt(items, all, &found);
      if (!first.has_value()) first = list;
      if (!list.present) continue;
      *rows = std::move(found);
      return !list.misplaced;
    }
    return !first->misplaced;
  }

  List ListAt(const std::string& items, const std::vector<std::string>& all,
              std::vector<Row>* rows) const {
    const std::vector<std::string> levels = absl::StrSplit(items, "[].");
    List outer = Path(levels[0], all, true).ListFrom(&record_);
    if (levels.size() == 1) {
      for (const Json* object : outer.objects) {
        rows->push_back({object, &record_, static_cast<int64_t>(rows->size())});
      }
      return outer;
    }
    List all_inner;
    for (const Json* around : outer.objects) {
      const List inner = Path(levels[1], {}, true).ListFrom(around);
      all_inner.present = all_inner.present || inner.present;
      all_inner.misplaced = all_inner.misplaced || inner.misplaced;
      int64_t ordinal = 0;
      for (const Json* object : inner.objects) rows->push_back({object, around, ordinal++});
    }
    return all_inner;
  }

  void AddRow(const Row& row) {
    row_ = &row;
    message_ = rows_->batch.GetReflection()->AddMessage(&rows_->batch, table_->batch_field);
    for (const v1::ColumnDescription& column : table_->description.columns()) {
      column_ = &column;
      field_ = table_->row->FindFieldByName(column.name());
      if (column.column().has_constant()) {
        SetConstant(column.column().constant());
      } else {
        SetColumn();
      }
    }
  }

  // What stands at each of the column's paths.
  std::vector<Found> Values() const {
    std::vector<std::string> all;
    for (const std::string& path : column_->column().paths()) all.push_back(path.substr(2));
    std::vector<Found> values;
    for (const std::string& path : column_->column().paths()) {
      const Json* from = path[0] == '@' ? row_->json : row_->around;
      // Around the record is only what the context knows.
      if (from == nullptr) continue;
      values.push_back(Path(path.substr(2), all, false).ValueFrom(from));
    }
    return values;
  }

  // The first value; else what tells most of why there is none.
  static Found First(const std::vector<Found>& values) {
    for (const Found& value : values) {
      if (value.has_value() && !value.misplaced) return value;
    }
    for (const Found& value : values) {
      if (!value.absent()) return value;
    }
    return {};
  }

  void SetColumn() {
    const std::vector<Found> values = Values();
    const Found first = First(values);
    switch (column_->column().derivation()) {
      case v1::DERIVATION_USER_AGENT_DATA:
        return SetUserAgent(values);
      case v1::DERIVATION_ASSIGNEE_TYPE:
        return SetString(values[0].IsSet() ? "admin" : values[1].IsSet() ? "team" : "nobody_admin");
      case v1::DERIVATION_ASSIGNEE_ID:
        for (const Found& value : values) {
          if (value.IsNoId()) Invalid();
        }
        if (values[0].IsSet() || values[1].IsSet()) {
          SetString(values[0].IsSet() ? values[0].Text() : values[1].Text());
        }
        return;
      case v1::DERIVATION_PARENT_ROLE:
        if (context_.parent_role == v1::CONTACT_ROLE_USER) SetString("user");
        if (context_.parent_role == v1::CONTACT_ROLE_LEAD) SetString("lead");
        return;
      case v1::DERIVATION_REFERENCED_ROLE:
        if (first.IsNoId()) return Invalid();
        if (first.IsSet()) SetString(ReferencedRole(first.Text()));
        return;
      case v1::DERIVATION_PERSON_TYPE:
        if (first.Is(Type::kString) && first.Text() == "contact") return SetString("lead");
        return Copy(first);
      case v1::DERIVATION_TRIMMED:
        if (!first.Is(Type::kString)) return Copy(first);
        return SetString(Trimmed(first.Text()));
      case v1::DERIVATION_ORDINAL:
        return message_->GetReflection()->SetInt64(message_, field_, row_->ordinal);
      case v1::DERIVATION_PARTS_TRUNCATED:
        if (context_.parts_truncated.has_value()) {
          message_->GetReflection()->SetBool(message_, field_, *context_.parts_truncated);
        }
        return;
      case v1::DERIVATION_ADMIN_EMAIL: {
        const Found type = OfRecord("type");
        if (type.Is(Type::kString) && type.Text() == "team") return;
        return Copy(first);
      }
      case v1::DERIVATION_PARENT_ID:
        if (first.has_value()) return Copy(first);
        if (!context_.parent_id.empty()) SetString(context_.parent_id);
        return;
      default:
        return Copy(first);
    }
  }

  void SetUserAgent(const std::vector<Found>& values) {
    static constexpr const char* kMembers[] = {"browser", "browser_version", "browser_language",
                                               "os"};
    std::vector<std::string> members;
    bool any = false;
    for (size_t i = 0; i < values.size(); ++i) {
      const bool is_string = values[i].Is(Type::kString);
      if (values[i].has_value() && !is_string) Invalid();
      any = any || is_string;
      members.push_back(absl::StrCat("\"", kMembers[i],
                                     "\":", is_string ? std::string(values[i].json->raw) : "null"));
    }
    if (any) SetString(absl::StrCat("{", absl::StrJoin(members, ","), "}"));
  }

  std::string ReferencedRole(const std::string& contact) {
    const Found author = OfRecord("source.author.id");
    const Found type = OfRecord("source.author.type");
    if (type.Is(Type::kString) && (type.Text() == "user" || type.Text() == "lead") &&
        author.IsText() && author.Text() == contact) {
      return type.Text();
    }
    const auto known = context_.roles.find(contact);
    if (known != context_.roles.end()) return known->second;
    Notice(v1::NOTICE_CODE_ROLE_NOT_FOUND, "");
    return "contact";
  }

  void Copy(const Found& value) {
    if (!value.has_value()) return;
    if (value.misplaced) return Invalid();
    const Reflection* reflection = message_->GetReflection();
    switch (field_->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        if (column_->column().format() == v1::COLUMN_FORMAT_JSON_TEXT) {
          return SetString(std::string(value.json->raw));
        }
        if (value.Is(Type::kString) ||
            (value.Is(Type::kNumber) &&
             column_->column().format() == v1::COLUMN_FORMAT_IDENTIFIER)) {
          return SetString(value.Text());
        }
        return Invalid();
      case FieldDescriptor::CPPTYPE_INT64:
        if (value.IsText()) {
          if (const auto number = Integer(value.Text())) {
            return reflection->SetInt64(message_, field_, *number);
          }
        }
        return Invalid();
      case FieldDescriptor::CPPTYPE_DOUBLE:
        if (value.IsText()) {
          if (const auto number = Double(value.Text())) {
            return reflection->SetDouble(message_, field_, *number);
          }
        }
        return Invalid();
      default:
        if (!value.Is(Type::kBool)) return Invalid();
        return reflection->SetBool(message_, field_, value.json->raw == "true");
    }
  }

  void SetConstant(const std::string& constant) {
    if (field_->cpp_type() == FieldDescriptor::CPPTYPE_STRING) return SetString(constant);
    message_->GetReflection()->SetBool(message_, field_, constant == "true");
  }

  void SetString(const std::string& text) {
    message_->GetReflection()->SetString(message_, field_, text);
  }

  void Invalid() { Notice(v1::NOTICE_CODE_VALUE_INVALID, column_->name()); }

  void Notice(v1::NoticeCode code, const std::string& column) {
    const Found id = OfRecord("id");
    rows_->notices.push_back(
        {table_->name(), code, id.has_value() ? id.Text() : context_.parent_id, column});
  }

  const v1::SourceRecord kind_;
  const Json& record_;
  const ReferenceContext& context_;
  ReferenceRows* const rows_;
  // What is being made.
  const TableInfo* table_ = nullptr;
  const Row* row_ = nullptr;
  Message* message_ = nullptr;
  const v1::ColumnDescription* column_ = nullptr;
  const FieldDescriptor* field_ = nullptr;
};

}  // namespace

ReferenceRows ReferenceConvert(v1::SourceRecord kind, const ReferenceJson& record,
                               const ReferenceContext& context) {
  ReferenceRows rows;
  Conversion(kind, record, context, &rows).Run();
  return rows;
}

}  // namespace intercom_extractor

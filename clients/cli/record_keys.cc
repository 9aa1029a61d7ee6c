#include "clients/cli/record_keys.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/json_text.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

constexpr char kNull[] = "\\N";

void AppendEscaped(absl::string_view text, std::string* line) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        line->append("\\\\");
        break;
      case '\t':
        line->append("\\t");
        break;
      case '\n':
        line->append("\\n");
        break;
      default:
        line->push_back(c);
    }
  }
}

// False for what AppendEscaped() does not write.
bool Unescape(absl::string_view text, std::string* value) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      value->push_back(text[i]);
      continue;
    }
    const char next = ++i < text.size() ? text[i] : '\0';
    if (next != '\\' && next != 't' && next != 'n') return false;
    value->push_back(next == 't' ? '\t' : next == 'n' ? '\n' : '\\');
  }
  return true;
}

struct Collector {
  void Null() { complete = false; }
  void String(absl::string_view text) { values.emplace_back(std::string(text)); }
  void Int64(int64_t value) { AppendInt64(value, &*values.emplace_back("")); }
  // No key is one of these.
  void Double(double) { complete = false; }
  void Bool(bool) { complete = false; }

  KeyValues values;
  bool complete = true;
};

}  // namespace

std::string JoinKeyLine(const KeyValues& values) {
  std::string line;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) line.push_back('\t');
    if (values[i].has_value()) {
      AppendEscaped(*values[i], &line);
    } else {
      line.append(kNull);
    }
  }
  return line;
}

KeyValues SplitKeyLine(absl::string_view line) {
  KeyValues values;
  for (const absl::string_view part : absl::StrSplit(line, '\t')) {
    std::optional<std::string>& value = values.emplace_back();
    if (part == kNull) continue;
    if (!Unescape(part, &value.emplace())) return {};
  }
  return values;
}

absl::StatusOr<RecordKeys> RecordKeys::Resolve(const v1::TableDescription& description) {
  v1::TableDescription keys;
  *keys.mutable_table() = description.table();
  for (const std::string& key : description.table().key()) {
    for (const v1::ColumnDescription& column : description.columns()) {
      if (column.name() == key) *keys.add_columns() = column;
    }
  }
  auto columns = RowColumns::Resolve(keys, ColumnSelection::kAll);
  if (!columns.ok()) return columns.status();
  if (columns->columns().empty() ||
      columns->columns().size() != static_cast<size_t>(description.table().key_size())) {
    return absl::UnimplementedError(absl::StrCat("the server does not say what tells rows of ",
                                                 description.table().name(),
                                                 " apart; update it to this program's version"));
  }
  return RecordKeys(*std::move(columns));
}

KeyValues RecordKeys::Of(absl::string_view row) const {
  Collector collector;
  return columns_.VisitRow(row, &collector) && collector.complete ? std::move(collector.values)
                                                                  : KeyValues();
}

}  // namespace intercom_extractor

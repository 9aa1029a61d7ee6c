// Every copied column of every table, with every kind of value at every place
// that its annotation names. What is expected comes from the rules for columns,
// by type and format; the records are built from the annotated paths by the code
// below, not by the converter's.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "extractor/tables/converted_rows.h"

namespace intercom_extractor {
namespace {

using nlohmann::json;

constexpr char kHole[] = "@hole@";

// The value at `path` ("a.b", "a[0].b") below `node`, made on the way.
json* Make(json* node, const std::string& path) {
  for (absl::string_view step : absl::StrSplit(path, '.')) {
    if (absl::EndsWith(step, "[0]")) {
      json& list = (*node)[std::string(step.substr(0, step.size() - 3))];
      if (list.empty()) list = json::array({json::object()});
      node = &list[0];
    } else {
      node = &(*node)[std::string(step)];
    }
  }
  return node;
}

// One place where a column's value may stand.
struct Place {
  const TableInfo* table = nullptr;
  v1::TableSource source;
  // Path of the rows' list, "" when the record is the row.
  std::string items;
  const v1::ColumnDescription* column = nullptr;
  // "@.a.b" or "^.a.b".
  std::string path;

  std::string Name() const {
    return absl::StrCat(table->name(), ".", column->name(), " ",
                        v1::SourceRecord_Name(source.record()), " ", items, " ", path);
  }
};

// A record with one row for the place's table, and a hole where `path` leads.
json RecordWithHole(const Place& place, const std::string& path) {
  json record = json::object();
  if (place.source.record() == v1::SOURCE_RECORD_CONTACT) {
    record["role"] =
        place.table->description.table().role() == v1::CONTACT_ROLE_LEAD ? "lead" : "user";
  }
  json* around = &record;
  json* row = &record;
  if (!place.items.empty()) {
    const std::vector<std::string> levels = absl::StrSplit(place.items, absl::MaxSplits("[].", 1));
    if (levels.size() == 2) {
      json* list = Make(&record, levels[0]);
      *list = json::array({json::object()});
      around = &(*list)[0];
    }
    json* list = Make(around, levels.back());
    *list = json::array({json::object()});
    row = &(*list)[0];
  }
  if (!path.empty()) *Make(path[0] == '^' ? around : row, path.substr(2)) = kHole;
  return record;
}

// JSON text of the record, with `value` (any text) in the hole.
std::string Fill(const json& record, const std::string& value) {
  return absl::StrReplaceAll(record.dump(), {{absl::StrCat("\"", kHole, "\""), value}});
}

// All places of all copied columns.
std::vector<Place> CopiedPlaces() {
  std::vector<Place> result;
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    for (const v1::TableSource& source : table.description.table().sources()) {
      std::vector<std::string> lists(source.items().begin(), source.items().end());
      if (lists.empty()) lists.emplace_back();
      for (const std::string& items : lists) {
        for (const v1::ColumnDescription& column : table.description.columns()) {
          if (column.column().derivation() != v1::DERIVATION_UNSPECIFIED) continue;
          for (const std::string& path : column.column().paths()) {
            result.push_back({&table, source, items, &column, path});
          }
        }
      }
    }
  }
  return result;
}

struct Case {
  // JSON text.
  const char* value;
  // The column's value as text; nothing for null.
  std::optional<std::string> expected;
  // Whether the value is of the wrong type or does not fit.
  bool invalid = false;
};

const std::vector<Case>& CasesFor(const v1::ColumnDescription& column) {
  static const std::optional<std::string> kNull;
  static const auto* const kString = new std::vector<Case>{
      {"null", kNull},
      {R"("")", ""},
      {R"("text")", "text"},
      {R"(" spaces stay ")", " spaces stay "},
      {R"("null")", "null"},
      {R"("0")", "0"},
      {R"("a\"b\\c\/d\b\f\n\r\t\u00e9\u2028\ud83d\ude00")",
       "a\"b\\c/d\b\f\n\r\t\u00e9\u2028\U0001F600"},
      {"0", kNull, true},
      {"17", kNull, true},
      {"1.5", kNull, true},
      {"true", kNull, true},
      {"false", kNull, true},
      {R"({"x": 1})", kNull, true},
      {"[]", kNull, true},
      {R"([{"x": 1}])", kNull, true},
  };
  static const auto* const kIdentifier = new std::vector<Case>{
      {"null", kNull},
      {R"("")", ""},
      {R"("6762f0a61bb69f9f2193bb55")", "6762f0a61bb69f9f2193bb55"},
      {"991267715", "991267715"},
      {"0", "0"},
      {R"("0")", "0"},
      {"-5", "-5"},
      {"9223372036854775807", "9223372036854775807"},
      {"9223372036854775808", "9223372036854775808"},
      {"123456789012345678901234567890", "123456789012345678901234567890"},
      {"true", kNull, true},
      {"false", kNull, true},
      {"{}", kNull, true},
      {"[]", kNull, true},
  };
  static const auto* const kInt64 = new std::vector<Case>{
      {"null", kNull},
      {"0", "0"},
      {"-1", "-1"},
      {"1734537460", "1734537460"},
      {R"("1734537460")", "1734537460"},
      {R"("0")", "0"},
      {R"("-17")", "-17"},
      {"17.0", "17"},
      {"1e3", "1000"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {R"("9223372036854775807")", "9223372036854775807"},
      {"9223372036854775808", kNull, true},
      {"-9223372036854775809", kNull, true},
      {R"("9223372036854775808")", kNull, true},
      {"1.5", kNull, true},
      {"1e300", kNull, true},
      {R"("")", kNull, true},
      {R"("2024-12-18T15:57:40Z")", kNull, true},
      {R"("0x11")", kNull, true},
      {"true", kNull, true},
      {"false", kNull, true},
      {"{}", kNull, true},
      {"[1734537460]", kNull, true},
  };
  static const auto* const kDouble = new std::vector<Case>{
      {"null", kNull},
      {"0", "0"},
      {"0.5", "0.5"},
      {"-12.25", "-12.25"},
      {"1e3", "1000"},
      {R"("53.5")", "53.5"},
      {R"("0")", "0"},
      {"9007199254740993", "9007199254740992"},
      {"1e400", kNull, true},
      {R"("")", kNull, true},
      {R"("NaN")", kNull, true},
      {R"("53,5")", kNull, true},
      {"true", kNull, true},
      {"false", kNull, true},
      {"{}", kNull, true},
      {"[]", kNull, true},
  };
  static const auto* const kBool = new std::vector<Case>{
      {"null", kNull},
      {"true", "true"},
      {"false", "false"},
      {"0", kNull, true},
      {"1", kNull, true},
      {R"("true")", kNull, true},
      {R"("false")", kNull, true},
      {R"("")", kNull, true},
      {"{}", kNull, true},
      {"[]", kNull, true},
  };
  static const auto* const kJson = new std::vector<Case>{
      {"null", kNull},
      {"{}", "{}"},
      {"{ }", "{ }"},
      {R"({"a": {"b": [1, 2.50, "\u00e9"]} , "c":null})",
       R"({"a": {"b": [1, 2.50, "\u00e9"]} , "c":null})"},
      {"[]", "[]"},
      {R"("text\n")", R"("text\n")"},
      {"0", "0"},
      {"false", "false"},
  };
  switch (column.type()) {
    case v1::COLUMN_TYPE_INT64:
      return *kInt64;
    case v1::COLUMN_TYPE_DOUBLE:
      return *kDouble;
    case v1::COLUMN_TYPE_BOOL:
      return *kBool;
    default:
      if (column.column().format() == v1::COLUMN_FORMAT_JSON_TEXT) return *kJson;
      return column.column().format() == v1::COLUMN_FORMAT_IDENTIFIER ? *kIdentifier : *kString;
  }
}

// The notices about the place's column; other columns may read the same value.
int NoticesAbout(const Place& place, const ConvertedRows& rows) {
  int count = 0;
  for (const UnitRows::RowNotice& notice : rows.notices) {
    if (notice.code != v1::NOTICE_CODE_VALUE_INVALID) continue;
    EXPECT_EQ(notice.table, place.table->index);
    if (absl::StartsWith(notice.message, place.column->name() + ": ")) ++count;
  }
  return count;
}

void Check(const Place& place, const std::string& text, const std::optional<std::string>& expected,
           bool invalid) {
  SCOPED_TRACE(absl::StrCat(place.Name(), ": ", text));
  const ConvertedRows rows =
      ConvertRecord(place.source.record(), text, {place.table->name()},
                    {"parent", place.table->description.table().role(), nullptr, std::nullopt, {}});
  ASSERT_TRUE(rows.status.ok()) << rows.status;
  ASSERT_EQ(rows.Count(place.table->name()), 1) << "the row is lost";
  EXPECT_EQ(rows.Cell(place.table->name(), place.column->name()), expected);
  EXPECT_EQ(NoticesAbout(place, rows), invalid ? 1 : 0) << rows.DebugString();
}

// `^` in a record that is a row itself is what only the context knows.
bool InRecord(const Place& place) { return place.path[0] == '@' || !place.items.empty(); }

// A place that another path of the column, or the list of rows, goes through:
// there an object or array is no wrong value.
bool IsOnTheWay(const Place& place, const std::string& path) {
  std::vector<std::string> all(place.column->column().paths().begin(),
                               place.column->column().paths().end());
  for (const std::string& items : place.source.items()) all.push_back("@." + items);
  for (const std::string& other : all) {
    if (other == path || absl::StartsWith(other, path + ".") ||
        absl::StartsWith(other, path + "[")) {
      if (other != place.path) return true;
    }
  }
  return false;
}

TEST(ColumnConversionTest, EveryColumnIsCopiedDerivedConstantOrAlwaysNull) {
  std::set<std::string> copied;
  for (const Place& place : CopiedPlaces()) {
    copied.insert(absl::StrCat(place.table->name(), ".", place.column->name()));
  }
  size_t others = 0;
  size_t all = 0;
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    for (const v1::ColumnDescription& column : table.description.columns()) {
      ++all;
      const bool derived = column.column().derivation() != v1::DERIVATION_UNSPECIFIED;
      const bool constant = column.column().has_constant();
      const bool none = !derived && column.column().paths().empty() && !constant;
      EXPECT_FALSE(derived && constant) << column.name();
      if (derived || constant || none) ++others;
    }
  }
  EXPECT_EQ(all, 183 + 16);
  EXPECT_EQ(copied.size() + others, all);
}

TEST(ColumnConversionTest, EveryKindOfValueGivesWhatTheRulesSay) {
  int checked = 0;
  for (const Place& place : CopiedPlaces()) {
    if (!InRecord(place)) continue;
    const json record = RecordWithHole(place, place.path);
    for (const Case& test : CasesFor(*place.column)) {
      const bool container = test.value[0] == '{' || test.value[0] == '[';
      if (container && IsOnTheWay(place, place.path)) continue;
      Check(place, Fill(record, test.value), test.expected, test.invalid);
      ++checked;
    }
  }
  EXPECT_GT(checked, 1500);
}

TEST(ColumnConversionTest, AbsentValueIsNullWithoutNotice) {
  for (const Place& place : CopiedPlaces()) {
    if (!InRecord(place)) continue;
    Check(place, RecordWithHole(place, "").dump(), std::nullopt, false);
  }
}

// `"location": null`, `{}`, and values that cannot hold what is below them.
TEST(ColumnConversionTest, WhatStandsAboveAValueDecidesToo) {
  for (const Place& place : CopiedPlaces()) {
    if (!InRecord(place)) continue;
    for (size_t dot = place.path.rfind('.'); dot > 1; dot = place.path.rfind('.', dot - 1)) {
      std::string above = place.path.substr(0, dot);
      if (absl::EndsWith(above, "[0]")) above.resize(above.size() - 3);
      const json record = RecordWithHole(place, above);
      Check(place, Fill(record, "null"), std::nullopt, false);
      if (IsOnTheWay(place, above)) continue;
      if (place.path.compare(above.size(), 3, "[0]") != 0) {
        Check(place, Fill(record, "{}"), std::nullopt, false);
        Check(place, Fill(record, "[]"), std::nullopt, true);
      } else {
        Check(place, Fill(record, "[]"), std::nullopt, false);
        Check(place, Fill(record, "{}"), std::nullopt, true);
        Check(place, Fill(record, "[5]"), std::nullopt, true);
      }
      for (const char* wrong : {"0", "5", "true", "false", R"("")", R"("text")"}) {
        Check(place, Fill(record, wrong), std::nullopt, true);
      }
    }
  }
}

TEST(ColumnConversionTest, ConstantAndAlwaysNullColumnsDependOnNothing) {
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    for (const v1::TableSource& source : table.description.table().sources()) {
      std::vector<std::string> lists(source.items().begin(), source.items().end());
      if (lists.empty()) lists.emplace_back();
      for (const std::string& items : lists) {
        Place place{&table, source, items, &table.description.columns(0), ""};
        json record = RecordWithHole(place, "");
        // Values under the columns' own names must not get in.
        json* row = &record;
        if (!items.empty()) {
          std::string first = absl::StrReplaceAll(items, {{"[].", "[0]."}}) + "[0]";
          row = Make(&record, first);
        }
        std::vector<const v1::ColumnDescription*> columns;
        for (const v1::ColumnDescription& column : table.description.columns()) {
          if (column.column().derivation() != v1::DERIVATION_UNSPECIFIED) continue;
          if (!column.column().paths().empty()) continue;
          columns.push_back(&column);
          (*row)[column.name()] = "wrong";
        }
        const ConvertedRows rows =
            ConvertRecord(source.record(), record.dump(), {table.name()},
                          {"parent", table.description.table().role(), nullptr, std::nullopt, {}});
        ASSERT_EQ(rows.Count(table.name()), 1) << place.Name();
        for (const v1::ColumnDescription* column : columns) {
          std::optional<std::string> expected;
          if (column->column().has_constant()) expected = column->column().constant();
          EXPECT_EQ(rows.Cell(table.name(), column->name()), expected)
              << table.name() << "." << column->name();
        }
      }
    }
  }
}

}  // namespace
}  // namespace intercom_extractor

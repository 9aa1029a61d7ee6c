#include "extractor/tables/request_tables.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "extractor/tables/nearest_name.h"

namespace intercom_extractor {
namespace {

constexpr absl::string_view kAll = "*";

absl::Status NoColumn(const std::string& name, const std::vector<std::string>& known) {
  // Anybody may have sent it.
  const std::string* const nearest = NearestName(name, known);
  return absl::InvalidArgumentError(
      absl::StrCat("columns: no table that was asked for has a column \"",
                   absl::CHexEscape(name.substr(0, 64)), "\"; did you mean \"",
                   nearest == nullptr ? "*" : *nearest, "\"? `intercom-extract tables` lists all"));
}

}  // namespace

absl::Status KeepColumns(const std::vector<std::string>& names, bool with_keys,
                         std::vector<v1::TableDescription>* tables) {
  if (names.empty()) return absl::OkStatus();
  // Of each table.
  std::vector<std::set<std::string>> kept(tables->size());
  for (const std::string& name : names) {
    const size_t dot = name.find('.');
    const bool qualified = dot != std::string::npos;
    const std::string column = qualified ? name.substr(dot + 1) : name;
    bool found = false;
    // What it might have been.
    std::vector<std::string> known;
    for (size_t i = 0; i < tables->size(); ++i) {
      const v1::TableDescription& table = (*tables)[i];
      const bool of_table = !qualified || name.compare(0, dot, table.table().name()) == 0;
      for (const v1::ColumnDescription& candidate : table.columns()) {
        known.push_back(qualified ? absl::StrCat(table.table().name(), ".", candidate.name())
                                  : candidate.name());
        if (!of_table || (column != kAll && column != candidate.name())) continue;
        kept[i].insert(candidate.name());
        found = true;
      }
    }
    if (!found) return NoColumn(name, known);
  }
  for (size_t i = 0; i < tables->size(); ++i) {
    v1::TableDescription& table = (*tables)[i];
    if (kept[i].empty()) {
      return absl::InvalidArgumentError(absl::StrCat("columns: none of ", table.table().name(),
                                                     " was asked for; add ", table.table().name(),
                                                     ".* for all of them, or leave the table out"));
    }
    if (with_keys) kept[i].insert(table.table().key().begin(), table.table().key().end());
    auto* const columns = table.mutable_columns();
    columns->erase(std::remove_if(columns->begin(), columns->end(),
                                  [&](const v1::ColumnDescription& column) {
                                    return kept[i].count(column.name()) == 0;
                                  }),
                   columns->end());
  }
  return absl::OkStatus();
}

absl::StatusOr<RequestTables> RequestTables::Create(const std::vector<const TableInfo*>& tables,
                                                    const std::vector<std::string>& columns,
                                                    std::shared_ptr<const PrivacyRules> privacy) {
  RequestTables result;
  if (privacy != nullptr && privacy->empty()) privacy = nullptr;
  if (columns.empty() && privacy == nullptr) {
    result.tables_ = tables;
    return result;
  }
  std::vector<v1::TableDescription> descriptions;
  descriptions.reserve(tables.size());
  for (const TableInfo* table : tables) descriptions.push_back(table->description);
  const absl::Status kept = KeepColumns(columns, /*with_keys=*/true, &descriptions);
  if (!kept.ok()) return kept;
  for (size_t i = 0; i < tables.size(); ++i) {
    auto table = std::make_unique<TableInfo>(*tables[i]);
    table->description = std::move(descriptions[i]);
    table->privacy = privacy;
    if (privacy != nullptr) privacy->Describe(&table->description);
    result.tables_.push_back(table.get());
    result.owned_.push_back(std::move(table));
  }
  return result;
}

}  // namespace intercom_extractor

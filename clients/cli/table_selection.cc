#include "clients/cli/table_selection.h"

#include <set>

namespace intercom_extractor {

TableSelection SelectTables(const v1::ListTablesResponse& all, v1::Template table_template,
                            const std::vector<std::string>& names) {
  TableSelection selection;
  std::set<std::string> wanted(names.begin(), names.end());
  for (const v1::TableDescription& description : all.tables()) {
    const v1::Table& table = description.table();
    const bool of_template =
        table_template == v1::TEMPLATE_ALL ||
        (table_template != v1::TEMPLATE_UNSPECIFIED && table.template_() == table_template);
    const bool named = wanted.erase(table.name()) > 0;
    if (of_template || named) selection.tables.push_back(description);
  }
  selection.unknown.assign(wanted.begin(), wanted.end());
  return selection;
}

}  // namespace intercom_extractor

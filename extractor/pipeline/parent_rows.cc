#include "extractor/pipeline/parent_rows.h"

#include <algorithm>
#include <string>

#include "extractor/tables/wire.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

TableSet ParentRows::ChildrenAmong(const std::vector<const TableInfo*>& wanted, TableSet tables) {
  TableSet children;
  for (const TableInfo* table : wanted) {
    if (tables.test(table->index) &&
        table->description.table().incremental() == v1::INCREMENTAL_PARENT) {
      children.set(table->index);
    }
  }
  return children;
}

void ParentRows::Begin(const UnitRows& unit) {
  for (size_t table = 0; table < unit.tables().size(); ++table) {
    before_[table] = static_cast<int64_t>(unit.tables()[table].ends.size());
  }
}

void ParentRows::End(const UnitRows& unit) {
  for (size_t table = 0; table < unit.tables().size(); ++table) {
    counts_[table] += static_cast<int64_t>(unit.tables()[table].ends.size()) - before_[table];
  }
}

void ParentRows::Add(const ParentRows& more) {
  for (size_t table = 0; table < counts_.size(); ++table) counts_[table] += more.counts_[table];
}

void ParentRows::Add(TableSet tables, int64_t rows) {
  for (size_t table = 0; table < counts_.size(); ++table) {
    if (tables.test(table)) counts_[table] += rows;
  }
}

bool ParentRows::any() const {
  return std::any_of(counts_.begin(), counts_.end(), [](int64_t rows) { return rows > 0; });
}

void ParentRows::AppendTo(TableSet tables, absl::string_view parent_id,
                          std::optional<int64_t> updated_at, UnitRows* unit) const {
  for (size_t table = 0; table < unit->tables().size(); ++table) {
    if (!tables.test(table)) continue;
    v1::ParentRows entry;
    entry.set_id(std::string(parent_id));
    entry.set_rows(counts_[table]);
    if (updated_at.has_value()) entry.set_updated_at(*updated_at);
    AppendBytesField(v1::RowBatch::kParentsFieldNumber, entry.SerializeAsString(),
                     &unit->tables()[table].parents);
  }
}

}  // namespace intercom_extractor

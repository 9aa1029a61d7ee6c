#ifndef EXTRACTOR_PIPELINE_PARENT_ROWS_H_
#define EXTRACTOR_PIPELINE_PARENT_ROWS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"

namespace intercom_extractor {

// Counts the rows that one contact or conversation has in the tables below it, and says
// it in `RowBatch.parents`. Not thread-safe.
class ParentRows {
 public:
  // Those of `wanted` whose rows belong to a record of `tables`.
  static TableSet ChildrenAmong(const std::vector<const TableInfo*>& wanted, TableSet tables);

  // Rows are made between the two; may be called several times for one parent.
  void Begin(const UnitRows& unit);
  void End(const UnitRows& unit);

  void Clear() { counts_.fill(0); }
  // Adds the rows of further answers.
  void Add(const ParentRows& more);
  // Adds rows that came in an earlier stream.
  void Add(TableSet tables, int64_t rows);
  bool any() const;

  // Says it in each of these tables, zeros included.
  void AppendTo(TableSet tables, absl::string_view parent_id, std::optional<int64_t> updated_at,
                UnitRows* unit) const;

 private:
  // By table.
  using Counts = std::array<int64_t, kMaxTables>;
  Counts before_ = {};
  Counts counts_ = {};
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_PARENT_ROWS_H_

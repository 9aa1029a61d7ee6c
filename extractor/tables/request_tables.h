#ifndef EXTRACTOR_TABLES_REQUEST_TABLES_H_
#define EXTRACTOR_TABLES_REQUEST_TABLES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "extractor/tables/privacy_rules.h"
#include "extractor/tables/table_catalog.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Takes the columns that were not asked for out of the tables' descriptions. `names` are
// as in `ExtractRequest.columns`; none: nothing is taken out. `with_keys` leaves those
// that identify rows in. kInvalidArgument names what no table has, with the nearest that
// there is, or the table of which nothing was asked for.
absl::Status KeepColumns(const std::vector<std::string>& names, bool with_keys,
                         std::vector<v1::TableDescription>* tables);

// The tables of one request as its rows are made: with the columns it asks for and the
// privacy rules of its connection. Whoever reads a table gets it from here; so no way of
// reading can forget the rules. Immutable; must outlive those who use its tables.
class RequestTables {
 public:
  // `tables` are the catalog's. `privacy` may be null. Errors are those of KeepColumns().
  static absl::StatusOr<RequestTables> Create(const std::vector<const TableInfo*>& tables,
                                              const std::vector<std::string>& columns,
                                              std::shared_ptr<const PrivacyRules> privacy);

  const std::vector<const TableInfo*>& tables() const { return tables_; }

 private:
  RequestTables() = default;

  // Those that differ from the catalog's.
  std::vector<std::unique_ptr<TableInfo>> owned_;
  std::vector<const TableInfo*> tables_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_REQUEST_TABLES_H_

#ifndef CLIENTS_CLI_TABLE_SELECTION_H_
#define CLIENTS_CLI_TABLE_SELECTION_H_

#include <string>
#include <vector>

#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// The tables that a template and single names mean, each once, in the server's
// order.
struct TableSelection {
  std::vector<v1::TableDescription> tables;
  // Names that the server did not list.
  std::vector<std::string> unknown;
};

TableSelection SelectTables(const v1::ListTablesResponse& all, v1::Template table_template,
                            const std::vector<std::string>& names);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TABLE_SELECTION_H_

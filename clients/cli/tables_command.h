#ifndef CLIENTS_CLI_TABLES_COMMAND_H_
#define CLIENTS_CLI_TABLES_COMMAND_H_

#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extractor_api.h"

namespace intercom_extractor {

// `intercom-extract tables`: writes the server's tables and columns to standard
// output. The outcome's message is not printed yet.
Outcome RunTables(const TablesOptions& options, ExtractorApi* api, const Console& console);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TABLES_COMMAND_H_

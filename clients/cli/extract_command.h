#ifndef CLIENTS_CLI_EXTRACT_COMMAND_H_
#define CLIENTS_CLI_EXTRACT_COMMAND_H_

#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extractor_api.h"

namespace intercom_extractor {

// `intercom-extract extract`: reads tables from the server into files or standard
// output. Blocks until the end. The outcome's message is not printed yet.
Outcome RunExtract(const ExtractOptions& options, ExtractorApi* api, const Console& console);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_EXTRACT_COMMAND_H_

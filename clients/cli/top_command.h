#ifndef CLIENTS_CLI_TOP_COMMAND_H_
#define CLIENTS_CLI_TOP_COMMAND_H_

#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extractor_api.h"

namespace intercom_extractor {

// `intercom-extract top`: what a server's extractions do. On a terminal drawn anew every
// second until the user interrupts, which is how it ends well; else, and with --json, once.
// The outcome's message is not printed yet.
Outcome RunTop(const TopOptions& options, ExtractorApi* api, const Console& console);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TOP_COMMAND_H_

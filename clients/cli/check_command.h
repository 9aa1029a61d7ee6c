#ifndef CLIENTS_CLI_CHECK_COMMAND_H_
#define CLIENTS_CLI_CHECK_COMMAND_H_

#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extractor_api.h"

namespace intercom_extractor {

// `intercom-extract check`: writes to standard output which workspace a token
// belongs to and which tables it may read. The outcome's message is not printed
// yet.
Outcome RunCheck(const CheckOptions& options, ExtractorApi* api, const Console& console);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_CHECK_COMMAND_H_

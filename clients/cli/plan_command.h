#ifndef CLIENTS_CLI_PLAN_COMMAND_H_
#define CLIENTS_CLI_PLAN_COMMAND_H_

#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extractor_api.h"

namespace intercom_extractor {

// `intercom-extract plan`: writes to standard output how tables would be read, with
// how many requests and how long that takes. The outcome's message is not printed
// yet.
Outcome RunPlan(const PlanOptions& options, ExtractorApi* api, const Console& console);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_PLAN_COMMAND_H_

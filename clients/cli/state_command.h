#ifndef CLIENTS_CLI_STATE_COMMAND_H_
#define CLIENTS_CLI_STATE_COMMAND_H_

#include "absl/time/time.h"
#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"

namespace intercom_extractor {

// `intercom-extract state`: shows, exports or removes the state of a run. Needs no
// server. The outcome's message is not printed yet.
Outcome RunStateCommand(const StateOptions& options, const Console& console, absl::Time now);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_STATE_COMMAND_H_

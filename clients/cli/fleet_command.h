#ifndef CLIENTS_CLI_FLEET_COMMAND_H_
#define CLIENTS_CLI_FLEET_COMMAND_H_

#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/fleet_flags.h"
#include "clients/cpp/cancellation.h"

namespace intercom_extractor {

// `intercom-extract fleet ...`: asks for jobs, tells how they stand, or is a worker until
// `interrupt`. Blocks until the end. The outcome's message is not printed yet.
Outcome RunFleet(const FleetOptions& options, const Console& console, Cancellation* interrupt);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_FLEET_COMMAND_H_

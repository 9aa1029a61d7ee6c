#ifndef CLIENTS_CLI_FLEET_WORKER_H_
#define CLIENTS_CLI_FLEET_WORKER_H_

#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/fleet_flags.h"
#include "clients/cpp/cancellation.h"
#include "clients/sinks/kafka/kafka_url.h"

namespace intercom_extractor {

// `intercom-extract fleet work`: a worker with a server inside this process, until
// `interrupt` or an error that a person has to do something about. Logs to standard error.
Outcome RunFleetWorker(const FleetOptions& options, KafkaTarget target, const Console& console,
                       Cancellation* interrupt);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_FLEET_WORKER_H_

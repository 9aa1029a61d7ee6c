#ifndef CLIENTS_CLI_SINK_COMMAND_H_
#define CLIENTS_CLI_SINK_COMMAND_H_

#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extract_command.h"
#include "clients/cli/extractor_api.h"

namespace intercom_extractor {

// `intercom-extract extract --sink URL`: as RunExtract(), but the rows go into a database.
// What an interrupted run with the same flags left unfinished there goes on by itself.
Outcome RunSink(const ExtractOptions& options, ExtractorApi* api, const Console& console,
                const ExtractTiming& timing);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_SINK_COMMAND_H_

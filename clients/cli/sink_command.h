#ifndef CLIENTS_CLI_SINK_COMMAND_H_
#define CLIENTS_CLI_SINK_COMMAND_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extract_command.h"
#include "clients/cli/extractor_api.h"
#include "clients/sinks/sink.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Makes the sink of a run that reads `tables`, of `all` that the server has. Connects to
// nothing yet. kInvalidArgument and kUnimplemented are the user's to mend.
using SinkMaker = std::function<absl::StatusOr<std::unique_ptr<Sink>>(
    const ExtractOptions& options, const std::vector<v1::TableDescription>& tables,
    const std::vector<v1::TableDescription>& all)>;

// The sink that --sink names.
absl::StatusOr<std::unique_ptr<Sink>> SinkOfUrl(const ExtractOptions& options,
                                                const std::vector<v1::TableDescription>& tables,
                                                const std::vector<v1::TableDescription>& all);

// `intercom-extract extract --sink URL`: as RunExtract(), but the rows go into a sink.
// What an interrupted run with the same flags left unfinished there goes on by itself.
Outcome RunSink(const ExtractOptions& options, ExtractorApi* api, const Console& console,
                const ExtractTiming& timing, const SinkMaker& make = SinkOfUrl);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_SINK_COMMAND_H_

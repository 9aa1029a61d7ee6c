#ifndef CLIENTS_CLI_EXTRACT_COMMAND_H_
#define CLIENTS_CLI_EXTRACT_COMMAND_H_

#include <functional>
#include <optional>

#include "absl/time/time.h"
#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extractor_api.h"
#include "clients/cli/summary_text.h"
#include "clients/cpp/cancellation.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Time and chance, so that tests decide about them. Thread-safe.
struct ExtractTiming {
  std::function<absl::Time()> now;
  // Waits; true when the user wants to stop.
  std::function<bool(absl::Duration)> wait;
  // A number in [0, 1).
  std::function<double()> random;
};

// Those of this process.
ExtractTiming ProcessTiming(Cancellation* interrupt);

// What is asked of the server: with `since` what changed since then, else everything.
v1::ExtractRequest RequestFor(const ExtractOptions& options, std::optional<absl::Time> since);

// Tells how a run ended: with --json one object on standard output, or on standard error
// where the rows are there; else, unless --quiet, the summary of a run that is `whole`. The
// run's outcome, or that standard output could not be written.
Outcome WriteReport(const ExtractOptions& options, const ExtractionReport& report, bool whole,
                    const Console& console);

// `intercom-extract extract`: reads tables from the server into files or standard
// output. Blocks until the end. The outcome's message is not printed yet.
//
// A run into a directory keeps a state file from its first checkpoint on, and with
// --resume continues from it. A connection to a server elsewhere that is lost is
// made again from the last checkpoint.
Outcome RunExtract(const ExtractOptions& options, ExtractorApi* api, const Console& console,
                   const ExtractTiming& timing);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_EXTRACT_COMMAND_H_

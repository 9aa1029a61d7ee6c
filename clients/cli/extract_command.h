#ifndef CLIENTS_CLI_EXTRACT_COMMAND_H_
#define CLIENTS_CLI_EXTRACT_COMMAND_H_

#include <functional>

#include "absl/time/time.h"
#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extractor_api.h"
#include "clients/cpp/cancellation.h"

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

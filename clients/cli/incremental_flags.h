#ifndef CLIENTS_CLI_INCREMENTAL_FLAGS_H_
#define CLIENTS_CLI_INCREMENTAL_FLAGS_H_

#include <optional>
#include <string>

#include "absl/time/time.h"

namespace CLI {
class App;
}  // namespace CLI

namespace intercom_extractor {

// What a run reads: everything, or what changed since.
struct IncrementalOptions {
  // What changed at this time or later; whole seconds.
  std::optional<absl::Time> since;
  // What changed since the last run, less `overlap`: Intercom's search finds a
  // change some minutes late.
  bool last = false;
  absl::Duration overlap = absl::Hours(1);
  // Also what was deleted. Of no effect in a full run.
  bool find_deleted = false;

  bool incremental() const { return last || since.has_value(); }
};

// The flags as they were given.
struct IncrementalFlags {
  std::optional<std::string> updated_since;
  std::optional<std::string> overlap;
  bool find_deleted = false;
};

// Lets `command` take the flags, which must live until the arguments are parsed.
void AddIncrementalFlags(CLI::App* command, IncrementalFlags* flags);

// Reads the flags. What is wrong with them, and what to write instead; empty when
// nothing is.
std::string ReadIncrementalFlags(const IncrementalFlags& flags, absl::Time now,
                                 IncrementalOptions* options);

// "2024-05-01T00:00:00Z": how a time is told to people, and read back by the flag.
std::string FormatSince(absl::Time time);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_INCREMENTAL_FLAGS_H_

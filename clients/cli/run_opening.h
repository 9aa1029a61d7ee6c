#ifndef CLIENTS_CLI_RUN_OPENING_H_
#define CLIENTS_CLI_RUN_OPENING_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/command_line.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/run_state.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// The state file of a run: --state, else the one in its directory.
std::string StatePath(const ExtractOptions& options);

// Refuses an incremental run where the server is too old to know which tables it
// reads how; it would read everything.
std::optional<Outcome> RefuseIncremental(const ExtractOptions& options,
                                         const std::vector<v1::TableDescription>& tables);

// A state for a run that begins at `now`: its flags and directory, and no
// checkpoint. `tables` are those that it reads, with the columns that it writes.
RunState NewRunState(const ExtractOptions& options, const std::vector<v1::TableDescription>& tables,
                     absl::Time now);

// What an earlier run into the same directory means for this one.
struct RunOpening {
  // Where this run begins, unless it ends at once: new, or what the state file
  // says.
  RunState state;
  // Set when there is nothing to extract: the earlier run has ended, or cannot be
  // continued. Its state and files stay as they were; what a run that had ended
  // had not yet moved into place is there now.
  std::optional<Outcome> outcome;
  // What people should know, a line each.
  std::vector<std::string> notes;

  bool continues() const { return state.checkpoint > 0; }
};

// Decides whether a run begins anew or continues, what an incremental one reads,
// and removes what an earlier run left behind where it begins anew: the state first,
// so that none is left that names files that are gone; only its bookmarks stay. Where
// the earlier run had ended, its files are put in place before. `directory` is locked
// by the run. `fresh` is from NewRunState(), `tables` are those that it reads.
RunOpening OpenRun(const ExtractOptions& options, RunState fresh,
                   const std::vector<v1::TableDescription>& tables, OutputDirectory* directory);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_RUN_OPENING_H_

#ifndef CLIENTS_CLI_STATE_FILE_H_
#define CLIENTS_CLI_STATE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/cli/run_state.h"

namespace intercom_extractor {

// Where the state of runs into `output` is unless --state says otherwise.
std::string DefaultStatePath(const std::string& output);

// Errors of the functions below name the file. Those of the disk are as in
// OutputError(), kNotFound for one that is not there; those of its content as in
// ParseRunState().
absl::StatusOr<RunState> ReadStateFile(const std::string& path);

// Replaces the file as a whole: after a crash it is the older or the newer one.
// Durable when it returns, readable by its owner alone.
absl::Status WriteStateFile(const std::string& path, const RunState& state);

// Durable, too. A file that is not there is no error.
absl::Status RemoveStateFile(const std::string& path);

// Whether WriteStateFile() may work: found now, it costs nothing.
absl::Status CheckStateFile(const std::string& path);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_STATE_FILE_H_

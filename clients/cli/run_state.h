#ifndef CLIENTS_CLI_RUN_STATE_H_
#define CLIENTS_CLI_RUN_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cli/bookmarks.h"

namespace intercom_extractor {

// Where the file of one table can be cut so that its rows are those before a
// checkpoint.
struct TableMark {
  std::string table;
  std::string file;         // Its name, without a directory.
  int64_t rows = 0;         // Of the present generation.
  int64_t bytes = 0;        // In the file, compressed ones where it is.
  uint32_t generation = 1;  // Of these rows.
  bool whole = false;       // Once the run has ended: the file goes, or went, in place.
  // In the list of the table's record keys (see KeyLists); not set where the run
  // keeps none.
  std::optional<int64_t> key_bytes;
};

// Flags that a run and its continuation must share, as {"--format", "csv"}.
using RunFlags = std::vector<std::pair<std::string, std::string>>;

// All that a run leaves behind for its continuation: no access token and nothing
// of what the rows say. A plain value.
struct RunState {
  enum class Phase {
    kRunning,   // The stream has not ended: `resume_token` continues it.
    kMoving,    // It has; the whole files are being moved into place.
    kComplete,  // They are in place.
  };

  Phase phase = Phase::kRunning;
  RunFlags flags;
  std::string output;        // The directory of the files, absolute.
  std::string resume_token;  // As it came from the server; empty when none came.
  int64_t checkpoint = 0;    // The token's number; 0 without one.
  bool saw_warning = false;  // Whether any notice until then was a warning or an error.
  int exit_code = 0;         // How the run ended, once it has.
  // What an incremental run reads, in whole seconds; not set for a full one.
  std::optional<absl::Time> updated_since;
  // How far the runs before this one have read each table, or this one, too, once
  // it is complete.
  Bookmarks bookmarks;
  // While the files are being moved: `bookmarks` once they are in place.
  Bookmarks next_bookmarks;
  // Names in `.partial` of files beside the tables' that are moved, too.
  std::vector<std::string> also_moved;
  absl::Time started;
  absl::Time updated;
  std::vector<TableMark> tables;

  int64_t rows() const;
};

// The state as one JSON object with a checksum, for a file.
std::string FormatRunState(const RunState& state);

// The run ended and its files are in place.
void SetComplete(RunState* state);

// Reads what FormatRunState() wrote, in this version of the program or the one
// before, which knew no incremental runs. kDataLoss: it is something else, or damaged.
// kUnimplemented: a newer version of this program wrote it.
absl::StatusOr<RunState> ParseRunState(absl::string_view text);

// The first flag that differs, in words: "--format was csv and is jsonl now".
// Empty when none does.
std::string DifferingFlag(const RunFlags& before, const RunFlags& now);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_RUN_STATE_H_

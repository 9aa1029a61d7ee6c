#ifndef CLIENTS_CLI_BOOKMARKS_H_
#define CLIENTS_CLI_BOOKMARKS_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// How far earlier runs have read one table.
struct Bookmark {
  // Whatever changed before was in the rows of a run that read the table to its
  // end. Not set: none has.
  std::optional<absl::Time> read_until;
  // The table's `.delta` file holds what changed from then on. Not set: no
  // incremental run has put one in place since the last full run.
  std::optional<absl::Time> delta_since;

  friend bool operator==(const Bookmark& a, const Bookmark& b) {
    return a.read_until == b.read_until && a.delta_since == b.delta_since;
  }
};

// By the tables' names.
using Bookmarks = std::map<std::string, Bookmark>;

// Whether a table's `.delta` file of an earlier run is still where it was put: then
// nobody may have loaded it yet.
using DeltaStands = std::function<bool(const std::string& table)>;

// Those that stand in a directory.
DeltaStands StandingDeltas(const std::string& directory);

// What `--updated-since last` means.
struct LastRun {
  absl::Time since;  // Whole seconds.
  // Tables whose `.delta` file stands and made this earlier.
  std::vector<std::string> not_loaded;
};

// The earliest bookmark of the tables, less `overlap`, and not later than what
// their standing `.delta` files begin with, so that the new ones may replace them.
// Tables that are read whole each time need no bookmark and have no say, unless
// there are no others. kFailedPrecondition: a table has no bookmark; the message
// names all that have none and what to do.
absl::StatusOr<LastRun> FindLastRun(const std::vector<v1::Table>& tables,
                                    const Bookmarks& bookmarks, absl::Duration overlap,
                                    const DeltaStands& delta_stands);

// How a table ended in a run.
struct TableEnd {
  v1::Table table;
  bool complete = false;  // All its rows are there.
  bool in_place = false;  // Its file goes in place.
};

// The bookmarks after a run that began at `started_at` and read what changed since
// `since`, or everything. Adds to `notes`, for people, where a bookmark stays that
// could be expected to move. Nothing is ever skipped: not by a table that ended
// incomplete, not by a run that began later than the bookmark, not by the rows of a
// `.delta` file that is replaced before anybody may have loaded it.
Bookmarks AdvanceBookmarks(Bookmarks bookmarks, const std::vector<TableEnd>& ends,
                           std::optional<absl::Time> since, std::optional<absl::Time> started_at,
                           const DeltaStands& delta_stands, std::vector<std::string>* notes);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_BOOKMARKS_H_

#include "clients/cli/bookmarks.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/incremental_flags.h"
#include "clients/cli/output_directory.h"

namespace intercom_extractor {
namespace {

bool ReadWhole(const v1::Table& table) { return table.incremental() == v1::INCREMENTAL_WHOLE; }

Bookmark Find(const Bookmarks& bookmarks, const std::string& table) {
  const auto found = bookmarks.find(table);
  return found == bookmarks.end() ? Bookmark() : found->second;
}

// Whole seconds, as the request has; never before 1970.
absl::Time ToSince(absl::Time time) {
  return std::max(absl::FromUnixSeconds(absl::ToUnixSeconds(time)), absl::UnixEpoch());
}

// The `.delta` file that this run replaces held changes that it does not have, and
// nobody may have loaded it: as if they had not been read.
void TakeBack(Bookmark* bookmark, absl::Time since) {
  if (!bookmark->read_until.has_value() || !bookmark->delta_since.has_value()) return;
  if (since <= *bookmark->delta_since) return;
  bookmark->read_until = std::min(*bookmark->read_until, *bookmark->delta_since);
}

}  // namespace

DeltaStands StandingDeltas(const std::string& directory) {
  return [directory](const std::string& table) {
    return HasFinishedFile(directory, absl::StrCat(table, kDeltaSuffix));
  };
}

absl::StatusOr<LastRun> FindLastRun(const std::vector<v1::Table>& tables,
                                    const Bookmarks& bookmarks, absl::Duration overlap,
                                    const DeltaStands& delta_stands) {
  const bool all_whole = std::all_of(tables.begin(), tables.end(), ReadWhole);
  std::vector<std::string> without;
  std::vector<std::pair<std::string, absl::Time>> standing;
  absl::Time since = absl::InfiniteFuture();
  for (const v1::Table& table : tables) {
    if (ReadWhole(table) && !all_whole) continue;
    const Bookmark bookmark = Find(bookmarks, table.name());
    if (!bookmark.read_until.has_value()) {
      without.push_back(table.name());
      continue;
    }
    since = std::min(since, ToSince(*bookmark.read_until - overlap));
    // What is read whole is in the new file as it was in the old one.
    if (!ReadWhole(table) && bookmark.delta_since.has_value() && delta_stands(table.name())) {
      standing.emplace_back(table.name(), *bookmark.delta_since);
    }
  }
  if (!without.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--updated-since last: no run has read ", absl::StrJoin(without, ", "),
        " to the end yet; make a full run of ", without.size() == 1 ? "this table" : "these tables",
        " first (without --updated-since), or give a time"));
  }
  LastRun last;
  last.since = since;
  for (const auto& [table, delta_since] : standing) {
    if (delta_since >= since) continue;
    last.since = std::min(last.since, delta_since);
    last.not_loaded.push_back(table);
  }
  return last;
}

Bookmarks AdvanceBookmarks(Bookmarks bookmarks, const std::vector<TableEnd>& ends,
                           std::optional<absl::Time> since, std::optional<absl::Time> started_at,
                           const DeltaStands& delta_stands, std::vector<std::string>* notes) {
  std::vector<std::string> incomplete;
  std::vector<std::string> gap;
  for (const TableEnd& end : ends) {
    const std::string& name = end.table.name();
    Bookmark bookmark = Find(bookmarks, name);
    const bool whole = !since.has_value() || ReadWhole(end.table);
    if (since.has_value() && end.in_place) {
      if (!whole && delta_stands(name)) TakeBack(&bookmark, *since);
      bookmark.delta_since = since;
    }
    if (!end.complete) {
      if (since.has_value()) incomplete.push_back(name);
    } else if (!whole && bookmark.read_until.has_value() && *since > *bookmark.read_until) {
      gap.push_back(name);
    } else if (started_at.has_value()) {
      bookmark.read_until = started_at;
    }
    // All that older `.delta` files say is in the rows of this run.
    if (!since.has_value() && end.complete) bookmark.delta_since.reset();
    if (bookmark == Bookmark()) continue;
    bookmarks[name] = bookmark;
  }
  if (!incomplete.empty()) {
    notes->push_back(absl::StrCat(
        "not read to the end: ", absl::StrJoin(incomplete, ", "),
        "; --updated-since last begins next time where it would have begun without this run"));
  }
  if (!gap.empty()) {
    notes->push_back(absl::StrCat("this run began at ", FormatSince(*since),
                                  ", later than earlier ones had read ", absl::StrJoin(gap, ", "),
                                  "; --updated-since last still begins where those ended"));
  }
  if (since.has_value() && !started_at.has_value()) {
    notes->emplace_back(
        "the server does not say when the run began: --updated-since last begins next time where "
        "it would have begun without this run");
  }
  return bookmarks;
}

}  // namespace intercom_extractor

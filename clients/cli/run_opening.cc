#include "clients/cli/run_opening.h"

#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "clients/cli/bookmarks.h"
#include "clients/cli/incremental_flags.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/row_columns.h"
#include "clients/cli/row_writer.h"
#include "clients/cli/state_file.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

constexpr char kAnew[] = "run without --resume to begin anew";

std::string Absolute(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::weakly_canonical(path, error);
  return error ? path : absolute.string();
}

// What the columns are, in a short form: a server or program of another version
// may have more of them, which the headers of the files so far lack.
std::string Schema(const ExtractOptions& options, const std::vector<v1::TableDescription>& tables) {
  std::string text;
  for (const v1::TableDescription& table : tables) {
    const auto columns = RowColumns::Resolve(table, options.columns);
    if (!columns.ok()) continue;  // Refused by whoever opens the outputs.
    for (const RowColumns::Column& column : columns->columns()) {
      absl::StrAppend(&text, column.name, ",");
    }
    absl::StrAppend(&text, ";");
  }
  return absl::StrCat(absl::Hex(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()))));
}

std::string Progress(const RunState& state) {
  return absl::StrCat("checkpoint ", state.checkpoint, ", ", GroupDigits(state.rows()), " rows");
}

RunOpening Ended(RunOpening opening, ExitCode code, std::string message) {
  opening.outcome = Outcome{code, std::move(message)};
  return opening;
}

// Removes what is there, but for the bookmarks.
RunOpening Anew(const std::string& path, RunOpening opening, OutputDirectory* directory) {
  absl::Status status = CheckStateFile(path);
  if (status.ok()) {
    status = opening.state.bookmarks.empty() ? RemoveStateFile(path)
                                             : WriteStateFile(path, opening.state);
  }
  if (status.ok()) status = directory->RemovePartialFiles();
  if (status.ok()) return opening;
  return Ended(std::move(opening), ExitCode::kOutput, std::string(status.message()));
}

// What differs between a run and what is to continue it; empty when nothing does.
std::string Difference(const ExtractOptions& options, const RunState& before, const RunState& now) {
  std::string difference = DifferingFlag(before.flags, now.flags);
  // A directory may move with the state in it; a state elsewhere names its own.
  if (difference.empty() && !options.state.empty() && before.output != now.output) {
    difference = absl::StrCat("--output was ", before.output, " and is ", now.output, " now");
  }
  return difference;
}

// The earlier run read everything and was killed while its files were moved.
absl::Status FinishMoving(const std::string& path, RunState* state, OutputDirectory* directory) {
  std::vector<std::string> names;
  for (const TableMark& table : state->tables) {
    if (table.whole) names.push_back(table.file);
  }
  names.insert(names.end(), state->also_moved.begin(), state->also_moved.end());
  absl::Status status = directory->Commit(names, /*some_moved=*/true);
  if (status.ok()) status = directory->RemoveWorkFiles();
  if (!status.ok()) return status;
  SetComplete(state);
  return WriteStateFile(path, *state);
}

// Says in the state from when on an incremental run reads. What is wrong, where it
// cannot be said.
std::string SetSince(const ExtractOptions& options, const std::vector<v1::TableDescription>& tables,
                     const std::string& directory, RunOpening* opening) {
  if (!options.incremental.last) {
    opening->state.updated_since = options.incremental.since;
    return "";
  }
  std::vector<v1::Table> annotations;
  annotations.reserve(tables.size());
  for (const v1::TableDescription& table : tables) annotations.push_back(table.table());
  const auto last = FindLastRun(annotations, opening->state.bookmarks, options.incremental.overlap,
                                StandingDeltas(directory));
  if (!last.ok()) return std::string(last.status().message());
  opening->state.updated_since = last->since;
  if (last->not_loaded.empty()) return "";
  opening->notes.push_back(absl::StrCat(
      "the .delta files of the last run are still in ", options.output, " (",
      absl::StrJoin(last->not_loaded, ", "),
      ") and may not have been loaded: this run begins where that one did, so that its files "
      "replace them; move or delete them once they are loaded"));
  return "";
}

RunOpening Resume(const ExtractOptions& options, RunOpening opening, RunState before,
                  OutputDirectory* directory) {
  const std::string path = StatePath(options);
  const std::string difference = Difference(options, before, opening.state);
  if (!difference.empty()) {
    return Ended(std::move(opening), ExitCode::kUsage,
                 absl::StrCat("--resume needs the flags of the run that it continues: ", difference,
                              "; give the same flags, or ", kAnew));
  }
  std::string after_moving;
  if (before.phase == RunState::Phase::kMoving) {
    if (absl::Status status = FinishMoving(path, &before, directory); !status.ok()) {
      return Ended(std::move(opening), ExitCode::kOutput, std::string(status.message()));
    }
    after_moving = "; its files are in place now";
  }
  if (before.phase == RunState::Phase::kComplete) {
    // It may have been killed before it had removed what nobody needs any more.
    if (absl::Status status = directory->RemoveWorkFiles(); !status.ok()) {
      return Ended(std::move(opening), ExitCode::kOutput, std::string(status.message()));
    }
    const bool whole = before.exit_code == static_cast<int>(ExitCode::kComplete);
    const std::string how =
        whole ? "is complete" : absl::StrCat("ended with code ", before.exit_code);
    opening.state = before;
    return Ended(
        std::move(opening), static_cast<ExitCode>(before.exit_code),
        absl::StrCat("nothing to continue: the run of ",
                     absl::FormatTime("%Y-%m-%d %H:%M UTC", before.updated, absl::UTCTimeZone()),
                     " ", how, after_moving, "; ", kAnew));
  }
  opening.notes.push_back(absl::StrCat("continues at ", Progress(before)));
  opening.state = std::move(before);
  return opening;
}

}  // namespace

std::string StatePath(const ExtractOptions& options) {
  return options.state.empty() ? DefaultStatePath(options.output) : options.state;
}

std::optional<Outcome> RefuseIncremental(const ExtractOptions& options,
                                         const std::vector<v1::TableDescription>& tables) {
  if (!options.incremental.incremental()) return std::nullopt;
  for (const v1::TableDescription& table : tables) {
    if (table.table().incremental() != v1::INCREMENTAL_UNSPECIFIED) continue;
    return Outcome{
        ExitCode::kUsage,
        absl::StrCat("the server is older than this program and knows no incremental "
                     "runs (of ",
                     table.table().name(), "); update it, or run without --updated-since")};
  }
  return std::nullopt;
}

RunState NewRunState(const ExtractOptions& options, const std::vector<v1::TableDescription>& tables,
                     absl::Time now) {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const v1::TableDescription& table : tables) names.push_back(table.table().name());
  RunState state;
  state.started = now;
  state.updated = now;
  state.output = Absolute(options.output);
  state.flags = {
      {"--tables", absl::StrJoin(names, ",")},
      {"--format", FileExtension(options.format)},
      {"--gzip", options.gzip ? "given" : "not given"},
      {"--columns", !options.column_names.empty() ? absl::StrJoin(options.column_names, ",")
                    : options.columns == ColumnSelection::kAll ? "all"
                                                               : "documented"},
      {"--body-format", options.body_format == v1::BODY_FORMAT_HTML ? "html" : "plaintext"},
      {"--updated-since", options.incremental.last ? "last"
                          : options.incremental.since.has_value()
                              ? FormatSince(*options.incremental.since)
                              : "not given"},
      {"--overlap",
       options.incremental.last ? absl::FormatDuration(options.incremental.overlap) : "not given"},
      {"--find-deleted", options.incremental.find_deleted ? "given" : "not given"},
      {"--connection", options.connection.connection},
      {"--server", options.connection.embedded() ? "not given" : "given"},
      {"the version of the tables' columns", Schema(options, tables)},
  };
  return state;
}

RunOpening OpenRun(const ExtractOptions& options, RunState fresh,
                   const std::vector<v1::TableDescription>& tables, OutputDirectory* directory) {
  const std::string path = StatePath(options);
  RunOpening opening;
  opening.state = std::move(fresh);
  auto before = ReadStateFile(path);
  const auto begin_anew = [&] {
    std::string mistake = SetSince(options, tables, directory->path(), &opening);
    if (!mistake.empty()) return Ended(std::move(opening), ExitCode::kUsage, std::move(mistake));
    return Anew(path, std::move(opening), directory);
  };
  if (before.ok()) {
    const bool carries_bookmarks_only =
        before->phase == RunState::Phase::kRunning && before->checkpoint == 0;
    if (options.resume && !carries_bookmarks_only)
      return Resume(options, std::move(opening), *std::move(before), directory);
    if (carries_bookmarks_only) {
      if (options.resume) {
        opening.notes.push_back(
            absl::StrCat("there is no checkpoint in ", path, " to continue from: begins anew"));
      }
    } else if (before->phase == RunState::Phase::kRunning) {
      opening.notes.push_back(
          absl::StrCat("begins anew; --resume would have continued the "
                       "unfinished run at ",
                       Progress(*before)));
    } else if (before->phase == RunState::Phase::kMoving &&
               before->output == opening.state.output) {
      // Its rows count as read from now on, or else never: half of its files may be
      // in place already.
      if (absl::Status status = FinishMoving(path, &*before, directory); !status.ok()) {
        return Ended(std::move(opening), ExitCode::kOutput, std::string(status.message()));
      }
      opening.notes.emplace_back("put the files of the finished run before in place");
    }
    opening.state.bookmarks = before->bookmarks;
    return begin_anew();
  }
  const std::string message(before.status().message());
  if (absl::IsNotFound(before.status())) {
    if (options.resume) {
      opening.notes.push_back(
          absl::StrCat("there is no state in ", path, " to continue from: begins anew"));
    }
    return begin_anew();
  }
  const bool unusable = absl::IsDataLoss(before.status()) || absl::IsUnimplemented(before.status());
  if (!unusable) return Ended(std::move(opening), ExitCode::kOutput, message);
  if (options.resume) {
    return Ended(
        std::move(opening), ExitCode::kUsage,
        absl::StrCat(message, "; nothing can be continued from it: ",
                     options.state.empty() ? kAnew : "delete it, or name another with --state"));
  }
  // The name of some other file, given by mistake, must not cost that file.
  if (!options.state.empty()) {
    return Ended(std::move(opening), ExitCode::kUsage,
                 absl::StrCat(message, "; delete it, or name another with --state"));
  }
  opening.notes.push_back(absl::StrCat(message, ", and is replaced"));
  return begin_anew();
}

}  // namespace intercom_extractor

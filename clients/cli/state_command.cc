#include "clients/cli/state_command.h"

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "clients/cli/bookmarks.h"
#include "clients/cli/incremental_flags.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/run_state.h"
#include "clients/cli/state_file.h"
#include "clients/cli/text_table.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

std::string PathOf(const StateOptions& options) {
  return options.state.empty() ? DefaultStatePath(options.output) : options.state;
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

// For people, then for programs.
struct PhaseName {
  std::string text;
  const char* json;
};

PhaseName NameOf(const RunState& state) {
  switch (state.phase) {
    case RunState::Phase::kRunning:
      if (state.checkpoint == 0) return {"unfinished, without a checkpoint", "unfinished"};
      return {"unfinished; extract --resume continues it", "unfinished"};
    case RunState::Phase::kMoving:
      return {"read to its end; extract --resume moves its files into place", "moving"};
    case RunState::Phase::kComplete:
      break;
  }
  if (state.exit_code == 0) return {"complete", "complete"};
  return {absl::StrCat("ended with code ", state.exit_code, "; nothing to continue"), "ended"};
}

// The tables that the run reads, as this program knows them.
std::vector<v1::Table> TablesOf(const RunState& state) {
  std::vector<v1::Table> tables;
  for (const auto& [flag, value] : state.flags) {
    if (flag != "--tables") continue;
    for (const absl::string_view name : absl::StrSplit(value, ',', absl::SkipEmpty())) {
      const auto* field = v1::RowBatch::descriptor()->FindFieldByName(std::string(name));
      v1::Table& table = tables.emplace_back();
      if (field != nullptr && field->message_type() != nullptr) {
        table = field->message_type()->options().GetExtension(v1::table);
      }
      table.set_name(std::string(name));
    }
  }
  return tables;
}

// What --updated-since last would mean for the same tables.
absl::StatusOr<LastRun> LastOf(const RunState& state, const std::string& output) {
  return FindLastRun(TablesOf(state), state.bookmarks, IncrementalOptions().overlap,
                     StandingDeltas(output));
}

// How far runs have read; empty where that is not known of any table.
std::string FormatBookmarks(const RunState& state, const std::string& output) {
  if (state.bookmarks.empty()) return "";
  std::vector<std::vector<std::string>> rows = {{"table", "read up to", "delta file begins"}};
  for (const auto& [table, bookmark] : state.bookmarks) {
    rows.push_back({ForTerminal(table),
                    bookmark.read_until.has_value() ? FormatSince(*bookmark.read_until) : "never",
                    bookmark.delta_since.has_value() ? FormatSince(*bookmark.delta_since) : ""});
  }
  const auto last = LastOf(state, output);
  return absl::StrCat(
      "\n", FormatTextTable({Alignment::kLeft, Alignment::kLeft, Alignment::kLeft}, rows), "\n",
      last.ok() ? absl::StrCat("--updated-since last reads what changed since ",
                               FormatSince(last->since), " (overlap 1h",
                               last->not_loaded.empty()
                                   ? ""
                                   : absl::StrCat("; .delta files not loaded yet: ",
                                                  absl::StrJoin(last->not_loaded, ", ")),
                               ")")
                : ForTerminal(last.status().message()),
      "\n");
}

std::string FormatText(const std::string& path, const RunState& state, const std::string& output,
                       absl::Time now) {
  std::vector<std::vector<std::string>> rows = {
      {"state file", path},
      {"output", ForTerminal(state.output)},
      {"run", NameOf(state).text},
      {"begun", TimeText(state.started)},
      {"saved",
       absl::StrCat(TimeText(state.updated), ", ", FormatElapsed(now - state.updated), " ago")},
      {"checkpoint", state.checkpoint == 0 ? "none" : GroupDigits(state.checkpoint)},
  };
  for (const auto& [flag, value] : state.flags) {
    if (flag[0] == '-') rows.push_back({flag, ForTerminal(value)});
  }
  std::vector<std::vector<std::string>> tables = {{"table", "rows", "bytes", "generation"}};
  int64_t bytes = 0;
  for (const TableMark& table : state.tables) {
    bytes += table.bytes;
    tables.push_back({ForTerminal(table.table), GroupDigits(table.rows), FormatBytes(table.bytes),
                      absl::StrCat(table.generation)});
  }
  tables.push_back({"total", GroupDigits(state.rows()), FormatBytes(bytes)});
  return absl::StrCat(
      FormatTextTable({Alignment::kLeft, Alignment::kLeft}, rows), "\n",
      FormatTextTable({Alignment::kLeft, Alignment::kRight, Alignment::kRight, Alignment::kRight},
                      tables),
      FormatBookmarks(state, output));
}

void AppendTime(std::optional<absl::Time> time, JsonText* json) {
  if (time.has_value()) {
    json->String(FormatSince(*time));
  } else {
    json->Null();
  }
}

void AppendBookmarks(const RunState& state, const std::string& output, JsonText* json) {
  json->Key("updated_since");
  AppendTime(state.updated_since, json);
  json->Key("bookmarks").BeginArray();
  for (const auto& [table, bookmark] : state.bookmarks) {
    json->BeginObject();
    json->Key("table").String(table);
    json->Key("read_until");
    AppendTime(bookmark.read_until, json);
    json->Key("delta_since");
    AppendTime(bookmark.delta_since, json);
    json->EndObject();
  }
  json->EndArray();
  const auto last = LastOf(state, output);
  json->Key("last_since");
  AppendTime(last.ok() ? std::optional<absl::Time>(last->since) : std::nullopt, json);
}

std::string FormatJson(const std::string& path, const RunState& state, const std::string& output,
                       absl::Time now) {
  JsonText json;
  json.BeginObject();
  json.Key("state").String(path);
  json.Key("output").String(state.output);
  json.Key("status").String(NameOf(state).json);
  json.Key("exit_code");
  if (state.phase == RunState::Phase::kRunning) {
    json.Null();
  } else {
    json.Int(state.exit_code);
  }
  json.Key("started").String(TimeText(state.started));
  json.Key("updated").String(TimeText(state.updated));
  json.Key("age_seconds").Int(absl::ToInt64Seconds(now - state.updated));
  json.Key("checkpoint").Int(state.checkpoint);
  json.Key("rows").Int(state.rows());
  json.Key("flags").BeginObject();
  for (const auto& [flag, value] : state.flags) {
    if (flag[0] == '-') json.Key(flag).String(value);
  }
  json.EndObject();
  json.Key("tables").BeginArray();
  for (const TableMark& table : state.tables) {
    json.BeginObject();
    json.Key("table").String(table.table);
    json.Key("rows").Int(table.rows);
    json.Key("bytes").Int(table.bytes);
    json.Key("generation").Int(table.generation);
    json.EndObject();
  }
  json.EndArray();
  AppendBookmarks(state, output, &json);
  json.EndObject();
  return absl::StrCat(json.text(), "\n");
}

Outcome Failed(const absl::Status& status) {
  const bool usage = absl::IsDataLoss(status) || absl::IsUnimplemented(status);
  return {usage ? ExitCode::kUsage : ExitCode::kOutput, std::string(status.message())};
}

Outcome NoState(const std::string& path) {
  return {ExitCode::kUsage, absl::StrCat("there is no state in ", path,
                                         ": a run writes it at its first checkpoint; check "
                                         "--output and --state")};
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Forgets the bookmarks of single tables.
Outcome ResetTables(const StateOptions& options, const Console& console) {
  const std::string path = PathOf(options);
  auto state = ReadStateFile(path);
  if (absl::IsNotFound(state.status())) return NoState(path);
  if (!state.ok()) return Failed(state.status());
  const std::string output = options.output.empty() ? state->output : options.output;
  std::unique_ptr<OutputDirectory> directory;
  if (IsDirectory(output)) {
    auto opened = OutputDirectory::Open(output);
    if (!opened.ok()) return Failed(opened.status());
    directory = *std::move(opened);
    // What ended before the lock was ours.
    state = ReadStateFile(path);
    if (!state.ok()) return Failed(state.status());
  }
  if (state->phase != RunState::Phase::kComplete && state->checkpoint > 0) {
    return {ExitCode::kUsage,
            "the last run is unfinished and would set what is reset: end it with extract --resume, "
            "or reset all of it without --tables"};
  }
  for (const std::string& table : options.tables) {
    if (state->bookmarks.erase(table) > 0) continue;
    std::vector<std::string> known;
    for (const auto& [name, bookmark] : state->bookmarks) known.push_back(name);
    return {ExitCode::kUsage,
            absl::StrCat("nothing is known of how far ", table, " was read; it is of ",
                         known.empty() ? "no table" : absl::StrJoin(known, ", "))};
  }
  if (absl::Status status = WriteStateFile(path, *state); !status.ok()) return Failed(status);
  console.err(absl::StrCat("forgot how far ", absl::StrJoin(options.tables, ", "),
                           " was read; extract --updated-since last needs a full run first\n"));
  return {};
}

Outcome Reset(const StateOptions& options, const Console& console) {
  const std::string path = PathOf(options);
  std::string output = options.output;
  if (output.empty()) {
    const auto state = ReadStateFile(path);
    if (absl::IsNotFound(state.status())) return NoState(path);
    // A damaged one is what people reset; its directory is not known then.
    if (state.ok()) output = state->output;
  }
  std::unique_ptr<OutputDirectory> directory;
  if (!output.empty() && IsDirectory(output)) {
    auto opened = OutputDirectory::Open(output);
    if (!opened.ok()) return Failed(opened.status());
    directory = *std::move(opened);
  }
  // In this order no state is left that names files that are gone.
  absl::Status status = RemoveStateFile(path);
  if (status.ok() && directory != nullptr) status = directory->RemovePartialFiles();
  if (!status.ok()) return Failed(status);
  console.err(directory != nullptr
                  ? absl::StrCat("removed ", path, " and the unfinished files in ", output, "\n")
                  : absl::StrCat("removed ", path,
                                 "; unfinished files, if any, are still in the "
                                 "run's directory\n"));
  return {};
}

}  // namespace

Outcome RunStateCommand(const StateOptions& options, const Console& console, absl::Time now) {
  if (options.action == StateOptions::Action::kReset) {
    return options.tables.empty() ? Reset(options, console) : ResetTables(options, console);
  }
  const std::string path = PathOf(options);
  const auto state = ReadStateFile(path);
  if (absl::IsNotFound(state.status())) return NoState(path);
  if (!state.ok()) return Failed(state.status());
  std::string text;
  if (options.action == StateOptions::Action::kExport) {
    if (state->resume_token.empty()) {
      return {ExitCode::kUsage, absl::StrCat("the run of ", path, " has no checkpoint")};
    }
    text = absl::StrCat(absl::Base64Escape(state->resume_token), "\n");
  } else {
    // A directory may have moved with the state in it.
    const std::string& output = options.output.empty() ? state->output : options.output;
    text = options.json ? FormatJson(path, *state, output, now)
                        : FormatText(path, *state, output, now);
  }
  if (!console.out(text)) return {ExitCode::kOutput, "cannot write to standard output"};
  return {};
}

}  // namespace intercom_extractor

#include "clients/cli/state_command.h"

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/json_text.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/run_state.h"
#include "clients/cli/state_file.h"
#include "clients/cli/text_table.h"

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
      return {"unfinished; extract --resume continues it", "unfinished"};
    case RunState::Phase::kMoving:
      return {"read to its end; extract --resume moves its files into place", "moving"};
    case RunState::Phase::kComplete:
      break;
  }
  if (state.exit_code == 0) return {"complete", "complete"};
  return {absl::StrCat("ended with code ", state.exit_code, "; nothing to continue"), "ended"};
}

std::string FormatText(const std::string& path, const RunState& state, absl::Time now) {
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
                      tables));
}

std::string FormatJson(const std::string& path, const RunState& state, absl::Time now) {
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
  if (options.action == StateOptions::Action::kReset) return Reset(options, console);
  const std::string path = PathOf(options);
  const auto state = ReadStateFile(path);
  if (absl::IsNotFound(state.status())) return NoState(path);
  if (!state.ok()) return Failed(state.status());
  std::string text;
  if (options.action == StateOptions::Action::kExport) {
    if (state->resume_token.empty()) {
      return {ExitCode::kUsage, absl::StrCat("the run of ", path, " ended without a checkpoint")};
    }
    text = absl::StrCat(absl::Base64Escape(state->resume_token), "\n");
  } else {
    text = options.json ? FormatJson(path, *state, now) : FormatText(path, *state, now);
  }
  if (!console.out(text)) return {ExitCode::kOutput, "cannot write to standard output"};
  return {};
}

}  // namespace intercom_extractor

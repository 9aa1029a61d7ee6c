#include "clients/cli/fleet_flags.h"

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/flag_help.h"
#include "clients/cli/help_texts.h"
#include "clients/cli/table_flags.h"
#include "clients/sinks/kafka/kafka_url.h"

namespace intercom_extractor {
namespace {

// A broker refuses shorter ones, and longer ones leave dead workers' workspaces alone for
// too long.
constexpr absl::Duration kShortestSession = absl::Seconds(6);
constexpr absl::Duration kLongestSession = absl::Minutes(5);

CLI::App* AddAction(CLI::App* fleet, FleetOptions* options, FleetOptions::Action action,
                    const char* name, const char* description, const char* footer) {
  CLI::App* command = fleet->add_subcommand(name, description);
  command->footer(footer);
  command
      ->add_option("--sink", options->sink,
                   "The fleet's Kafka, kafka://HOST:PORT,HOST:PORT/?prefix=NAME (password from "
                   "INTERCOM_SINK_PASSWORD)")
      ->type_name("URL")
      ->required();
  command->callback([options, action] { options->action = action; });
  return command;
}

void AddWorkspaceFlags(CLI::App* command, FleetOptions* options, FleetFlags* flags) {
  command
      ->add_option("--workspaces", flags->workspaces,
                   "Names of the workspaces, which are connections of the workers' configuration, "
                   "separated by commas")
      ->type_name("a,b,c")
      ->join(',');
  command
      ->add_option("--workspaces-file", options->workspaces_file,
                   "File with a name in each line, - for stdin")
      ->type_name("FILE");
  command->add_option("--job", options->job, "Name of the job, within each workspace")
      ->type_name("NAME")
      ->capture_default_str();
}

void AddSubmit(CLI::App* fleet, FleetOptions* options, FleetFlags* flags) {
  CLI::App* command = AddAction(
      fleet, options, FleetOptions::Action::kSubmit, "submit",
      "Ask for extractions, once or on a schedule; again: runs them again", kSubmitFooter);
  AddWorkspaceFlags(command, options, flags);
  AddTemplateFlag(command, &options->table_template);
  AddTablesFlag(command, &flags->tables);
  AddBodyFormatFlag(command, &options->body_format);
  command
      ->add_option("--every", flags->every,
                   "Run it again and again, from the beginning of a run to that of the next")
      ->type_name("DURATION");
  command->add_flag("--incremental", options->incremental,
                    "Once all has been read, read only what changed since");
  command
      ->add_option_function<std::string>(
          "--overlap", [flags](const std::string& text) { flags->overlap = text; },
          "With --incremental: begin that much earlier, as Intercom finds a change some "
          "minutes late [1h]")
      ->type_name("DURATION");
  command
      ->add_option("--partitions", options->partitions,
                   "Of a fleet that is made by this: more than it will ever have workers")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  WrapHelp(command);
}

void AddWork(CLI::App* fleet, FleetOptions* options, FleetFlags* flags) {
  CLI::App* command = AddAction(fleet, options, FleetOptions::Action::kWork, "work",
                                "Be a worker of the fleet, until SIGTERM", kWorkFooter);
  command
      ->add_option("--config", options->connection.config,
                   "Server configuration (YAML) whose connections are the workspaces; the same for "
                   "all workers")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--worker", options->worker,
                   "Name of this worker: one that comes again within a session gets its workspaces "
                   "back; two of one name exclude each other. Without it one that ends leaves them "
                   "to others at once")
      ->type_name("NAME");
  command
      ->add_option("--alive-file", options->alive_file,
                   "Renewed every 5 s while this worker works, gone when it ends: for probes")
      ->type_name("FILE");
  command->add_option("--jobs", options->jobs, "So many run at a time")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--session-timeout", flags->session_timeout,
                   "After which a worker that says nothing is taken for dead")
      ->type_name("DURATION")
      ->capture_default_str();
  command
      ->add_option("--quota-reserve", options->connection.quota_reserve,
                   "Share of the request quotas left to the workspaces' other apps, at least 0 and "
                   "below 1 [0.1]")
      ->type_name("SHARE");
  WrapHelp(command);
}

bool ReadDuration(const std::string& text, absl::Duration least, absl::Duration most,
                  absl::Duration* out) {
  return absl::ParseDuration(text, out) && *out >= least && *out <= most;
}

std::string WorkspacesMistake(const FleetOptions& options) {
  if (options.workspaces.empty() == options.workspaces_file.empty()) {
    return "say which workspaces: --workspaces a,b,c or --workspaces-file FILE";
  }
  for (const std::string& name : options.workspaces) {
    const std::string mistake = WorkspaceNameMistake(name);
    if (!mistake.empty()) return absl::StrCat("--workspaces: ", mistake);
  }
  const std::string mistake = WorkspaceNameMistake(options.job);
  return mistake.empty() ? "" : "--job: letters, digits, '.', '_' and '-' only";
}

std::string SubmitMistake(const FleetFlags& flags, FleetOptions* options) {
  std::string mistake = WorkspacesMistake(*options);
  if (mistake.empty()) mistake = TablesMistake(options->table_template, options->tables);
  if (!mistake.empty()) return mistake;
  if (!flags.every.empty() &&
      !ReadDuration(flags.every, absl::Minutes(1), absl::Hours(24 * 366), &options->every)) {
    return "--every is a duration from 1m to 366 days, such as 6h";
  }
  if (!flags.overlap.has_value()) return "";
  if (!options->incremental) return "--overlap is for --incremental";
  const bool fits =
      ReadDuration(*flags.overlap, absl::ZeroDuration(), absl::Hours(24 * 366), &options->overlap);
  return fits ? "" : "--overlap is a duration such as 1h or 90m";
}

}  // namespace

CLI::App* AddFleetCommand(CLI::App* app, FleetOptions* options, FleetFlags* flags) {
  CLI::App* fleet =
      app->add_subcommand("fleet", "Many workspaces into Kafka, by workers on many machines");
  fleet->footer(kFleetFooter);
  fleet->require_subcommand(1);
  AddSubmit(fleet, options, flags);
  CLI::App* remove = AddAction(fleet, options, FleetOptions::Action::kRemove, "remove",
                               "Forget jobs; ends those that run", kRemoveFooter);
  AddWorkspaceFlags(remove, options, flags);
  WrapHelp(remove);
  CLI::App* status = AddAction(fleet, options, FleetOptions::Action::kStatus, "status",
                               "Say how all jobs stand", kStatusFooter);
  status->add_flag("--json", options->json, "Write one JSON object to stdout");
  WrapHelp(status);
  AddWork(fleet, options, flags);
  return fleet;
}

std::string ReadFleetFlags(const FleetFlags& flags, FleetOptions* options) {
  if (const auto target = ParseKafkaUrl(options->sink); !target.ok()) {
    return std::string(target.status().message());
  } else if (!target->transactional) {
    return "--sink: a fleet needs transactions; drop transactional=false";
  }
  options->tables = SplitTables(flags.tables);
  options->workspaces = absl::StrSplit(flags.workspaces, ',', absl::SkipEmpty());
  switch (options->action) {
    case FleetOptions::Action::kSubmit:
      return SubmitMistake(flags, options);
    case FleetOptions::Action::kRemove:
      return WorkspacesMistake(*options);
    case FleetOptions::Action::kStatus:
      return "";
    case FleetOptions::Action::kWork:
      break;
  }
  if (!ReadDuration(flags.session_timeout, kShortestSession, kLongestSession,
                    &options->session_timeout)) {
    return "--session-timeout is a duration from 6s to 5m";
  }
  if (!options->worker.empty() && !WorkspaceNameMistake(options->worker).empty()) {
    return "--worker: letters, digits, '.', '_' and '-' only";
  }
  return ConnectionMistake(options->connection, /*embedded=*/true);
}

}  // namespace intercom_extractor

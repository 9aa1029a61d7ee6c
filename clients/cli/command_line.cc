#include "clients/cli/command_line.h"

#include <map>
#include <memory>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "clients/cli/flag_help.h"
#include "clients/cli/fleet_flags.h"
#include "clients/cli/help_texts.h"
#include "clients/cli/login_flags.h"
#include "clients/cli/table_flags.h"
#include "clients/sinks/make_sink.h"
#include "proto/v1.h"
#include "release/build_info.h"

namespace intercom_extractor {
namespace {

std::string SinkMistake(const ExtractOptions& options) {
  if (!options.output.empty()) {
    return "--output and --sink exclude each other: rows go into files or into a sink";
  }
  if (options.resume || !options.state.empty()) {
    return absl::StrCat(options.resume ? "--resume" : "--state",
                        " is for files: a sink keeps its own state, and what is unfinished there "
                        "goes on by itself");
  }
  if (options.gzip) return "--gzip is for files";
  return std::string(DescribeSink(options.sink).status().message());
}

std::string ExtractMistake(const ExtractOptions& options) {
  std::string mistake = TablesMistake(options.table_template, options.tables);
  if (!mistake.empty()) return mistake;
  if (!options.sink.empty()) return SinkMistake(options);
  if (!options.sink_id.empty()) return "--sink-id needs --sink URL";
  if (options.output.empty()) {
    return "say where to: --output DIR, --output - for stdout, or --sink URL for a database or "
           "queue";
  }
  if (options.output == "-" &&
      (options.table_template != v1::TEMPLATE_UNSPECIFIED || options.tables.size() != 1)) {
    return "--output - writes exactly one table: name it with --tables TABLE, or give a directory";
  }
  if (options.output == "-" && (options.resume || !options.state.empty())) {
    return absl::StrCat(options.resume ? "--resume" : "--state",
                        " cannot be used with --output -: what is on standard output cannot be "
                        "taken back; give a directory");
  }
  if (options.output == "-" && options.incremental.last) {
    return "--updated-since last cannot be used with --output -: when the last run was is kept in "
           "the directory of its files; give the time, such as 2024-05-01T06:00:00Z";
  }
  if (options.output == "-" && options.incremental.find_deleted) {
    return "--find-deleted cannot be used with --output -: deleted records have a file of their "
           "own; give a directory";
  }
  return "";
}

// Which columns `flag` says. What is wrong, or empty.
std::string ReadColumnsFlag(const std::string& flag, ExtractOptions* options) {
  if (flag == "all") return "";
  if (flag == "documented") {
    options->columns = ColumnSelection::kDocumented;
    return "";
  }
  options->column_names = absl::StrSplit(flag, ',', absl::SkipWhitespace());
  if (!options->column_names.empty()) return "";
  return "--columns names no column; give documented, all, or names such as id,users.email";
}

std::string PlanMistake(const PlanOptions& options) {
  if (!options.incremental.last) return TablesMistake(options.table_template, options.tables);
  return "--updated-since last is for extract: a plan knows no directory and no last run; give the "
         "time, which intercom-extract state show --output DIR says";
}

std::string TopMistake(const TopOptions& options, bool embedded) {
  if (options.connection.embedded()) {
    return "top looks at a server that runs: name it with --server HOST:PORT";
  }
  return ConnectionMistake(options.connection, embedded);
}

void AddStateFlag(CLI::App* command, std::string* path) {
  command
      ->add_option("--state", *path,
                   "State file of the run [DIR/.intercom-extract.state, DIR as in --output]")
      ->type_name("FILE");
}

CLI::App* AddStateCommand(CLI::App* app, StateOptions* options, std::string* tables) {
  CLI::App* command =
      app->add_subcommand("state", "Show, export or remove what an interrupted run left behind");
  command->footer(kStateFooter);
  command->require_subcommand(1);
  const struct {
    const char* name;
    const char* description;
    const char* footer;
    StateOptions::Action action;
  } actions[] = {
      {"show", "Say how far the run is, and how far runs have read each table", kShowFooter,
       StateOptions::Action::kShow},
      {"export", "Write the resume token to stdout", kExportFooter, StateOptions::Action::kExport},
      {"reset", "Delete the state and the unfinished files", kResetFooter,
       StateOptions::Action::kReset},
  };
  for (const auto& action : actions) {
    CLI::App* subcommand = command->add_subcommand(action.name, action.description);
    subcommand->footer(action.footer);
    subcommand->add_option("--output", options->output, "Directory of the run")->type_name("DIR");
    AddStateFlag(subcommand, &options->state);
    if (action.action == StateOptions::Action::kShow) {
      subcommand->add_flag("--json", options->json, "Write one JSON object to stdout");
    }
    if (action.action == StateOptions::Action::kReset) {
      subcommand
          ->add_option("--tables", *tables,
                       "Only forget how far runs have read these tables, separated by commas")
          ->type_name("a,b,c")
          ->join(',');
    }
    subcommand->callback([options, chosen = action.action] { options->action = chosen; });
    WrapHelp(subcommand);
  }
  return command;
}

// CLI11's texts are fine but lack the way out, and some have line ends.
UsageError FromParser(const CLI::App& app, const CLI::ParseError& error) {
  std::string message = error.what();
  for (char& c : message) {
    if (c == '\n') c = ' ';
  }
  std::string command = "intercom-extract";
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    absl::StrAppend(&command, " ", at->get_name());
  }
  return UsageError{absl::StrCat(message, " (see ", command, " --help)")};
}

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv, absl::Time now) {
  CLI::App app(kDescription, "intercom-extract");
  app.footer(kFooter);
  app.set_version_flag("--version", "", "Print the version and what it is made of, and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(1);
  app.get_formatter()->column_width(32);

  ExtractOptions extract;
  bool extract_embedded = false;
  IncrementalFlags extract_incremental;
  CLI::App* extract_command =
      app.add_subcommand("extract", "Read tables into files, stdout, a database or a queue");
  extract_command->footer(kExtractFooter);
  AddTemplateFlag(extract_command, &extract.table_template);
  std::string table_names;
  AddTablesFlag(extract_command, &table_names);
  extract_command
      ->add_option("--output", extract.output, "Directory for the files, or - for stdout")
      ->type_name("DIR");
  extract_command
      ->add_option(
          "--sink", extract.sink,
          "Instead of files a database, postgresql://USER@HOST:PORT/DATABASE?schema=NAME "
          "(password from PGPASSWORD or .pgpass), or a queue (from INTERCOM_SINK_PASSWORD): "
          "kafka://HOST:PORT,HOST:PORT/?prefix=NAME, redis://USER@HOST:PORT/DATABASE?"
          "prefix=NAME, nats://USER@HOST:PORT?stream=NAME")
      ->type_name("URL");
  extract_command
      ->add_option("--sink-id", extract.sink_id,
                   "Under which name the sink keeps how far it is; of two runs with one id the "
                   "older one ends [the connection's name]")
      ->type_name("ID");
  extract_command
      ->add_option_function<std::string>(
          "--format",
          [&extract](const std::string& name) {
            extract.format = name == "csv" ? RowFormat::kCsv : RowFormat::kJsonl;
          },
          "csv or jsonl [csv]")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"csv", "jsonl"}));
  extract_command->add_flag("--gzip", extract.gzip, "Compress; adds .gz to the names");
  std::string columns = "all";
  extract_command
      ->add_option("--columns", columns,
                   "documented, or all: with the extension columns after them; or only these, "
                   "separated by commas, as COLUMN of each table that has it or TABLE.COLUMN, "
                   "TABLE.* for all of a table [all]")
      ->type_name("all|documented|a,b,c")
      ->join(',');
  AddBodyFormatFlag(extract_command, &extract.body_format);
  AddIncrementalFlags(extract_command, &extract_incremental);
  extract_command->add_flag("--resume", extract.resume,
                            "Go on where an interrupted run with the same flags stopped; begin "
                            "anew where there is none");
  AddStateFlag(extract_command, &extract.state);
  extract_command->add_flag("--json", extract.json,
                            "Write the summary as one JSON object to stdout, progress and notices "
                            "as JSON lines to stderr");
  extract_command->add_flag("--quiet", extract.quiet, "Say nothing but what went wrong");
  AddConnectionFlags(extract_command, &extract.connection, &extract_embedded);

  CheckOptions check;
  bool check_embedded = false;
  CLI::App* check_command =
      app.add_subcommand("check", "Ask Intercom whether the token works, and for which tables");
  check_command->footer(kCheckFooter);
  check_command->add_flag("--json", check.json, "Write one JSON object to stdout");
  AddConnectionFlags(check_command, &check.connection, &check_embedded);

  LoginOptions login;
  std::string login_timeout;
  CLI::App* login_command = AddLoginCommand(&app, &login, &login_timeout);

  PlanOptions plan;
  bool plan_embedded = false;
  std::string planned_tables;
  IncrementalFlags plan_incremental;
  CLI::App* plan_command = app.add_subcommand(
      "plan", "Say how many requests and how much time reading tables takes, without reading");
  plan_command->footer(kPlanFooter);
  AddTemplateFlag(plan_command, &plan.table_template);
  AddTablesFlag(plan_command, &planned_tables);
  AddBodyFormatFlag(plan_command, &plan.body_format);
  AddIncrementalFlags(plan_command, &plan_incremental);
  plan_command->add_flag("--json", plan.json, "Write one JSON object to stdout");
  AddConnectionFlags(plan_command, &plan.connection, &plan_embedded);

  TablesOptions tables;
  bool tables_embedded = false;
  CLI::App* tables_command = app.add_subcommand("tables", "List the tables and their columns");
  tables_command->footer(kTablesFooter);
  AddTemplateFlag(tables_command, &tables.table_template);
  tables_command->add_flag("--json", tables.json, "Write one JSON object to stdout");
  AddConnectionFlags(tables_command, &tables.connection, &tables_embedded);

  TopOptions top;
  bool top_embedded = false;
  CLI::App* top_command =
      app.add_subcommand("top", "Show what a server's extractions do and what they wait for");
  top_command->footer(kTopFooter);
  top_command->add_flag("--json", top.json, "Write one JSON object to stdout and end");
  AddConnectionFlags(top_command, &top.connection, &top_embedded);

  StateOptions state;
  std::string reset_tables;
  CLI::App* state_command = AddStateCommand(&app, &state, &reset_tables);

  FleetOptions fleet;
  FleetFlags fleet_flags;
  CLI::App* fleet_command = AddFleetCommand(&app, &fleet, &fleet_flags);

  for (CLI::App* command :
       {extract_command, check_command, plan_command, tables_command, top_command}) {
    WrapHelp(command);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return InfoText{app.help()};
  } catch (const CLI::CallForVersion&) {
    return InfoText{VersionText("intercom-extract")};
  } catch (const CLI::ParseError& error) {
    return FromParser(app, error);
  }

  if (extract_command->parsed()) {
    extract.tables = SplitTables(table_names);
    const std::string incremental =
        ReadIncrementalFlags(extract_incremental, now, &extract.incremental);
    const std::string selected = ReadColumnsFlag(columns, &extract);
    for (const std::string& mistake : {selected, incremental, ExtractMistake(extract),
                                       ConnectionMistake(extract.connection, extract_embedded)}) {
      if (!mistake.empty()) return UsageError{mistake};
    }
    if (extract.sink_id.empty()) extract.sink_id = extract.connection.connection;
    return extract;
  }
  if (plan_command->parsed()) {
    plan.tables = SplitTables(planned_tables);
    const std::string incremental = ReadIncrementalFlags(plan_incremental, now, &plan.incremental);
    for (const std::string& mistake :
         {incremental, PlanMistake(plan), ConnectionMistake(plan.connection, plan_embedded)}) {
      if (!mistake.empty()) return UsageError{mistake};
    }
    return plan;
  }
  if (top_command->parsed()) {
    // With the others it is the one to use, and has a default.
    if (top_command->count("--connection") > 0) top.only_connection = top.connection.connection;
    const std::string mistake = TopMistake(top, top_embedded);
    if (!mistake.empty()) return UsageError{mistake};
    return top;
  }
  if (state_command->parsed()) {
    if (state.output.empty() && state.state.empty()) {
      return UsageError{"say which state: --output DIR of the run, or --state FILE"};
    }
    state.tables = SplitTables(reset_tables);
    return state;
  }
  if (fleet_command->parsed()) {
    const std::string mistake = ReadFleetFlags(fleet_flags, &fleet);
    if (!mistake.empty()) return UsageError{mistake};
    return fleet;
  }
  if (login_command->parsed()) {
    const std::string mistake = ReadLoginFlags(login_timeout, &login);
    if (!mistake.empty()) return UsageError{mistake};
    return login;
  }
  const bool is_check = check_command->parsed();
  std::string mistake = is_check ? ConnectionMistake(check.connection, check_embedded)
                                 : ConnectionMistake(tables.connection, tables_embedded);
  if (!mistake.empty()) return UsageError{mistake};
  if (is_check) return check;
  // Without a configuration there is no connection to speak of.
  tables.of_connection =
      !tables.connection.config.empty() ||
      (!tables.connection.embedded() && tables_command->count("--connection") > 0);
  return tables;
}

}  // namespace intercom_extractor

#include "clients/cli/command_line.h"

#include <map>
#include <memory>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

constexpr char kVersion[] = "intercom-extract 0.1.0";

constexpr char kDescription[] =
    "Reads an Intercom workspace into CSV or JSON Lines files, one per table, as fast as its\n"
    "request quota allows.";

constexpr char kFooter[] =
    "Example:\n"
    "  INTERCOM_ACCESS_TOKEN=... intercom-extract extract --template all --output out\n"
    "\n"
    "Exit codes: 0 complete, 2 usage or configuration, 3 authentication, 4 some table or record\n"
    "is missing, 5 Intercom or the server unreachable, 6 local disk or output, 130 interrupted.";

constexpr char kExtractFooter[] =
    "Examples:\n"
    "  intercom-extract extract --template all --output out\n"
    "  intercom-extract extract --tables users,companies --output out --format jsonl --gzip\n"
    "  intercom-extract extract --tables tags --output - | head\n"
    "  intercom-extract extract --template basic --output out --server extractor.example:50051\n"
    "  intercom-extract extract --template all --output out --resume\n"
    "\n"
    "Files are written in DIR/.partial and moved into place once they are whole. CSV: null is\n"
    "an empty field, the empty string is \"\". The order of rows is unspecified.\n"
    "\n"
    "From its first checkpoint on, a run keeps in the state file how far it is: at most a second\n"
    "behind, and never ahead of the rows on the disk. After an interruption --resume cuts the\n"
    "files back to the last checkpoint and goes on there. A lost connection to a server elsewhere\n"
    "is made again by itself, up to 5 tries in a row.";

constexpr char kStateFooter[] =
    "Examples:\n"
    "  intercom-extract state show --output out\n"
    "  intercom-extract state export --state out/.intercom-extract.state > token\n"
    "  intercom-extract state reset --output out";

constexpr char kShowFooter[] =
    "Example:\n"
    "  intercom-extract state show --output out --json\n"
    "\n"
    "Rows and bytes are as of the last checkpoint. Works while a run is going on.";

constexpr char kExportFooter[] =
    "Example:\n"
    "  intercom-extract state export --output out > token\n"
    "\n"
    "In base64: what a client of the service gives as ExtractRequest.resume_token to go on where\n"
    "this run is.";

constexpr char kResetFooter[] =
    "Example:\n"
    "  intercom-extract state reset --output out\n"
    "\n"
    "Asks nothing; finished files stay. Refused while a run is going on. Single tables cannot be\n"
    "reset, as one token is for all: read them anew with extract --tables NAME --output OTHER.";

constexpr char kPlanFooter[] =
    "Example:\n"
    "  intercom-extract plan --template all\n"
    "\n"
    "Asks Intercom for its counts and reads up to four pages of contacts, whose lists\n"
    "stand for those of all. Exit codes: 0 planned, 2 usage or configuration,\n"
    "3 authentication, 5 unreachable, 6 output, 130 interrupted.\n";

constexpr char kCheckFooter[] =
    "Examples:\n"
    "  intercom-extract check\n"
    "  intercom-extract check --server extractor.example:50051 --connection acme --json\n"
    "\n"
    "Exit code 4 when some table cannot be read; the lines say what to do.";

constexpr char kTablesFooter[] =
    "Examples:\n"
    "  intercom-extract tables\n"
    "  intercom-extract tables --template conversations --json\n"
    "\n"
    "Needs no access token.";

void AddConnectionFlags(CLI::App* command, ConnectionOptions* options, bool* embedded) {
  const std::string where = "Connection";
  command->add_option("--connection", options->connection, "Name of the connection to Intercom")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(where);
  command
      ->add_flag("--embedded", *embedded,
                 "Run the server inside this process; the default without --server. The access "
                 "token comes from INTERCOM_ACCESS_TOKEN, --access-token-file or --config")
      ->group(where);
  command
      ->add_option("--server", options->server,
                   "Use this server instead. Plain text to the loopback and unix:/path, TLS "
                   "elsewhere or with --ca-file")
      ->type_name("HOST:PORT")
      ->group(where);
  const std::string inside = "Connection, embedded";
  command
      ->add_option("--access-token-file", options->access_token_file,
                   "File with Intercom's access token")
      ->type_name("FILE")
      ->group(inside);
  command->add_option("--region", options->region, "Where the workspace's data lives: us, eu, au")
      ->type_name("REGION")
      ->check(CLI::IsMember({"us", "eu", "au"}))
      ->group(inside);
  command
      ->add_option("--base-url", options->base_url,
                   "Another address of Intercom's API; plain http to the loopback only")
      ->type_name("URL")
      ->group(inside);
  command
      ->add_option("--config", options->config,
                   "Server configuration (YAML) that names the connections")
      ->type_name("FILE")
      ->group(inside);
  command
      ->add_option("--quota-reserve", options->quota_reserve,
                   "Share of the request quota left to the workspace's other apps, at least 0 and "
                   "below 1 [0.1]")
      ->type_name("SHARE")
      ->group(inside);
  const std::string remote = "Connection, with --server";
  command
      ->add_option("--caller-token-file", options->caller_token_file,
                   "File with the token that the server asks its callers for")
      ->type_name("FILE")
      ->group(remote);
  command
      ->add_option("--ca-file", options->ca_file,
                   "Certificate authorities to trust (PEM): the server's, or embedded an extra "
                   "one for Intercom's HTTPS")
      ->type_name("FILE")
      ->group(remote);
  command->add_option("--cert-file", options->cert_file, "Client certificate (PEM)")
      ->type_name("FILE")
      ->group(remote);
  command->add_option("--key-file", options->key_file, "Key of --cert-file (PEM)")
      ->type_name("FILE")
      ->group(remote);
}

CLI::Option* AddTemplateFlag(CLI::App* command, v1::Template* value) {
  static const std::map<std::string, v1::Template> kTemplates = {
      {"basic", v1::TEMPLATE_BASIC},
      {"conversations", v1::TEMPLATE_CONVERSATIONS},
      {"all", v1::TEMPLATE_ALL},
  };
  return command
      ->add_option_function<std::string>(
          "--template", [value](const std::string& name) { *value = kTemplates.at(name); },
          "A set of tables: basic, conversations or all")
      ->type_name("NAME")
      ->check(CLI::IsMember({"basic", "conversations", "all"}));
}

// What is wrong with the combination of connection flags; empty when nothing is.
std::string ConnectionMistake(const ConnectionOptions& options, bool embedded) {
  if (!options.server.empty()) {
    if (embedded) return "--server and --embedded exclude each other: name one of them";
    const std::pair<const char*, bool> of_the_server[] = {
        {"--base-url", !options.base_url.empty()},
        {"--region", !options.region.empty()},
        {"--config", !options.config.empty()},
        {"--quota-reserve", options.quota_reserve.has_value()},
        {"--access-token-file", !options.access_token_file.empty()},
    };
    for (const auto& [flag, given] : of_the_server) {
      if (!given) continue;
      return absl::StrCat(flag,
                          " cannot be used with --server: the server's own configuration "
                          "says how Intercom is reached; choose one with --connection");
    }
    if (options.cert_file.empty() != options.key_file.empty()) {
      return "--cert-file and --key-file belong together: give both";
    }
    return "";
  }
  const std::pair<const char*, bool> of_a_caller[] = {
      {"--caller-token-file", !options.caller_token_file.empty()},
      {"--cert-file", !options.cert_file.empty()},
      {"--key-file", !options.key_file.empty()},
  };
  for (const auto& [flag, given] : of_a_caller) {
    if (given) return absl::StrCat(flag, " is for a server: add --server HOST:PORT or drop it");
  }
  if (!options.base_url.empty() && !options.region.empty()) {
    return "--base-url and --region exclude each other: a region is a base URL";
  }
  if (!options.config.empty() && (!options.base_url.empty() || !options.region.empty() ||
                                  !options.access_token_file.empty())) {
    return "--base-url, --region and --access-token-file cannot be used with --config: the file "
           "says them for each connection; choose one with --connection";
  }
  if (options.quota_reserve.has_value() &&
      !(*options.quota_reserve >= 0 && *options.quota_reserve < 1)) {
    return "--quota-reserve must be at least 0 and below 1, such as 0.1";
  }
  return "";
}

// A flag that the contract knows and a later version will have.
std::string LaterFlagUsed(const std::string& updated_since) {
  if (updated_since.empty()) return "";
  return "--updated-since is not available in this version; every run reads everything";
}

std::string TablesMistake(v1::Template table_template, const std::vector<std::string>& tables) {
  if (table_template != v1::TEMPLATE_UNSPECIFIED || !tables.empty()) return "";
  return "say what to read: --template basic|conversations|all or --tables a,b,c "
         "(intercom-extract tables lists them)";
}

std::string ExtractMistake(const ExtractOptions& options) {
  std::string mistake = TablesMistake(options.table_template, options.tables);
  if (!mistake.empty()) return mistake;
  if (options.output.empty()) return "--output is empty: name a directory, or - for stdout";
  if (options.output == "-" &&
      (options.table_template != v1::TEMPLATE_UNSPECIFIED || options.tables.size() != 1)) {
    return "--output - writes exactly one table: name it with --tables TABLE, or give a directory";
  }
  if (options.output == "-" && (options.resume || !options.state.empty())) {
    return absl::StrCat(options.resume ? "--resume" : "--state",
                        " cannot be used with --output -: what is on standard output cannot be "
                        "taken back; give a directory");
  }
  return "";
}

// One text, split later: CLI11's own lists would take what follows them, too.
void AddTablesFlag(CLI::App* command, std::string* names) {
  command->add_option("--tables", *names, "Single tables, separated by commas")
      ->type_name("a,b,c")
      ->join(',');
}

std::vector<std::string> SplitTables(const std::string& names) {
  if (names.empty()) return {};
  return absl::StrSplit(names, ',', absl::SkipEmpty());
}

void AddBodyFormatFlag(CLI::App* command, v1::BodyFormat* format) {
  command
      ->add_option_function<std::string>(
          "--body-format",
          [format](const std::string& name) {
            *format = name == "html" ? v1::BODY_FORMAT_HTML : v1::BODY_FORMAT_PLAINTEXT;
          },
          "Bodies of conversations: plaintext or html [plaintext]")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"plaintext", "html"}));
}

// Breaks the flags' descriptions into lines, which CLI11 indents but does not
// break.
void WrapHelp(CLI::App* command) {
  constexpr size_t kColumns = 66;
  for (CLI::Option* option : command->get_options()) {
    std::string text;
    size_t used = 0;
    for (absl::string_view word :
         absl::StrSplit(option->get_description(), ' ', absl::SkipEmpty())) {
      const bool fits = used + 1 + word.size() <= kColumns;
      absl::StrAppend(&text, used == 0 ? "" : fits ? " " : "\n", word);
      used = used == 0 ? word.size() : fits ? used + 1 + word.size() : word.size();
    }
    option->description(text);
  }
}

void AddStateFlag(CLI::App* command, std::string* path) {
  command
      ->add_option("--state", *path,
                   "State file of the run [DIR/.intercom-extract.state, DIR as in --output]")
      ->type_name("FILE");
}

CLI::App* AddStateCommand(CLI::App* app, StateOptions* options) {
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
      {"show", "Say how far the run is", kShowFooter, StateOptions::Action::kShow},
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

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app(kDescription, "intercom-extract");
  app.footer(kFooter);
  app.set_version_flag("--version", kVersion, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(1);
  app.get_formatter()->column_width(32);

  ExtractOptions extract;
  bool extract_embedded = false;
  std::string updated_since;
  CLI::App* extract_command = app.add_subcommand("extract", "Read tables into files or stdout");
  extract_command->footer(kExtractFooter);
  AddTemplateFlag(extract_command, &extract.table_template);
  std::string table_names;
  AddTablesFlag(extract_command, &table_names);
  extract_command
      ->add_option("--output", extract.output, "Directory for the files, or - for stdout")
      ->type_name("DIR")
      ->required();
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
  extract_command
      ->add_option_function<std::string>(
          "--columns",
          [&extract](const std::string& name) {
            extract.columns = name == "all" ? ColumnSelection::kAll : ColumnSelection::kDocumented;
          },
          "documented, or all: with the extension columns after them [all]")
      ->type_name("COLUMNS")
      ->check(CLI::IsMember({"documented", "all"}));
  AddBodyFormatFlag(extract_command, &extract.body_format);
  extract_command->add_flag("--resume", extract.resume,
                            "Go on where an interrupted run with the same flags stopped; begin "
                            "anew where there is none");
  AddStateFlag(extract_command, &extract.state);
  extract_command->add_flag("--json", extract.json,
                            "Write the summary as one JSON object to stdout, progress and notices "
                            "as JSON lines to stderr");
  extract_command->add_flag("--quiet", extract.quiet, "Say nothing but what went wrong");
  AddConnectionFlags(extract_command, &extract.connection, &extract_embedded);
  // An empty group hides it from --help.
  extract_command->add_option("--updated-since", updated_since)->group("");

  CheckOptions check;
  bool check_embedded = false;
  CLI::App* check_command =
      app.add_subcommand("check", "Ask Intercom whether the token works, and for which tables");
  check_command->footer(kCheckFooter);
  check_command->add_flag("--json", check.json, "Write one JSON object to stdout");
  AddConnectionFlags(check_command, &check.connection, &check_embedded);

  PlanOptions plan;
  bool plan_embedded = false;
  std::string planned_tables;
  CLI::App* plan_command = app.add_subcommand(
      "plan", "Say how many requests and how much time reading tables takes, without reading");
  plan_command->footer(kPlanFooter);
  AddTemplateFlag(plan_command, &plan.table_template);
  AddTablesFlag(plan_command, &planned_tables);
  AddBodyFormatFlag(plan_command, &plan.body_format);
  plan_command->add_flag("--json", plan.json, "Write one JSON object to stdout");
  AddConnectionFlags(plan_command, &plan.connection, &plan_embedded);

  TablesOptions tables;
  bool tables_embedded = false;
  CLI::App* tables_command = app.add_subcommand("tables", "List the tables and their columns");
  tables_command->footer(kTablesFooter);
  AddTemplateFlag(tables_command, &tables.table_template);
  tables_command->add_flag("--json", tables.json, "Write one JSON object to stdout");
  AddConnectionFlags(tables_command, &tables.connection, &tables_embedded);

  StateOptions state;
  CLI::App* state_command = AddStateCommand(&app, &state);

  for (CLI::App* command : {extract_command, check_command, plan_command, tables_command})
    WrapHelp(command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return InfoText{app.help()};
  } catch (const CLI::CallForVersion&) {
    return InfoText{absl::StrCat(kVersion, "\n")};
  } catch (const CLI::ParseError& error) {
    // That a flag is for later is said even where something else is missing too.
    std::string mistake = LaterFlagUsed(updated_since);
    if (!mistake.empty()) return UsageError{mistake};
    return FromParser(app, error);
  }

  if (extract_command->parsed()) {
    extract.tables = SplitTables(table_names);
    for (const std::string& mistake : {LaterFlagUsed(updated_since), ExtractMistake(extract),
                                       ConnectionMistake(extract.connection, extract_embedded)}) {
      if (!mistake.empty()) return UsageError{mistake};
    }
    return extract;
  }
  if (plan_command->parsed()) {
    plan.tables = SplitTables(planned_tables);
    for (const std::string& mistake : {TablesMistake(plan.table_template, plan.tables),
                                       ConnectionMistake(plan.connection, plan_embedded)}) {
      if (!mistake.empty()) return UsageError{mistake};
    }
    return plan;
  }
  if (state_command->parsed()) {
    if (state.output.empty() && state.state.empty()) {
      return UsageError{"say which state: --output DIR of the run, or --state FILE"};
    }
    return state;
  }
  const bool is_check = check_command->parsed();
  std::string mistake = is_check ? ConnectionMistake(check.connection, check_embedded)
                                 : ConnectionMistake(tables.connection, tables_embedded);
  if (!mistake.empty()) return UsageError{mistake};
  if (is_check) return check;
  return tables;
}

}  // namespace intercom_extractor

// intercom-extractor-server: the gRPC server as a program.

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "grpc/support/log.h"
#include "release/build_info.h"
#include "server/config_summary.h"
#include "server/extractor_server.h"
#include "server/hash_token.h"
#include "server/log.h"
#include "server/secrets.h"
#include "server/server_config.h"
#include "server/setting_list.h"
#include "server/setting_overrides.h"

namespace intercom_extractor {
namespace {

// The same numbers as the command line's.
constexpr int kExitOk = 0;
constexpr int kExitConfiguration = 2;
constexpr int kExitCannotBind = 5;

// Running calls have this long after the first signal: extractions need it only for
// their readers to take what waits for them and the last checkpoint.
constexpr absl::Duration kShutdownGrace = absl::Seconds(25);

// How often memory that is free goes back to the system. Threads that meet allocate from
// arenas of their own, each of which keeps the most that it ever needed: together that
// grows for hours, to several times of what is in use.
constexpr std::timespec kTrimInterval = {30, 0};

struct Flags {
  std::string config;
  bool check = false;
  // What is said as flags, then by environment variables.
  SettingOverrides overrides;
};

// gRPC writes to stderr in a format of its own; into our log with it.
void LogForGrpc(gpr_log_func_args* args) {
  Log(args->severity == GPR_LOG_SEVERITY_ERROR ? spdlog::level::warn : spdlog::level::debug,
      args->message, {{"source", "grpc"}});
}

// Those that a running server waits for.
sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

// The next of the signals.
int AwaitSignal(const sigset_t& signals) {
  while (true) {
    const int number = sigtimedwait(&signals, nullptr, &kTrimInterval);
    if (number > 0) return number;
    malloc_trim(0);
  }
}

// The address with the port that was bound, where the system chose it.
std::string BoundAddress(const std::string& configured, int port) {
  if (port == 0) return configured;
  return absl::StrCat(configured.substr(0, configured.rfind(':') + 1), port);
}

int Complain(const absl::Status& status) {
  std::cerr << "intercom-extractor-server: " << std::string(status.message()) << std::endl;
  return absl::IsUnavailable(status) ? kExitCannotBind : kExitConfiguration;
}

absl::StatusOr<ServerConfig> Load(const Flags& flags) {
  return LoadServerConfig(flags.config, flags.overrides);
}

int CheckConfiguration(const Flags& flags) {
  const absl::StatusOr<ServerConfig> config = Load(flags);
  if (!config.ok()) return Complain(config.status());
  const absl::Status good = ExtractorServer::Check(*config);
  if (!good.ok()) return Complain(good);
  for (const std::string& line : UnknownVariables(Environment(), config->secret_variables)) {
    std::cerr << "intercom-extractor-server: warning: " << line << "\n";
  }
  std::cout << flags.config << " is good; a server with it\n" << DescribeConfig(*config);
  for (const auto& [key, override] : flags.overrides) {
    std::cout << "  " << key << " is from " << override.source << ", not from the file\n";
  }
  std::cout << std::flush;
  return kExitOk;
}

// What does not work leaves everything as it is.
void Reload(const Flags& flags, ExtractorServer* server) {
  const absl::StatusOr<ServerConfig> config = Load(flags);
  if (!config.ok()) {
    Log(spdlog::level::err, "reload failed; everything stays as it was",
        {{"error", config.status().message()}});
    return;
  }
  const auto for_restart = server->Reload(*config);
  if (!for_restart.ok()) {
    Log(spdlog::level::err, "reload failed; everything stays as it was",
        {{"error", for_restart.status().message()}});
    return;
  }
  if (!for_restart->empty()) {
    Log(spdlog::level::warn, "these settings have changed and need a restart",
        {{"settings", absl::StrJoin(*for_restart, ", ")}});
  }
  Log(spdlog::level::info, "reloaded",
      {{"connections", static_cast<int64_t>(config->connections.size())},
       {"callers", static_cast<int64_t>(config->callers.size())}});
}

spdlog::level::level_enum LogLevel(const std::string& name) {
  if (name == "debug") return spdlog::level::debug;
  if (name == "warn") return spdlog::level::warn;
  return name == "error" ? spdlog::level::err : spdlog::level::info;
}

int Serve(const Flags& flags) {
  // Before any thread starts, so that all inherit the mask and the signals wait
  // to be taken below, where work may be done that a handler may not.
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A client that closes its socket is an error of that write, no reason to end.
  signal(SIGPIPE, SIG_IGN);

  const absl::StatusOr<ServerConfig> config = Load(flags);
  if (!config.ok()) return Complain(config.status());

  StartLogging(config->log_format == "json" ? LogFormat::kJson : LogFormat::kText,
               LogLevel(config->log_level));
  gpr_set_log_function(&LogForGrpc);
  for (const std::string& line : UnknownVariables(Environment(), config->secret_variables)) {
    Log(spdlog::level::warn, line, {});
  }

  absl::StatusOr<std::unique_ptr<ExtractorServer>> server = ExtractorServer::Start(*config);
  if (!server.ok()) return Complain(server.status());
  if (!config->metrics_listen.empty()) {
    Log(spdlog::level::info,
        absl::StrCat("metrics and status page on http://",
                     BoundAddress(config->metrics_listen, (*server)->metrics_port()), "/"));
  }
  Log(spdlog::level::info,
      absl::StrCat("listening on ", BoundAddress(config->listen, (*server)->port())),
      {{"connections", static_cast<int64_t>(config->connections.size())},
       {"tls", config->tls_cert_file.empty()        ? "off"
               : config->tls_client_ca_file.empty() ? "on"
                                                    : "mutual"}});

  int signal_number = 0;
  while ((signal_number = AwaitSignal(signals)) == SIGHUP) Reload(flags, server->get());
  Log(spdlog::level::info, "stopping; a second signal ends at once",
      {{"signal", strsignal(signal_number)}, {"grace", kShutdownGrace}});
  std::thread([signals] {
    int second = SIGHUP;
    while (second == SIGHUP) sigwait(&signals, &second);
    // What still runs is not waited for, as asked.
    _exit(128 + second);
  }).detach();
  (*server)->Shutdown(kShutdownGrace);
  server->reset();
  Log(spdlog::level::info, "stopped");
  return kExitOk;
}

// A flag for each setting, in the list's order.
std::vector<CLI::Option*> AddSettingFlags(CLI::App* app) {
  std::vector<CLI::Option*> options;
  for (const Setting& setting : SettingList()) {
    const std::string fallback = setting.text(ServerConfig());
    const std::string help =
        absl::StrCat(setting.help, fallback.empty() ? "" : absl::StrCat(" [", fallback, "]"));
    // A switch may be given alone, or as --reflection=false.
    CLI::Option* const option = setting.is_switch() ? app->add_flag(setting.flag(), help)
                                                    : app->add_option(setting.flag(), help);
    option->type_name(setting.is_switch() ? "" : setting.value)->group("Settings");
    options.push_back(option);
  }
  return options;
}

// What was said with these flags; they count before variables and the file.
SettingOverrides FlagsGiven(const std::vector<CLI::Option*>& options) {
  SettingOverrides overrides;
  for (size_t i = 0; i < options.size(); ++i) {
    const Setting& setting = SettingList()[i];
    if (options[i]->count() == 0) continue;
    overrides[setting.key] = {options[i]->as<std::string>(), setting.flag()};
  }
  return overrides;
}

int Main(int argc, char** argv) {
  ForbidCoreFiles();
  Flags flags;
  CLI::App app(
      "Serves Intercom workspaces as typed tables over gRPC.\n"
      "Clients name a connection of the configuration file; access tokens stay here.",
      "intercom-extractor-server");
  app.add_option("--config", flags.config,
                 absl::StrCat("YAML file: connections, callers, and all settings; required, as a "
                              "flag or as ",
                              kConfigVariable))
      ->type_name("FILE");
  app.add_flag("--check", flags.check,
               "Says what the configuration would serve, or what is wrong with it, and ends");
  const std::vector<CLI::Option*> settings = AddSettingFlags(&app);
  app.set_version_flag("--version", VersionText("intercom-extractor-server"),
                       "Print the version and what it is made of, and exit");
  app.footer(
      "Each setting is a key of the file and an environment variable, too: tls.cert_file,\n"
      "--tls-cert-file, INTERCOM_EXTRACTOR_TLS_CERT_FILE (docs/configuration.md). The flag counts\n"
      "before the variable, the variable before the file.\n"
      "\n"
      "SIGHUP reads connections, callers and certificates again, without ending a stream.\n"
      "SIGTERM and SIGINT end running extractions with a last checkpoint, within 25 s;\n"
      "a second one ends at once. Exit codes: 0 stopped by a signal, 2 usage or configuration, 5 "
      "the\n"
      "address cannot be bound.");
  bool new_token = false;
  CLI::App* const hash_token = app.add_subcommand(
      "hash-token", "Reads a caller's token from stdin and prints what callers: wants of it");
  hash_token->add_flag("--new", new_token, "Makes a new token instead, and prints it, too");
  try {
    app.parse(argc, argv);
    flags.overrides = FlagsGiven(settings);
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" with code 0.
    return app.exit(error) == 0 ? kExitOk : kExitConfiguration;
  }
  if (hash_token->parsed()) {
    const absl::Status printed = PrintTokenHash(new_token, std::cin, std::cout);
    return printed.ok() ? kExitOk : Complain(printed);
  }
  const char* const config = std::getenv(kConfigVariable);
  if (flags.config.empty() && config != nullptr) flags.config = config;
  if (flags.config.empty()) {
    return Complain(absl::InvalidArgumentError(
        absl::StrCat("--config is required, or the environment variable ", kConfigVariable)));
  }
  // Those that are flags as well stay.
  flags.overrides.merge(OverridesOf(Environment()));
  return flags.check ? CheckConfiguration(flags) : Serve(flags);
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) { return intercom_extractor::Main(argc, argv); }

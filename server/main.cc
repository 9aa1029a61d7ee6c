// intercom-extractor-server: the gRPC server as a program.

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <map>
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

namespace intercom_extractor {
namespace {

// The same numbers as the command line's.
constexpr int kExitOk = 0;
constexpr int kExitConfiguration = 2;
constexpr int kExitCannotBind = 5;

// Running calls have this long after the first signal: extractions need it only for
// their readers to take what waits for them and the last checkpoint.
constexpr absl::Duration kShutdownGrace = absl::Seconds(25);

struct Flags {
  std::string config;
  bool check = false;
  std::string listen;
  std::string metrics_listen;
  LogFormat log_format = LogFormat::kText;
  spdlog::level::level_enum log_level = spdlog::level::info;
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
  absl::StatusOr<ServerConfig> config = LoadServerConfig(flags.config);
  if (!config.ok()) return config;
  if (!flags.listen.empty()) config->listen = flags.listen;
  if (!flags.metrics_listen.empty()) config->metrics_listen = flags.metrics_listen;
  return config;
}

int CheckConfiguration(const Flags& flags) {
  const absl::StatusOr<ServerConfig> config = Load(flags);
  if (!config.ok()) return Complain(config.status());
  const absl::Status good = ExtractorServer::Check(*config);
  if (!good.ok()) return Complain(good);
  std::cout << flags.config << " is good; a server with it\n"
            << DescribeConfig(*config) << std::flush;
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

int Serve(const Flags& flags) {
  // Before any thread starts, so that all inherit the mask and the signals wait
  // for sigwait() below, where work may be done that a handler may not.
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A client that closes its socket is an error of that write, no reason to end.
  signal(SIGPIPE, SIG_IGN);

  const absl::StatusOr<ServerConfig> config = Load(flags);
  if (!config.ok()) return Complain(config.status());

  StartLogging(flags.log_format, flags.log_level);
  gpr_set_log_function(&LogForGrpc);

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
  while (sigwait(&signals, &signal_number), signal_number == SIGHUP) Reload(flags, server->get());
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

int Main(int argc, char** argv) {
  ForbidCoreFiles();
  Flags flags;
  CLI::App app(
      "Serves Intercom workspaces as typed tables over gRPC.\n"
      "Clients name a connection of the configuration file; access tokens stay here.",
      "intercom-extractor-server");
  app.add_option("--config", flags.config,
                 "YAML file: connections, callers, TLS, timeouts; required")
      ->type_name("FILE");
  app.add_flag("--check", flags.check,
               "Says what the configuration would serve, or what is wrong with it, and ends");
  app.add_option("--listen", flags.listen,
                 "Address instead of the file's: HOST:PORT (port 0: any free one) or\n"
                 "unix:PATH; anything but loopback and unix needs TLS (or allow_plaintext)")
      ->type_name("ADDR");
  app.add_option("--metrics-listen", flags.metrics_listen,
                 "HOST:PORT of /metrics, /livez, /readyz and the status page, instead of the\n"
                 "file's; none without; plain HTTP, so loopback unless the file allows more")
      ->type_name("ADDR");
  std::string log_format = "text";
  std::string log_level = "info";
  const std::map<std::string, spdlog::level::level_enum> levels = {{"debug", spdlog::level::debug},
                                                                   {"info", spdlog::level::info},
                                                                   {"warn", spdlog::level::warn},
                                                                   {"error", spdlog::level::err}};
  app.add_option("--log-format", log_format, "How lines on stderr look; default text")
      ->type_name("")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("--log-level", log_level, "What is logged; default info")
      ->type_name("")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.set_version_flag("--version", VersionText("intercom-extractor-server"),
                       "Print the version and what it is made of, and exit");
  app.footer(
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
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" with code 0.
    return app.exit(error) == 0 ? kExitOk : kExitConfiguration;
  }
  if (hash_token->parsed()) {
    const absl::Status printed = PrintTokenHash(new_token, std::cin, std::cout);
    return printed.ok() ? kExitOk : Complain(printed);
  }
  if (flags.config.empty()) return Complain(absl::InvalidArgumentError("--config is required"));
  if (flags.check) return CheckConfiguration(flags);
  flags.log_format = log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  flags.log_level = levels.at(log_level);
  return Serve(flags);
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) { return intercom_extractor::Main(argc, argv); }

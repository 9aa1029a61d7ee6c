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
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "grpc/support/log.h"
#include "release/build_info.h"
#include "server/extractor_server.h"
#include "server/log.h"
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
  std::string listen;
  LogFormat log_format = LogFormat::kText;
  spdlog::level::level_enum log_level = spdlog::level::info;
};

// gRPC writes to stderr in a format of its own; into our log with it.
void LogForGrpc(gpr_log_func_args* args) {
  Log(args->severity == GPR_LOG_SEVERITY_ERROR ? spdlog::level::warn : spdlog::level::debug,
      args->message, {{"source", "grpc"}});
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

int Complain(const absl::Status& status) {
  std::cerr << "intercom-extractor-server: " << std::string(status.message()) << std::endl;
  return absl::IsUnavailable(status) ? kExitCannotBind : kExitConfiguration;
}

int Serve(const Flags& flags) {
  // Before any thread starts, so that all inherit the mask and the signals wait
  // for sigwait() below, where work may be done that a handler may not.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A client that closes its socket is an error of that write, no reason to end.
  signal(SIGPIPE, SIG_IGN);

  absl::StatusOr<ServerConfig> config = LoadServerConfig(flags.config);
  if (!config.ok()) return Complain(config.status());
  if (!flags.listen.empty()) config->listen = flags.listen;

  StartLogging(flags.log_format, flags.log_level);
  gpr_set_log_function(&LogForGrpc);

  absl::StatusOr<std::unique_ptr<ExtractorServer>> server = ExtractorServer::Start(*config);
  if (!server.ok()) return Complain(server.status());
  std::string address = config->listen;
  if ((*server)->port() != 0) {
    address = absl::StrCat(address.substr(0, address.rfind(':') + 1), (*server)->port());
  }
  Log(spdlog::level::info, absl::StrCat("listening on ", address),
      {{"connections", static_cast<int64_t>(config->connections.size())},
       {"tls", config->tls_cert_file.empty()        ? "off"
               : config->tls_client_ca_file.empty() ? "on"
                                                    : "mutual"}});

  int signal_number = 0;
  sigwait(&signals, &signal_number);
  Log(spdlog::level::info, "stopping; a second signal ends at once",
      {{"signal", strsignal(signal_number)}, {"grace", kShutdownGrace}});
  std::thread([signals] {
    int second = 0;
    sigwait(&signals, &second);
    // What still runs is not waited for, as asked.
    _exit(128 + second);
  }).detach();
  (*server)->Shutdown(kShutdownGrace);
  server->reset();
  Log(spdlog::level::info, "stopped");
  return kExitOk;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Serves Intercom workspaces as typed tables over gRPC.\n"
      "Clients name a connection of the configuration file; access tokens stay here.",
      "intercom-extractor-server");
  app.add_option("--config", flags.config, "YAML file: connections, TLS, timeouts")
      ->type_name("FILE")
      ->required();
  app.add_option("--listen", flags.listen,
                 "Address instead of the file's: HOST:PORT (port 0: any free one) or\n"
                 "unix:PATH; anything but loopback and unix needs TLS")
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
      "SIGTERM and SIGINT end running extractions with a last checkpoint, within 25 s;\n"
      "a second one ends at once. Exit codes: 0 stopped by a signal, 2 usage or configuration, 5 "
      "the\n"
      "address cannot be bound.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" with code 0.
    return app.exit(error) == 0 ? kExitOk : kExitConfiguration;
  }
  flags.log_format = log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  flags.log_level = levels.at(log_level);
  return Serve(flags);
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) { return intercom_extractor::Main(argc, argv); }

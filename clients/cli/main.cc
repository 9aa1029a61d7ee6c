// intercom-extract: the command line of the Intercom extractor.

#include <unistd.h>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cli/check_command.h"
#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/embedded_server.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extract_command.h"
#include "clients/cli/extractor_api.h"
#include "clients/cli/fleet_command.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/login_command.h"
#include "clients/cli/plan_command.h"
#include "clients/cli/remote_server.h"
#include "clients/cli/sink_command.h"
#include "clients/cli/state_command.h"
#include "clients/cli/tables_command.h"
#include "clients/cli/top_command.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/client.h"
#include "server/extractor_server.h"
#include "server/secrets.h"

namespace intercom_extractor {
namespace {

// The way to a server, and the server itself where it runs in this process.
struct Server {
  std::unique_ptr<ExtractorServer> embedded;
  std::optional<Client> client;
};

absl::StatusOr<Server> Connect(const ConnectionOptions& options, bool needs_token) {
  Server server;
  if (options.embedded()) {
    auto embedded = StartEmbeddedServer(options, needs_token);
    if (!embedded.ok()) return embedded.status();
    server.embedded = *std::move(embedded);
    server.client.emplace(server.embedded->InProcessChannel(), /*caller_token=*/"");
    return server;
  }
  auto client = ConnectToServer(options);
  if (!client.ok()) return client.status();
  server.client = *std::move(client);
  return server;
}

template <typename Options, typename Command>
Outcome RunWithServer(const Options& options, bool needs_token, Cancellation* interrupt,
                      Command command) {
  auto server = Connect(options.connection, needs_token);
  if (!server.ok()) return {ExitCode::kUsage, std::string(server.status().message())};
  Outcome outcome;
  {
    ExtractorApi api(*server->client, interrupt);
    outcome = command(&api);
  }
  server->client.reset();
  if (server->embedded != nullptr) server->embedded->Shutdown(absl::ZeroDuration());
  return outcome;
}

Outcome Run(const CommandLine& command_line, const Console& console, Cancellation* interrupt) {
  if (const auto* error = std::get_if<UsageError>(&command_line)) {
    return {ExitCode::kUsage, error->message};
  }
  if (const auto* info = std::get_if<InfoText>(&command_line)) {
    if (console.out(info->text)) return {};
    return {ExitCode::kOutput, "cannot write to standard output"};
  }
  if (const auto* extract = std::get_if<ExtractOptions>(&command_line)) {
    return RunWithServer(*extract, /*needs_token=*/true, interrupt, [&](ExtractorApi* api) {
      if (!extract->sink.empty()) {
        return RunSink(*extract, api, console, ProcessTiming(interrupt));
      }
      return RunExtract(*extract, api, console, ProcessTiming(interrupt));
    });
  }
  if (const auto* check = std::get_if<CheckOptions>(&command_line)) {
    return RunWithServer(*check, /*needs_token=*/true, interrupt,
                         [&](ExtractorApi* api) { return RunCheck(*check, api, console); });
  }
  if (const auto* plan = std::get_if<PlanOptions>(&command_line)) {
    return RunWithServer(*plan, /*needs_token=*/true, interrupt,
                         [&](ExtractorApi* api) { return RunPlan(*plan, api, console); });
  }
  if (const auto* top = std::get_if<TopOptions>(&command_line)) {
    return RunWithServer(*top, /*needs_token=*/false, interrupt,
                         [&](ExtractorApi* api) { return RunTop(*top, api, console); });
  }
  if (const auto* state = std::get_if<StateOptions>(&command_line)) {
    return RunStateCommand(*state, console, absl::Now());
  }
  if (const auto* fleet = std::get_if<FleetOptions>(&command_line)) {
    return RunFleet(*fleet, console, interrupt);
  }
  if (const auto* login = std::get_if<LoginOptions>(&command_line)) {
    LoginOptions options = *login;
    const Outcome outcome = RunLogin(&options, STDIN_FILENO, console, interrupt);
    if (outcome.code != ExitCode::kComplete || options.connection.access_token_file == "-") {
      return outcome;
    }
    CheckOptions check;
    check.connection = options.connection;
    return RunWithServer(check, /*needs_token=*/true, interrupt,
                         [&](ExtractorApi* api) { return RunCheck(check, api, console); });
  }
  const auto& tables = std::get<TablesOptions>(command_line);
  return RunWithServer(tables, /*needs_token=*/!tables.connection.config.empty(), interrupt,
                       [&](ExtractorApi* api) { return RunTables(tables, api, console); });
}

int Main(int argc, char** argv) {
  ForbidCoreFiles();
  Cancellation interrupt;
  SignalWatcher signals(&interrupt);
  const Console console = ProcessConsole();
  const Outcome outcome = Run(ParseCommandLine(argc, argv, absl::Now()), console, &interrupt);
  if (!outcome.message.empty()) {
    console.err(absl::StrCat("intercom-extract: ", ForTerminal(outcome.message), "\n"));
  }
  return static_cast<int>(outcome.code);
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) { return intercom_extractor::Main(argc, argv); }

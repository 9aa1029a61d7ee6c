// The fake Intercom as a program; see README.md.

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/fake_intercom/changed_since.h"
#include "tests/fake_intercom/changing_workspace.h"
#include "tests/fake_intercom/csv_directory.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/faults.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/http_server.h"
#include "tests/fake_intercom/oracle.h"
#include "tests/fake_intercom/quota.h"
#include "tests/fake_intercom/scenario_file.h"

namespace intercom_extractor::fake {
namespace {

struct Flags {
  GeneratorOptions generator;
  FakeIntercomOptions server;
  int64_t latency_ms = 0;
  int64_t page_latency_per_item_us = 0;
  int64_t scroll_ttl_ms = 60'000;
  size_t cache_mib = 512;
  std::string quota = "0";
  ChangingWorkspace::Options changes;
  std::string expect;
  std::string expect_at_end;
  std::string changes_log;
  bool expect_only = false;
  std::string body_format = "plaintext";
  std::string columns = "all";
  std::optional<int64_t> updated_since;
  bool find_deleted = false;
  int workspaces = 1;
  std::string request_log;
  std::string scenario;
  std::string scenario_name;
};

void Define(Flags* flags, CLI::App* app) {
  app->add_option("--port", flags->server.server.port, "0: any free port");
  app->add_option("--threads", flags->server.server.threads, "Threads that answer");
  app->add_option("--seed", flags->generator.seed, "What the records are made of");
  app->add_option("--workspaces", flags->workspaces,
                  "So many, each with a port, a seed, a token and a quota of its own")
      ->check(CLI::Range(1, 1000));
  app->add_option("--request-log", flags->request_log, "Writes a line for each request");
  app->add_option("--users", flags->generator.users, "Contacts with role user");
  app->add_option("--leads", flags->generator.leads, "Contacts with role lead");
  app->add_option("--companies", flags->generator.companies, "Companies");
  app->add_option("--conversations", flags->generator.conversations, "Conversations");
  app->add_option("--deleted-conversations", flags->generator.deleted_conversations,
                  "Conversations that existed once");
  app->add_option("--parts-per-conversation", flags->generator.parts_per_conversation,
                  "Parts of a conversation, on average");
  app->add_option("--record-cache-mib", flags->cache_mib, "Memory for records ready to send");
  app->add_option("--latency-ms", flags->latency_ms, "What each answer takes");
  app->add_option("--page-latency-per-item-us", flags->page_latency_per_item_us,
                  "What each record in an answer takes");
  app->add_option("--quota", flags->quota, "N/WINDOW such as 1666/10s; 0: none");
  app->add_option("--faults", flags->server.faults, "NAME[:PARAM...],...");
  app->add_option("--scenario", flags->scenario, "YAML file that says what goes wrong");
  app->add_option("--scenario-name", flags->scenario_name, "Which, of a file that holds several");
  app->add_option("--tls-cert", flags->server.server.tls_cert_file, "PEM file; serves https");
  app->add_option("--tls-key", flags->server.server.tls_key_file, "PEM file");
  app->add_option("--access-token", flags->server.access_token, "The token that is accepted");
  app->add_option("--client-id", flags->server.oauth.client_id, "Of the app that may log in");
  app->add_option("--client-secret", flags->server.oauth.client_secret, "Of that app");
  app->add_flag("--deny-login", flags->server.oauth.denied, "The person refuses that app");
  app->add_option("--timezone", flags->server.api.timezone, "The workspace's, as IANA names it");
  app->add_option("--region", flags->server.api.region, "What /me says");
  app->add_option("--default-version", flags->server.default_version,
                  "In force without the header Intercom-Version");
  app->add_option("--search-missing-newest", flags->server.api.search_missing_newest,
                  "Newest contacts that searches do not find yet");
  app->add_option("--scroll-ttl-ms", flags->scroll_ttl_ms, "How long an unused scroll lives");
  app->add_flag("--scroll-param-changes", flags->server.scroll.param_changes,
                "Each page of the scroll names a new scroll_param");
  app->add_option("--changes", flags->changes.changes,
                  "Records that are created, changed, deleted, merged or converted meanwhile");
  app->add_option("--requests-between-changes", flags->changes.requests_between, "On average");
  app->add_option("--changes-log", flags->changes_log, "Writes what changed, at the end");
  app->add_option("--expect-at-end", flags->expect_at_end,
                  "As --expect, of what the workspace is at the end");
  app->add_option("--expect", flags->expect, "Writes the expected CSV files into this directory");
  app->add_flag("--expect-only", flags->expect_only, "Ends after --expect");
  app->add_option("--body-format", flags->body_format, "Of the expected files")
      ->check(CLI::IsMember({"plaintext", "html"}));
  app->add_option("--columns", flags->columns, "Of the expected files")
      ->check(CLI::IsMember({"documented", "all"}));
  app->add_option("--expect-since", flags->updated_since,
                  "Unix seconds; the expected files are those of an incremental run");
  app->add_flag("--expect-find-deleted", flags->find_deleted,
                "Of a run that lists all contacts to find deleted ones");
}

// What the scenario asks of the fake. Throws std::invalid_argument for one that cannot be
// read.
void AddScenario(Flags* flags) {
  if (flags->scenario.empty()) return;
  const absl::StatusOr<Scenario> scenario = LoadScenario(flags->scenario, flags->scenario_name);
  if (!scenario.ok()) throw std::invalid_argument(std::string(scenario.status().message()));
  flags->server.faults += "," + scenario->faults;
  flags->server.fault_rules = scenario->rules;
  flags->server.connection_rules = scenario->connections;
}

void WriteExpected(const Workspace& workspace, const Flags& flags, const std::string& to) {
  Faults faults;
  faults.Add(flags.server.faults);
  OracleOptions options;
  options.plaintext = flags.body_format == "plaintext";
  if (flags.updated_since) {
    options.since = ChangedSince::ByDays(*flags.updated_since, flags.server.api.timezone);
    options.since->find_deleted = flags.find_deleted;
  }
  options.vanished_contacts = VanishedRecords(workspace.contact_count(), faults.vanish());
  options.vanished_conversations = VanishedRecords(workspace.conversation_count(), faults.vanish());
  CsvDirectory directory(to, flags.columns == "documented");
  ExpectedRows(workspace, options,
               [&](size_t table, const OracleRow& row) { directory.Write(table, row); });
  directory.Close();
}

// One line for each change: what happened, to what, its id, the contact it was merged
// into, and when. Throws std::runtime_error when it cannot be written.
void WriteChanges(const std::vector<Change>& changes, const std::string& path) {
  static constexpr std::array<const char*, 5> kKinds = {"create", "update", "delete", "merge",
                                                        "convert"};
  std::ofstream file(path);
  for (const Change& change : changes) {
    file << kKinds[static_cast<size_t>(change.kind)] << '\t'
         << (change.contact ? "contact" : "conversation") << '\t' << change.id << '\t'
         << change.into << '\t' << change.at << '\n';
  }
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

// One line for each request: when it came in Unix microseconds, the workspace's number, the
// status, who asked, and for what. Throws std::runtime_error when it cannot be written.
class RequestLog {
 public:
  explicit RequestLog(const std::string& path) : file_(path) {
    if (!file_) throw std::runtime_error("cannot write " + path);
  }

  void Write(int workspace, const Request& request, const Response& response) {
    const int64_t at = absl::ToUnixMicros(absl::Now());
    const std::lock_guard<std::mutex> lock(mu_);
    file_ << at << '\t' << workspace << '\t' << response.status << '\t'
          << request.Header("user-agent") << '\t' << request.method << ' ' << request.path << '\n'
          << std::flush;
  }

 private:
  std::mutex mu_;
  std::ofstream file_;
};

// One workspace, served from construction to destruction.
class Served {
 public:
  // Of several, `number` tells it apart, from 1.
  Served(const Flags& flags, int number, RequestLog* log) : flags_(flags) {
    if (flags_.workspaces > 1) {
      flags_.generator.seed += number - 1;
      for (std::string* text : {&flags_.expect, &flags_.expect_at_end}) {
        if (!text->empty()) *text += "/" + std::to_string(number);
      }
      flags_.server.access_token += "-" + std::to_string(number);
      if (flags_.server.server.port != 0) flags_.server.server.port += number - 1;
    }
    flags_.changes.seed = flags_.generator.seed;
    workspace_ =
        std::make_shared<ChangingWorkspace>(std::make_shared<GeneratedWorkspace>(flags_.generator),
                                            flags_.changes, flags_.server.clock);
    if (flags_.changes.changes > 0) {
      flags_.server.on_request = [workspace = workspace_.get()] { workspace->OnRequest(); };
    }
    if (log != nullptr) {
      flags_.server.on_answer = [log, number](const Request& request, const Response& response) {
        log->Write(number, request, response);
      };
    }
    if (!flags_.expect.empty()) WriteExpected(*workspace_, flags_, flags_.expect);
    if (!flags_.expect_only) {
      intercom_ = std::make_unique<const FakeIntercom>(flags_.server, workspace_);
    }
  }

  const FakeIntercom& intercom() const { return *intercom_; }

  void End() {
    intercom_.reset();
    if (!flags_.expect_at_end.empty()) WriteExpected(*workspace_, flags_, flags_.expect_at_end);
    if (!flags_.changes_log.empty()) WriteChanges(workspace_->changes(), flags_.changes_log);
  }

 private:
  Flags flags_;
  std::shared_ptr<ChangingWorkspace> workspace_;
  std::unique_ptr<const FakeIntercom> intercom_;
};

int Run(int argc, char** argv) {
  Flags flags;
  CLI::App app("A server that behaves as Intercom's API does, over a generated workspace.");
  Define(&flags, &app);
  CLI11_PARSE(app, argc, argv);
  if (flags.workspaces > 1 && !flags.changes_log.empty()) {
    throw std::invalid_argument("--changes-log is for one workspace");
  }
  AddScenario(&flags);
  flags.generator.record_cache_bytes = flags.expect_only ? 0 : flags.cache_mib << 20;
  flags.server.latency = std::chrono::milliseconds(flags.latency_ms);
  flags.server.page_latency_per_item = std::chrono::microseconds(flags.page_latency_per_item_us);
  flags.server.scroll.time_to_live = absl::Milliseconds(flags.scroll_ttl_ms);
  flags.server.quota = Quota::Parse(flags.quota);

  // Blocked before any thread starts, so that all inherit it and sigwait gets them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  std::optional<RequestLog> log;
  if (!flags.request_log.empty()) log.emplace(flags.request_log);
  std::vector<std::unique_ptr<Served>> served;
  for (int number = 1; number <= flags.workspaces; ++number) {
    served.push_back(std::make_unique<Served>(flags, number, log ? &*log : nullptr));
  }
  if (flags.expect_only) return 0;
  for (const auto& workspace : served) {
    std::cout << "listening on " << workspace->intercom().base_url() << '\n';
  }
  std::cout << std::flush;
  int signal = 0;
  sigwait(&signals, &signal);
  for (const auto& workspace : served) workspace->End();
  return 0;
}

}  // namespace
}  // namespace intercom_extractor::fake

int main(int argc, char** argv) {
  try {
    return intercom_extractor::fake::Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "fake-intercom: " << error.what() << "\n";
    return 2;
  }
}

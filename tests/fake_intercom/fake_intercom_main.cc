// The fake Intercom as a program; see README.md.

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/fake_intercom/changed_since.h"
#include "tests/fake_intercom/changing_workspace.h"
#include "tests/fake_intercom/csv_directory.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/faults.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/oracle.h"
#include "tests/fake_intercom/quota.h"

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
};

void Define(Flags* flags, CLI::App* app) {
  app->add_option("--port", flags->server.server.port, "0: any free port");
  app->add_option("--threads", flags->server.server.threads, "Threads that answer");
  app->add_option("--seed", flags->generator.seed, "What the records are made of");
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
  app->add_option("--tls-cert", flags->server.server.tls_cert_file, "PEM file; serves https");
  app->add_option("--tls-key", flags->server.server.tls_key_file, "PEM file");
  app->add_option("--access-token", flags->server.access_token, "The token that is accepted");
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

int Run(int argc, char** argv) {
  Flags flags;
  CLI::App app("A server that behaves as Intercom's API does, over a generated workspace.");
  Define(&flags, &app);
  CLI11_PARSE(app, argc, argv);
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

  flags.changes.seed = flags.generator.seed;
  const auto workspace = std::make_shared<ChangingWorkspace>(
      std::make_shared<GeneratedWorkspace>(flags.generator), flags.changes, flags.server.clock);
  if (flags.changes.changes > 0) {
    flags.server.on_request = [&workspace] { workspace->OnRequest(); };
  }
  if (!flags.expect.empty()) WriteExpected(*workspace, flags, flags.expect);
  if (flags.expect_only) return 0;
  {
    const FakeIntercom intercom(flags.server, workspace);
    std::cout << "listening on " << intercom.base_url() << std::endl;
    int signal = 0;
    sigwait(&signals, &signal);
  }
  if (!flags.expect_at_end.empty()) WriteExpected(*workspace, flags, flags.expect_at_end);
  if (!flags.changes_log.empty()) WriteChanges(workspace->changes(), flags.changes_log);
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

#include "clients/cli/fleet_worker.h"

#include <time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cli/alive_file.h"
#include "clients/cli/embedded_server.h"
#include "clients/cpp/client.h"
#include "clients/fleet/fleet_topics.h"
#include "clients/fleet/job_run.h"
#include "clients/fleet/lease.h"
#include "clients/fleet/worker.h"
#include "clients/sinks/one_writer.h"
#include "server/extractor_server.h"
#include "server/server_config.h"

namespace intercom_extractor {
namespace {

// Of a session. Who finds its lease alive when it wakes goes on until its next heartbeat, a
// tenth of a session at most, tells that another one has taken its name: a takeover waits
// for longer than both.
constexpr double kLease = 1.0 / 3;
constexpr double kTakeover = 1.0 / 2;

// Runs on while machine and process stand still.
absl::Time SinceBoot() {
  timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return absl::UnixEpoch() + absl::DurationFromTimespec(time);
}

std::string HostName() {
  char name[256] = "";
  gethostname(name, sizeof(name) - 1);
  return name;
}

}  // namespace

Outcome RunFleetWorker(const FleetOptions& options, KafkaTarget target, const Console& console,
                       Cancellation* interrupt) {
  auto config = EmbeddedServerConfig(options.connection, /*needs_token=*/true);
  if (!config.ok()) return {ExitCode::kUsage, std::string(config.status().message())};
  if (absl::Status found = FindFleet(&target); !found.ok()) {
    return {ExitCode::kOutput, std::string(found.message())};
  }
  JobSetting setting;
  setting.worker = options.worker.empty() ? HostName() : options.worker;
  setting.process = RandomInstance();
  setting.takeover_wait = options.session_timeout * kTakeover;
  setting.now = absl::Now;
  setting.random = [] {
    thread_local absl::BitGen random;
    return absl::Uniform(random, 0.0, 1.0);
  };
  setting.note = [&console](const std::string& workspace, const std::string& text) {
    console.err(
        absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()),
                     " ", workspace, ": ", ForTerminal(text), "\n"));
  };

  const auto lease = std::make_shared<Lease>(SinceBoot, options.session_timeout * kLease);
  WorkspaceRights rights;
  for (Connection& connection : config->connections) {
    auto right = std::make_shared<WorkspaceRight>(lease);
    connection.may_send = [right] { return right->holds(); };
    rights[connection.name] = std::move(right);
  }
  // Intercom's logs then tell workers apart.
  config->http.user_agent =
      absl::StrCat("intercom-extractor worker/", setting.worker, " process/", setting.process);
  auto server = ExtractorServer::Start(*config);
  if (!server.ok()) return {ExitCode::kUsage, std::string(server.status().message())};

  Outcome outcome;
  {
    const Client client((*server)->InProcessChannel(), /*caller_token=*/"");
    const auto tables = client.ListTables();
    if (!tables.ok()) return {ExitCode::kUnreachable, std::string(tables.status().message())};
    setting.tables = {tables->tables().begin(), tables->tables().end()};
    setting.target = std::move(target);
    Worker::Options worker_options;
    worker_options.group.group = absl::StrCat(setting.target.prefix, "fleet");
    worker_options.group.name = options.worker;
    worker_options.group.session_timeout = options.session_timeout;
    worker_options.max_jobs = options.jobs;
    AliveFile alive(options.alive_file);
    if (absl::Status made = alive.Make(SinceBoot()); !made.ok()) {
      return {ExitCode::kOutput, std::string(made.message())};
    }
    worker_options.on_round = [&alive] { alive.Touch(SinceBoot()); };
    setting.note("fleet", absl::StrCat("worker ", setting.worker, " with ", rights.size(),
                                       " connections, at ", setting.target.name()));
    Worker worker(setting, worker_options, client, lease.get(), rights);
    if (absl::Status ended = worker.Run(interrupt); !ended.ok()) {
      outcome = {ExitCode::kOutput, std::string(ended.message())};
    }
  }
  (*server)->Shutdown(absl::ZeroDuration());
  return outcome;
}

}  // namespace intercom_extractor

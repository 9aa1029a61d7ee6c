#include "clients/cli/fleet_command.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cli/fleet_status.h"
#include "clients/cli/fleet_worker.h"
#include "clients/cli/progress_text.h"
#include "clients/fleet/fleet_topics.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "fleet.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

Outcome FleetOutcome(const absl::Status& status) {
  if (status.ok()) return {};
  const bool usage = absl::IsInvalidArgument(status) || absl::IsNotFound(status);
  return {usage ? ExitCode::kUsage : ExitCode::kOutput, std::string(status.message())};
}

absl::StatusOr<std::set<std::string>> WorkspacesOf(const FleetOptions& options) {
  std::set<std::string> names(options.workspaces.begin(), options.workspaces.end());
  if (options.workspaces_file.empty()) return names;
  const bool stdin_is_it = options.workspaces_file == "-";
  std::ifstream file;
  if (!stdin_is_it) file.open(options.workspaces_file);
  std::istream& lines = stdin_is_it ? std::cin : file;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const absl::string_view name = absl::StripAsciiWhitespace(line);
    if (name.empty()) continue;
    const std::string mistake = WorkspaceNameMistake(name);
    if (!mistake.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--workspaces-file ", options.workspaces_file, ":", number, ": ", mistake));
    }
    names.emplace(name);
  }
  if (names.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--workspaces-file ", options.workspaces_file,
                                                   " cannot be read, or names no workspace"));
  }
  return names;
}

fleet::Job JobOf(const FleetOptions& options) {
  v1::ExtractRequest request;
  request.set_template_(options.table_template);
  for (const std::string& table : options.tables) request.add_tables(table);
  request.set_body_format(options.body_format);
  fleet::Job job;
  job.set_name(options.job);
  job.set_request(request.SerializeAsString());
  job.set_every_seconds(absl::ToInt64Seconds(options.every));
  job.set_incremental(options.incremental);
  job.set_overlap_seconds(absl::ToInt64Seconds(options.overlap));
  job.set_submitted_at(absl::ToUnixMillis(absl::Now()));
  return job;
}

// Without the job of that name; whether there was one.
bool RemoveJob(const std::string& name, fleet::WorkspaceJobs* jobs) {
  auto* const all = jobs->mutable_jobs();
  const int before = all->size();
  all->erase(std::remove_if(all->begin(), all->end(),
                            [&name](const fleet::Job& job) { return job.name() == name; }),
             all->end());
  return all->size() < before;
}

std::string Counted(size_t count) {
  return absl::StrCat(GroupDigits(static_cast<int64_t>(count)),
                      count == 1 ? " workspace" : " workspaces");
}

Outcome Submit(const FleetOptions& options, KafkaTarget target, const Console& console) {
  const auto names = WorkspacesOf(options);
  if (!names.ok()) return FleetOutcome(names.status());
  if (absl::Status made = MakeFleet(options.partitions, &target); !made.ok()) {
    return FleetOutcome(made);
  }
  const fleet::Job job = JobOf(options);
  absl::Status changed =
      ChangeJobs(target, [&](const JobsByWorkspace& now) -> absl::StatusOr<JobsByWorkspace> {
        JobsByWorkspace wanted;
        for (const std::string& name : *names) {
          fleet::WorkspaceJobs& jobs = wanted[name];
          const auto found = now.find(name);
          if (found != now.end()) jobs = found->second;
          RemoveJob(job.name(), &jobs);
          *jobs.add_jobs() = job;
        }
        return wanted;
      });
  if (!changed.ok()) return FleetOutcome(changed);
  console.err(absl::StrCat("submitted job ", job.name(), " for ", Counted(names->size()), " at ",
                           target.name(), "\n"));
  return {};
}

Outcome Remove(const FleetOptions& options, KafkaTarget target, const Console& console) {
  const auto names = WorkspacesOf(options);
  if (!names.ok()) return FleetOutcome(names.status());
  if (absl::Status found = FindFleet(&target); !found.ok()) return FleetOutcome(found);
  absl::Status changed =
      ChangeJobs(target, [&](const JobsByWorkspace& now) -> absl::StatusOr<JobsByWorkspace> {
        JobsByWorkspace wanted;
        for (const std::string& name : *names) {
          const auto found = now.find(name);
          if (found != now.end()) wanted[name] = found->second;
          if (found == now.end() || !RemoveJob(options.job, &wanted[name])) {
            return absl::NotFoundError(absl::StrCat("workspace ", name, " has no job ", options.job,
                                                    "; intercom-extract fleet status lists them"));
          }
        }
        return wanted;
      });
  if (!changed.ok()) return FleetOutcome(changed);
  console.err(absl::StrCat("removed job ", options.job, " of ", Counted(names->size()), "\n"));
  return {};
}

Outcome Status(const FleetOptions& options, KafkaTarget target, const Console& console) {
  if (absl::Status found = FindFleet(&target); !found.ok()) return FleetOutcome(found);
  const auto jobs = ReadJobs(target);
  if (!jobs.ok()) return FleetOutcome(jobs.status());
  const auto states = ReadStates(target, {});
  if (!states.ok()) return FleetOutcome(states.status());
  const std::vector<FleetJob> all = JoinFleet(*jobs, *states);
  const std::string text = options.json ? FleetStatusJson(all) : FleetStatusText(all, absl::Now());
  if (!console.out(text)) return {ExitCode::kOutput, "cannot write to standard output"};
  const bool amiss = std::any_of(all.begin(), all.end(), [](const FleetJob& job) {
    return job.state.phase() == fleet::PHASE_FAILED || job.state.phase() == fleet::PHASE_PARTIAL;
  });
  return {amiss ? ExitCode::kPartial : ExitCode::kComplete, ""};
}

}  // namespace

Outcome RunFleet(const FleetOptions& options, const Console& console, Cancellation* interrupt) {
  auto target = ParseKafkaUrl(options.sink);
  if (!target.ok()) return FleetOutcome(target.status());
  if (const char* password = std::getenv("INTERCOM_SINK_PASSWORD")) target->password = password;
  switch (options.action) {
    case FleetOptions::Action::kSubmit:
      return Submit(options, *std::move(target), console);
    case FleetOptions::Action::kRemove:
      return Remove(options, *std::move(target), console);
    case FleetOptions::Action::kStatus:
      return Status(options, *std::move(target), console);
    case FleetOptions::Action::kWork:
      break;
  }
  return RunFleetWorker(options, *std::move(target), console, interrupt);
}

}  // namespace intercom_extractor

#include "clients/cli/fleet_status.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/console.h"
#include "clients/cli/incremental_flags.h"
#include "clients/cli/json_text.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/text_table.h"
#include "clients/fleet/job_plan.h"

namespace intercom_extractor {
namespace {

constexpr size_t kLongestMessage = 100;

std::string Ago(int64_t millis, absl::Time now) {
  if (millis == 0) return "";
  const int64_t seconds =
      std::max<int64_t>(0, absl::ToInt64Seconds(now - absl::FromUnixMillis(millis)));
  return absl::StrCat(seconds == 0 ? "0s" : absl::FormatDuration(absl::Seconds(seconds)), " ago");
}

// When it runs the next time; empty where it does not wait for one.
std::string NextText(const FleetJob& job) {
  const absl::Time due = DueAt(job.job, &job.state);
  return due == absl::InfinitePast() || due == absl::InfiniteFuture() ? "" : FormatSince(due);
}

std::string Shortened(std::string text) {
  if (text.size() <= kLongestMessage) return text;
  text.resize(kLongestMessage);
  return absl::StrCat(text, "...");
}

}  // namespace

std::vector<FleetJob> JoinFleet(const JobsByWorkspace& jobs,
                                const std::map<std::string, fleet::WorkspaceState>& states) {
  std::vector<FleetJob> all;
  for (const auto& [workspace, of_workspace] : jobs) {
    const auto state = states.find(workspace);
    for (const fleet::Job& job : of_workspace.jobs()) {
      FleetJob& joined = all.emplace_back();
      joined.workspace = workspace;
      joined.job = job;
      if (state == states.end()) continue;
      const auto found = state->second.jobs().find(job.name());
      if (found == state->second.jobs().end() ||
          found->second.submitted_at() != job.submitted_at()) {
        continue;
      }
      joined.state = found->second;
      if (joined.state.phase() == fleet::PHASE_RUNNING) joined.worker = state->second.worker();
    }
  }
  return all;
}

std::string FleetStatusText(const std::vector<FleetJob>& jobs, absl::Time now) {
  if (jobs.empty()) return "no jobs\n";
  std::map<std::string, int> counts;
  std::vector<std::vector<std::string>> rows = {
      {"WORKSPACE", "JOB", "STATE", "WORKER", "ROWS", "LAST COMMIT", "NEXT", "MESSAGE"}};
  for (const FleetJob& job : jobs) {
    const std::string phase = PhaseName(job.state.phase());
    ++counts[phase];
    rows.push_back({job.workspace, job.job.name(), phase, ForTerminal(job.worker),
                    GroupDigits(job.state.rows()), Ago(job.state.changed_at(), now), NextText(job),
                    ForTerminal(Shortened(job.state.message()))});
  }
  const Alignment left = Alignment::kLeft;
  return absl::StrCat(
      absl::StrJoin(counts, ", ",
                    [](std::string* out, const auto& count) {
                      absl::StrAppend(out, GroupDigits(count.second), " ", count.first);
                    }),
      "\n\n", FormatTextTable({left, left, left, left, Alignment::kRight, left, left, left}, rows));
}

std::string FleetStatusJson(const std::vector<FleetJob>& jobs) {
  JsonText json;
  json.BeginObject().Key("jobs").BeginArray();
  for (const FleetJob& job : jobs) {
    const auto time = [&json](const char* name, int64_t millis) {
      json.Key(name);
      if (millis == 0) {
        json.Null();
      } else {
        json.String(FormatSince(absl::FromUnixMillis(millis)));
      }
    };
    json.BeginObject();
    json.Key("workspace").String(job.workspace).Key("job").String(job.job.name());
    json.Key("state").String(PhaseName(job.state.phase())).Key("worker").String(job.worker);
    json.Key("every_seconds").Int(job.job.every_seconds());
    json.Key("incremental").Bool(job.job.incremental());
    json.Key("rows").Int(job.state.rows()).Key("checkpoint").Int(job.state.checkpoint());
    time("submitted_at", job.job.submitted_at());
    time("started_at", job.state.started_at());
    time("committed_at", job.state.changed_at());
    time("ended_at", job.state.ended_at());
    const std::string next = NextText(job);
    json.Key("next_at");
    if (next.empty()) {
      json.Null();
    } else {
      json.String(next);
    }
    json.Key("failures").Int(job.state.failures()).Key("message").String(job.state.message());
    json.EndObject();
  }
  json.EndArray().EndObject();
  return absl::StrCat(json.text(), "\n");
}

}  // namespace intercom_extractor

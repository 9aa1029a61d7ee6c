#include "clients/fleet/job_plan.h"

#include <algorithm>

namespace intercom_extractor {
namespace {

constexpr absl::Duration kFirstRetry = absl::Seconds(10);
constexpr absl::Duration kLongestRetry = absl::Minutes(10);

absl::Time Retry(const fleet::JobState& state) {
  const int doublings = std::clamp(state.failures() - 1, 0, 10);
  const absl::Duration wait = std::min(kFirstRetry * (1 << doublings), kLongestRetry);
  return absl::FromUnixMillis(state.changed_at()) + wait;
}

}  // namespace

bool IsUnfinished(const fleet::JobState& state) {
  return state.phase() == fleet::PHASE_RUNNING || state.phase() == fleet::PHASE_RELEASED ||
         state.phase() == fleet::PHASE_RETRYING;
}

absl::Time DueAt(const fleet::Job& job, const fleet::JobState* state) {
  if (state == nullptr || state->submitted_at() != job.submitted_at()) return absl::InfinitePast();
  if (state->phase() == fleet::PHASE_RETRYING) return Retry(*state);
  if (IsUnfinished(*state)) return absl::InfinitePast();
  if (job.every_seconds() == 0) return absl::InfiniteFuture();
  return absl::FromUnixMillis(state->started_at()) + absl::Seconds(job.every_seconds());
}

std::optional<DueJob> NextJob(const fleet::WorkspaceJobs& jobs,
                              const fleet::WorkspaceState& state) {
  std::optional<DueJob> next;
  for (const fleet::Job& job : jobs.jobs()) {
    const auto found = state.jobs().find(job.name());
    const fleet::JobState* const last = found == state.jobs().end() ? nullptr : &found->second;
    const absl::Time at = DueAt(job, last);
    if (at == absl::InfiniteFuture()) continue;
    const bool begun = last != nullptr && job.name() == state.current() && IsUnfinished(*last) &&
                       last->submitted_at() == job.submitted_at();
    if (begun) return DueJob{job, at};
    if (!next.has_value() || at < next->at ||
        (at == next->at && job.submitted_at() < next->job.submitted_at())) {
      next = DueJob{job, at};
    }
  }
  return next;
}

std::string PhaseName(fleet::Phase phase) {
  switch (phase) {
    case fleet::PHASE_RUNNING:
      return "running";
    case fleet::PHASE_RELEASED:
      return "released";
    case fleet::PHASE_RETRYING:
      return "retrying";
    case fleet::PHASE_COMPLETE:
      return "complete";
    case fleet::PHASE_PARTIAL:
      return "partial";
    case fleet::PHASE_FAILED:
      return "failed";
    default:
      return "waiting";
  }
}

}  // namespace intercom_extractor

#ifndef CLIENTS_FLEET_JOB_PLAN_H_
#define CLIENTS_FLEET_JOB_PLAN_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "fleet.pb.h"

namespace intercom_extractor {

// When a job is to run next, as its last run stands (null where it has never run): in the
// past where it is due; infinite where it has nothing to do. Pure.
absl::Time DueAt(const fleet::Job& job, const fleet::JobState* state);

// A job of a workspace, and when it is due.
struct DueJob {
  fleet::Job job;
  absl::Time at;
};

// The job of the workspace that comes next: one that has begun goes on before any other does,
// as there is one position for all. Nothing where none has anything to do. Pure.
std::optional<DueJob> NextJob(const fleet::WorkspaceJobs& jobs, const fleet::WorkspaceState& state);

// Whether a run of the job has begun and not come to its end.
bool IsUnfinished(const fleet::JobState& state);

// For people: "complete".
std::string PhaseName(fleet::Phase phase);

}  // namespace intercom_extractor

#endif  // CLIENTS_FLEET_JOB_PLAN_H_

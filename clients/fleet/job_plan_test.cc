#include "clients/fleet/job_plan.h"

#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

fleet::Job JobOf(const std::string& name, int64_t submitted_at, int64_t every = 0) {
  fleet::Job job;
  job.set_name(name);
  job.set_submitted_at(submitted_at);
  job.set_every_seconds(every);
  return job;
}

fleet::JobState StateOf(fleet::Phase phase, int64_t submitted_at) {
  fleet::JobState state;
  state.set_phase(phase);
  state.set_submitted_at(submitted_at);
  state.set_started_at(kNow);
  state.set_changed_at(kNow);
  return state;
}

absl::Time After(absl::Duration time) { return absl::FromUnixMillis(kNow) + time; }

TEST(JobPlanTest, JobThatNeverRanIsDue) {
  EXPECT_EQ(DueAt(JobOf("a", 1), nullptr), absl::InfinitePast());
}

TEST(JobPlanTest, JobThatWasSubmittedAgainIsDueAgain) {
  const fleet::JobState done = StateOf(fleet::PHASE_COMPLETE, 1);
  EXPECT_EQ(DueAt(JobOf("a", 1), &done), absl::InfiniteFuture());
  EXPECT_EQ(DueAt(JobOf("a", 2), &done), absl::InfinitePast());
}

TEST(JobPlanTest, ScheduleCountsFromTheBeginningOfTheLastRunHoweverItEnded) {
  for (const fleet::Phase phase :
       {fleet::PHASE_COMPLETE, fleet::PHASE_PARTIAL, fleet::PHASE_FAILED}) {
    const fleet::JobState last = StateOf(phase, 1);
    EXPECT_EQ(DueAt(JobOf("a", 1, 3600), &last), After(absl::Hours(1)));
  }
}

TEST(JobPlanTest, UnfinishedRunGoesOnAtOnce) {
  for (const fleet::Phase phase : {fleet::PHASE_RUNNING, fleet::PHASE_RELEASED}) {
    const fleet::JobState last = StateOf(phase, 1);
    EXPECT_EQ(DueAt(JobOf("a", 1, 3600), &last), absl::InfinitePast());
  }
}

TEST(JobPlanTest, FailuresAreTriedAgainAfterEverLongerPausesOfAtMostTenMinutes) {
  fleet::JobState last = StateOf(fleet::PHASE_RETRYING, 1);
  last.set_failures(1);
  EXPECT_EQ(DueAt(JobOf("a", 1), &last), After(absl::Seconds(10)));
  last.set_failures(3);
  EXPECT_EQ(DueAt(JobOf("a", 1), &last), After(absl::Seconds(40)));
  last.set_failures(1000);
  EXPECT_EQ(DueAt(JobOf("a", 1), &last), After(absl::Minutes(10)));
}

TEST(JobPlanTest, NextIsTheOneThatHasBegunBeforeAllOthers) {
  fleet::WorkspaceJobs jobs;
  *jobs.add_jobs() = JobOf("new", 1);
  *jobs.add_jobs() = JobOf("begun", 2);
  fleet::WorkspaceState state;
  (*state.mutable_jobs())["begun"] = StateOf(fleet::PHASE_RETRYING, 2);
  EXPECT_EQ(NextJob(jobs, state)->job.name(), "new");
  state.set_current("begun");
  EXPECT_EQ(NextJob(jobs, state)->job.name(), "begun");
  // Not where it was submitted anew: that is another run.
  jobs.mutable_jobs(1)->set_submitted_at(3);
  EXPECT_EQ(NextJob(jobs, state)->job.name(), "new");
}

TEST(JobPlanTest, OfJobsThatAreDueTheOneSubmittedFirstComesFirst) {
  fleet::WorkspaceJobs jobs;
  *jobs.add_jobs() = JobOf("later", 2);
  *jobs.add_jobs() = JobOf("earlier", 1);
  EXPECT_EQ(NextJob(jobs, {})->job.name(), "earlier");
}

TEST(JobPlanTest, WorkspaceWhoseJobsAreDoneHasNothingNext) {
  fleet::WorkspaceJobs jobs;
  EXPECT_FALSE(NextJob(jobs, {}).has_value());
  *jobs.add_jobs() = JobOf("a", 1);
  fleet::WorkspaceState state;
  (*state.mutable_jobs())["a"] = StateOf(fleet::PHASE_PARTIAL, 1);
  EXPECT_FALSE(NextJob(jobs, state).has_value());
}

}  // namespace
}  // namespace intercom_extractor

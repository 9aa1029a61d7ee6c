#include "clients/cli/fleet_status.h"

#include <map>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kNow = 1'700'000'000'000;

class FleetStatusTest : public testing::Test {
 protected:
  // Submits a job, and says of its last run how it stands.
  fleet::JobState* Add(const std::string& workspace, fleet::Phase phase, int64_t submitted_at = 1) {
    fleet::Job* const job = jobs_[workspace].add_jobs();
    job->set_name("extract");
    job->set_submitted_at(submitted_at);
    fleet::WorkspaceState& state = states_[workspace];
    state.set_worker("worker1");
    fleet::JobState& last = (*state.mutable_jobs())["extract"];
    last.set_phase(phase);
    last.set_submitted_at(1);
    last.set_changed_at(kNow - 65'000);
    last.set_rows(12'345);
    return &last;
  }

  std::string Text() const {
    return FleetStatusText(JoinFleet(jobs_, states_), absl::FromUnixMillis(kNow));
  }

  JobsByWorkspace jobs_;
  std::map<std::string, fleet::WorkspaceState> states_;
};

TEST_F(FleetStatusTest, CountsAndOneLineForEachJob) {
  Add("acme", fleet::PHASE_RUNNING);
  Add("beta", fleet::PHASE_COMPLETE);
  Add("gamma", fleet::PHASE_COMPLETE);
  EXPECT_THAT(Text(), HasSubstr("2 complete, 1 running\n"));
  EXPECT_THAT(Text(), HasSubstr("acme       extract  running   worker1  12,345  1m5s ago"));
}

TEST_F(FleetStatusTest, WorkerIsNamedOnlyWhileItIsAtTheJob) {
  Add("acme", fleet::PHASE_RELEASED);
  EXPECT_THAT(Text(), Not(HasSubstr("worker1")));
}

TEST_F(FleetStatusTest, JobThatWasSubmittedAgainWaits) {
  Add("acme", fleet::PHASE_COMPLETE, /*submitted_at=*/2);
  EXPECT_THAT(Text(), HasSubstr("1 waiting\n"));
  EXPECT_THAT(Text(), Not(HasSubstr("12,345")));
}

TEST_F(FleetStatusTest, MessagesAreOneShortLineWithoutControlCharacters) {
  Add("acme", fleet::PHASE_FAILED)->set_message("first\nsecond\x1b[31m" + std::string(500, 'x'));
  EXPECT_THAT(Text(), HasSubstr("first second"));
  EXPECT_THAT(Text(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(Text(), HasSubstr("x..."));
  EXPECT_THAT(Text(), Not(HasSubstr(std::string(101, 'x'))));
}

TEST_F(FleetStatusTest, JsonHasWholeMessagesAndNullForWhatHasNotHappened) {
  Add("acme", fleet::PHASE_RUNNING)->set_message(std::string(200, 'x'));
  const std::string json = FleetStatusJson(JoinFleet(jobs_, states_));
  EXPECT_THAT(json, HasSubstr(R"("state":"running","worker":"worker1")"));
  EXPECT_THAT(json, HasSubstr(R"("committed_at":"2023-11-14T22:12:15Z")"));
  EXPECT_THAT(json, HasSubstr(R"("ended_at":null,"next_at":null)"));
  EXPECT_THAT(json, HasSubstr(std::string(200, 'x')));
}

TEST_F(FleetStatusTest, FleetWithoutJobsSaysSo) { EXPECT_EQ(Text(), "no jobs\n"); }

}  // namespace
}  // namespace intercom_extractor

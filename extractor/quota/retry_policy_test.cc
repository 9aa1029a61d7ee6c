#include "extractor/quota/retry_policy.h"

#include <algorithm>
#include <limits>

#include "absl/time/time.h"
#include "extractor/sync/fake_clock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(RetryPolicyTest, PauseIsARandomShareOfADoublingBound) {
  RetryPolicy policy({}, [] { return 0.5; });
  EXPECT_EQ(policy.Pause(1), absl::Milliseconds(500));
  EXPECT_EQ(policy.Pause(2), absl::Seconds(1));
  EXPECT_EQ(policy.Pause(3), absl::Seconds(2));
  EXPECT_EQ(policy.Pause(4), absl::Seconds(4));
  EXPECT_EQ(policy.Pause(5), absl::Seconds(8));
}

TEST(RetryPolicyTest, PauseStaysBetweenZeroAndTheLargestBound) {
  for (const double random : {0.0, 0.999999}) {
    RetryPolicy policy({}, [random] { return random; });
    for (const int failures : {-1, 0, 1, 2, 6, 30, 31, 63, 1000, std::numeric_limits<int>::max()}) {
      const absl::Duration pause = policy.Pause(failures);
      EXPECT_GE(pause, absl::ZeroDuration()) << failures;
      EXPECT_LT(pause, absl::Seconds(30)) << failures;
    }
  }
  RetryPolicy policy({absl::Milliseconds(1), absl::Milliseconds(4)}, [] { return 0.5; });
  EXPECT_EQ(policy.Pause(1000), absl::Milliseconds(2));
}

TEST(RetryBudgetTest, SavedUpRetriesAreFree) {
  FakeClock clock;
  RetryBudget budget({}, &clock);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(budget.Take(), absl::ZeroDuration()) << i;
  EXPECT_GT(budget.Take(), absl::ZeroDuration());
}

TEST(RetryBudgetTest, AnEmptyBudgetDelaysButNeverForbids) {
  FakeClock clock;
  RetryBudget budget({/*per_success=*/0.2, /*per_second=*/5, /*capacity=*/0}, &clock);
  for (int i = 1; i <= 50; ++i) {
    // One after the other at five a second.
    EXPECT_NEAR(absl::ToDoubleSeconds(budget.Take()), 0.2 * i, 1e-6);
  }
}

TEST(RetryBudgetTest, TimeRefillsUpToTheCapacity) {
  FakeClock clock;
  RetryBudget budget({/*per_success=*/0, /*per_second=*/5, /*capacity=*/10}, &clock);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(budget.Take(), absl::ZeroDuration());
  clock.Advance(absl::Seconds(1));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(budget.Take(), absl::ZeroDuration());
  EXPECT_GT(budget.Take(), absl::ZeroDuration());
  clock.Advance(absl::Hours(1));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(budget.Take(), absl::ZeroDuration());
  EXPECT_GT(budget.Take(), absl::ZeroDuration());
}

// 300 requests that failed in one second kept each other waiting for a minute.
TEST(RetryBudgetTest, ManyFailuresAtOnceDelayNoRetryForLong) {
  FakeClock clock;
  RetryBudget budget({/*per_success=*/0, /*per_second=*/5, /*capacity=*/10}, &clock);
  absl::Duration longest;
  for (int i = 0; i < 300; ++i) longest = std::max(longest, budget.Take());
  EXPECT_EQ(longest, absl::Seconds(10));
  clock.Advance(absl::Seconds(11));
  EXPECT_EQ(budget.Take(), absl::ZeroDuration());
}

TEST(RetryBudgetTest, SuccessesPayForRetries) {
  FakeClock clock;
  RetryBudget budget({/*per_success=*/0.25, /*per_second=*/1, /*capacity=*/3}, &clock);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(budget.Take(), absl::ZeroDuration());
  for (int i = 0; i < 4; ++i) budget.OnSuccess();
  EXPECT_EQ(budget.Take(), absl::ZeroDuration());
  EXPECT_EQ(budget.Take(), absl::Seconds(1));
  // Not more than the capacity.
  for (int i = 0; i < 1000; ++i) budget.OnSuccess();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(budget.Take(), absl::ZeroDuration());
  EXPECT_GT(budget.Take(), absl::ZeroDuration());
}

}  // namespace
}  // namespace intercom_extractor

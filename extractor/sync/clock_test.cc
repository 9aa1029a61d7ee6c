#include "extractor/sync/clock.h"

#include "absl/time/time.h"
#include "extractor/sync/fake_clock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(SteadyClockTest, NeverGoesBack) {
  const SteadyClock clock;
  absl::Time last = clock.Now();
  for (int i = 0; i < 1000; ++i) {
    const absl::Time now = clock.Now();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(FakeClockTest, StandsStillUntilMoved) {
  FakeClock clock;
  const absl::Time start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(absl::Milliseconds(1));
  EXPECT_EQ(clock.Now(), start + absl::Milliseconds(1));
}

}  // namespace
}  // namespace intercom_extractor

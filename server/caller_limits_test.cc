#include "server/caller_limits.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/sync/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/caller_config.h"
#include "server/retry_delay.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

UsageLimits Limits(int streams, int requests, int64_t bytes) {
  UsageLimits limits;
  limits.max_streams = streams;
  limits.max_requests_per_minute = requests;
  limits.max_bytes_per_second = bytes;
  return limits;
}

class CallerLimitsTest : public ::testing::Test {
 protected:
  static void ExpectLimit(const absl::Status& status, absl::Duration delay) {
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(status), "CALLER_LIMIT");
    EXPECT_EQ(RetryDelayOf(status), delay);
  }

  FakeClock clock_;
};

TEST_F(CallerLimitsTest, WithoutLimitsEverythingGoes) {
  CallerLimits limits("everybody", UsageLimits(), &clock_);
  for (int i = 0; i < 10000; ++i) {
    ASSERT_TRUE(limits.TakeRequest().ok());
    ASSERT_TRUE(limits.BeginStream().ok());
    ASSERT_LE(limits.ScheduleBytes(1 << 20), clock_.Now());
  }
}

TEST_F(CallerLimitsTest, NoMinuteHasMoreCallsThanTheLimit) {
  CallerLimits limits("caller nightly", Limits(0, 3, 0), &clock_);
  EXPECT_TRUE(limits.TakeRequest().ok());
  clock_.Advance(absl::Seconds(10));
  EXPECT_TRUE(limits.TakeRequest().ok());
  EXPECT_TRUE(limits.TakeRequest().ok());
  const absl::Status refused = limits.TakeRequest();
  ExpectLimit(refused, absl::Seconds(50));
  EXPECT_EQ(std::string(refused.message()),
            "caller nightly has made its 3 calls of this minute; call again in 50s");
  clock_.Advance(absl::Seconds(50) - absl::Nanoseconds(1));
  ExpectLimit(limits.TakeRequest(), absl::Milliseconds(1));
  clock_.Advance(absl::Nanoseconds(1));
  // What was refused has not counted.
  EXPECT_TRUE(limits.TakeRequest().ok());
  ExpectLimit(limits.TakeRequest(), absl::Seconds(10));
}

TEST_F(CallerLimitsTest, AStreamMoreThanTheLimitIsRefusedUntilOneEnds) {
  auto caller = std::make_shared<CallerLimits>("caller nightly", Limits(2, 0, 0), &clock_);
  auto server = std::make_shared<CallerLimits>("this server", Limits(3, 0, 0), &clock_);
  auto first = StreamPass::Create(caller, server);
  auto second = StreamPass::Create(caller, server);
  ASSERT_TRUE(first.ok() && second.ok());
  const auto third = StreamPass::Create(caller, server);
  ExpectLimit(third.status(), absl::Seconds(30));
  EXPECT_THAT(std::string(third.status().message()),
              HasSubstr("caller nightly has 2 streams already"));
  first->reset();
  EXPECT_TRUE(StreamPass::Create(caller, server).ok());
}

TEST_F(CallerLimitsTest, TheServersLimitIsForAllCallersAndCostsTheCallerNothing) {
  auto server = std::make_shared<CallerLimits>("this server", Limits(1, 0, 0), &clock_);
  auto a = std::make_shared<CallerLimits>("caller a", Limits(1, 0, 0), &clock_);
  auto b = std::make_shared<CallerLimits>("caller b", Limits(1, 0, 0), &clock_);
  auto pass = StreamPass::Create(a, server);
  ASSERT_TRUE(pass.ok());
  const auto refused = StreamPass::Create(b, server);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("this server has 1 streams"));
  pass->reset();
  EXPECT_TRUE(StreamPass::Create(b, server).ok());
}

TEST_F(CallerLimitsTest, BytesHaveTheirTimeAfterABurstOfASecond) {
  CallerLimits limits("caller nightly", Limits(0, 0, 1000), &clock_);
  const absl::Time begin = clock_.Now();
  // All streams of the caller share it; what is due is due whoever sends it.
  std::vector<absl::Duration> due;
  for (int i = 0; i < 4; ++i) due.push_back(limits.ScheduleBytes(500) - begin);
  EXPECT_EQ(due, (std::vector<absl::Duration>{absl::Seconds(-1), absl::Seconds(-0.5),
                                              absl::ZeroDuration(), absl::Seconds(0.5)}));
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(limits.ScheduleBytes(500), begin + absl::Seconds(1));
  // Who has rested does not save up more than a second's worth.
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(limits.ScheduleBytes(5000), clock_.Now() - absl::Seconds(1));
  // A row above the limit is sent; the next waits for it.
  EXPECT_EQ(limits.ScheduleBytes(1), clock_.Now() + absl::Seconds(4));
}

TEST_F(CallerLimitsTest, NewLimitsCountWhatHasBeenUsed) {
  CallerLimits limits("caller nightly", Limits(5, 5, 0), &clock_);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(limits.TakeRequest().ok());
    ASSERT_TRUE(limits.BeginStream().ok());
    clock_.Advance(absl::Seconds(1));
  }
  limits.Set(Limits(2, 2, 0));
  // The last two calls were 2 and 1 seconds ago.
  ExpectLimit(limits.TakeRequest(), absl::Seconds(58));
  ExpectLimit(limits.BeginStream(), absl::Seconds(30));
  limits.EndStream();
  limits.EndStream();
  limits.EndStream();
  EXPECT_TRUE(limits.BeginStream().ok());
}

}  // namespace
}  // namespace intercom_extractor

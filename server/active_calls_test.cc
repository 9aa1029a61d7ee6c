#include "server/active_calls.h"

#include <thread>
#include <utility>

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(ActiveCallsTest, WithoutCallsDrainReturnsAtOnceAndRefusesFurtherOnes) {
  ActiveCalls calls;
  EXPECT_NE(calls.Begin(), nullptr);
  EXPECT_TRUE(calls.Drain(absl::ZeroDuration()));
  EXPECT_EQ(calls.Begin(), nullptr);
}

TEST(ActiveCallsTest, DrainWaitsForTheLastCall) {
  ActiveCalls calls;
  ActiveCalls::Token first = calls.Begin();
  ActiveCalls::Token second = calls.Begin();
  EXPECT_FALSE(calls.Drain(absl::ZeroDuration()));
  std::thread ender([&] {
    first.reset();
    second.reset();
  });
  EXPECT_TRUE(calls.Drain(absl::InfiniteDuration()));
  ender.join();
}

TEST(ActiveCallsTest, DrainTellsTheCallsThatRunOnce) {
  ActiveCalls calls;
  int told = 0;
  int gone_told = 0;
  const auto running = calls.OnDrain([&] { ++told; });
  calls.OnDrain([&] { ++gone_told; }).reset();
  EXPECT_TRUE(calls.Drain(absl::ZeroDuration()));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(gone_told, 0);
  int late_told = 0;
  const auto late = calls.OnDrain([&] { ++late_told; });
  EXPECT_EQ(late_told, 1);
}

}  // namespace
}  // namespace intercom_extractor

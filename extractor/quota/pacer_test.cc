#include "extractor/quota/pacer.h"

#include <algorithm>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

constexpr absl::Duration kWindow = absl::Seconds(10);
const absl::Time kBegin = absl::FromUnixSeconds(1700000000);

// A window of which `limit` is ours, spent as the pacer allows.
class PacerTest : public testing::Test {
 protected:
  explicit PacerTest(int64_t limit = 1666) { Open(limit, kBegin); }

  void Open(int64_t limit, absl::Time begin) {
    window_ = {limit, limit, 0, begin, begin + kWindow};
    now_ = begin;
  }

  // Sends what may go until `end`, waiting as told. Returns how many went.
  int64_t SendUntil(absl::Time end) {
    int64_t sent = 0;
    while (now_ < end) {
      const absl::Duration wait =
          window_.left > 0 ? pacer_.Wait(window_, now_) : window_.end - now_;
      if (wait > absl::ZeroDuration()) {
        now_ += wait;
        continue;
      }
      pacer_.OnSent();
      --window_.left;
      ++sent;
    }
    now_ = end;
    return sent;
  }

  Pacer pacer_;
  QuotaGovernor::Window window_;
  absl::Time now_;
};

TEST_F(PacerTest, ATwentiethGoesAtOnce) {
  const int64_t sent = SendUntil(kBegin + absl::Milliseconds(1));
  EXPECT_NEAR(sent, 1666 / 20, 3);
}

TEST_F(PacerTest, TheRestIsSpreadOverTheWindow) {
  SendUntil(kBegin + absl::Milliseconds(1));
  std::vector<int64_t> quarters;
  for (int i = 1; i <= 4; ++i) quarters.push_back(SendUntil(kBegin + kWindow * i / 4));
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(quarters[i], 1666 * 0.95 / 0.95 / 4, 40) << i;
}

TEST_F(PacerTest, AllOfAWindowIsSpentWhateverItsSize) {
  for (const int64_t limit : {1, 2, 10, 83, 166, 1666, 4166}) {
    Open(limit, window_.end);
    EXPECT_EQ(SendUntil(window_.end), limit);
  }
}

TEST_F(PacerTest, WhatWasHeldUpIsMadeUpForWithinTheWindow) {
  SendUntil(kBegin + absl::Seconds(1));
  // Nothing to send for four seconds.
  now_ += absl::Seconds(4);
  SendUntil(kBegin + kWindow);
  EXPECT_EQ(window_.left, 0);
}

TEST_F(PacerTest, ShortRunsDoNotWait) {
  for (int i = 0; i < 80; ++i) {
    ASSERT_EQ(pacer_.Wait(window_, now_), absl::ZeroDuration()) << i;
    pacer_.OnSent();
    --window_.left;
  }
}

// Others take 100 a second: they find room, and of what they leave no more than a
// tenth stays unused.
TEST_F(PacerTest, OthersWhoGoOnFindRoom) {
  int64_t used = 0;
  int64_t refused = 0;
  for (int i = 1; i <= 100; ++i) {
    used += SendUntil(kBegin + kWindow * i / 100);
    const int64_t taken = std::min<int64_t>(10, window_.left);
    refused += 10 - taken;
    window_.used_by_others += taken;
    window_.left -= taken;
  }
  EXPECT_LT(refused, 10);
  EXPECT_GE(used, (1666 - 1000) * 9 / 10);
}

TEST_F(PacerTest, EstimatesOfTheEndThatGetBetterGiveNoSecondBurst) {
  const int64_t first = SendUntil(kBegin + absl::Milliseconds(1));
  window_.end -= absl::Milliseconds(200);
  window_.begin -= absl::Milliseconds(200);
  EXPECT_LE(SendUntil(kBegin + absl::Milliseconds(2)), 5);
  EXPECT_GT(first, 80);
}

TEST_F(PacerTest, NeverWaitsBeyondTheWindow) {
  Open(1, window_.end);
  window_.left = 0;
  now_ = window_.end - absl::Milliseconds(3);
  EXPECT_GT(pacer_.Wait(window_, now_), absl::ZeroDuration());
  EXPECT_LE(pacer_.Wait(window_, now_), absl::Milliseconds(3));
  EXPECT_EQ(pacer_.Wait(window_, window_.end), absl::ZeroDuration());
}

}  // namespace
}  // namespace intercom_extractor

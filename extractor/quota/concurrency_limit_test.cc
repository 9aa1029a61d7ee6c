#include "extractor/quota/concurrency_limit.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

class ConcurrencyLimitTest : public testing::Test {
 protected:
  ConcurrencyLimitTest() : limit_(ConcurrencyLimit::Options()) {}

  void Answers(int count, absl::Duration latency, const std::string& operation = "GET /x") {
    for (int i = 0; i < count; ++i) {
      now_ += absl::Milliseconds(1);
      limit_.OnAnswer(operation, latency, /*failed=*/false, now_);
    }
  }

  void Fail() { limit_.OnAnswer("GET /x", absl::Seconds(1), /*failed=*/true, now_); }

  ConcurrencyLimit limit_;
  absl::Time now_ = absl::FromUnixSeconds(1700000000);
};

TEST_F(ConcurrencyLimitTest, BeginsModestlyAndDoublesWithEachRoundTrip) {
  EXPECT_EQ(limit_.Limit(std::nullopt), 16);
  Answers(16, absl::Milliseconds(300));
  EXPECT_EQ(limit_.Limit(std::nullopt), 32);
  Answers(1000, absl::Milliseconds(300));
  EXPECT_EQ(limit_.Limit(std::nullopt), 256);
}

TEST_F(ConcurrencyLimitTest, NoMoreThanRateTimesLatencyAndSomeRoom) {
  Answers(1000, absl::Milliseconds(300));
  // 167 requests/s at 300 ms are 50 in flight.
  EXPECT_EQ(limit_.Limit(166.6), 75);
  EXPECT_EQ(limit_.Limit(8.3), 4);
}

TEST_F(ConcurrencyLimitTest, FollowsTheLatency) {
  Answers(1000, absl::Milliseconds(100));
  EXPECT_EQ(limit_.Limit(166.6), 25);
  Answers(1000, absl::Milliseconds(250));
  EXPECT_NEAR(limit_.Limit(166.6), 63, 1);
}

TEST_F(ConcurrencyLimitTest, FailuresShrinkItAndABurstCountsOnce) {
  Answers(1000, absl::Milliseconds(300));
  for (int i = 0; i < 50; ++i) Fail();
  EXPECT_EQ(limit_.Limit(std::nullopt), 179);
  now_ += absl::Seconds(1);
  Fail();
  EXPECT_EQ(limit_.Limit(std::nullopt), 125);
}

TEST_F(ConcurrencyLimitTest, NeverShrinksBelowAFew) {
  for (int i = 0; i < 100; ++i) {
    now_ += absl::Seconds(2);
    Fail();
  }
  EXPECT_EQ(limit_.Limit(std::nullopt), 4);
}

TEST_F(ConcurrencyLimitTest, AfterAFailureItGrowsByOneARoundTrip) {
  now_ += absl::Seconds(2);
  Fail();
  const int shrunk = limit_.Limit(std::nullopt);
  Answers(shrunk, absl::Milliseconds(300));
  EXPECT_LE(limit_.Limit(std::nullopt), shrunk + 1);
  Answers(5 * shrunk, absl::Milliseconds(300));
  EXPECT_GE(limit_.Limit(std::nullopt), shrunk + 3);
}

TEST_F(ConcurrencyLimitTest, AnswersMuchSlowerThanUsualShrinkIt) {
  Answers(1000, absl::Milliseconds(300));
  now_ += absl::Seconds(1);
  Answers(1, absl::Seconds(2));
  EXPECT_EQ(limit_.Limit(std::nullopt), 230);
}

TEST_F(ConcurrencyLimitTest, AnOperationThatIsAlwaysSlowShrinksNothing) {
  Answers(1000, absl::Milliseconds(100));
  for (int i = 0; i < 50; ++i) {
    now_ += absl::Seconds(10);
    Answers(1, absl::Seconds(18), "POST /contacts/search");
  }
  EXPECT_EQ(limit_.Limit(std::nullopt), 256);
}

}  // namespace
}  // namespace intercom_extractor

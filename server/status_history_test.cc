#include "server/status_history.h"

#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

StatusHistory::Reading Reading(int64_t used) {
  StatusHistory::Reading reading;
  reading.quota_used = used;
  reading.quota_limit = 5;
  reading.quota_window = absl::Seconds(10);
  return reading;
}

TEST(QuotaUseTest, IsTheMostThatIntercomSaidWhileRequestsAreSent) {
  absl::Time now = absl::FromUnixSeconds(1700000000);
  QuotaUse use;
  use.Look(now, 0, std::nullopt);
  use.Look(now, 1, std::nullopt);
  EXPECT_EQ(use.TakePeak(), 0);
  use.Look(now += absl::Seconds(1), 2, 4);
  // The next window, of which less is used.
  use.Look(now += absl::Seconds(1), 3, 1);
  EXPECT_EQ(use.TakePeak(), 4);
  use.Look(now += absl::Seconds(1), 3, 1);
  EXPECT_EQ(use.TakePeak(), 1);
  // Nothing was sent for long: that window is over.
  use.Look(now += absl::Seconds(2), 3, 1);
  EXPECT_EQ(use.TakePeak(), 0);
}

class StatusHistoryTest : public ::testing::Test {
 protected:
  void Add(StatusHistory::Readings readings) {
    history_.Add(now_, std::move(readings));
    now_ += StatusHistory::kInterval;
  }

  absl::Time now_ = absl::FromUnixSeconds(1700000000);
  StatusHistory history_;
};

TEST_F(StatusHistoryTest, IsEmptyWithoutSamples) { EXPECT_EQ(history_.ToJson().dump(), "{}"); }

TEST_F(StatusHistoryTest, UsedIsTheMostInAWindowsTime) {
  for (const int64_t used : {0, 1, 3, 5, 1, 2, 3, 4, 0, 0, 0, 0, 0}) Add({{"acme", Reading(used)}});
  const nlohmann::json lines = history_.ToJson()["acme"];
  // A window is five samples long.
  EXPECT_EQ(lines["used"], nlohmann::json({1, 3, 5, 5, 5, 5, 5, 4, 4, 4, 4, 0}));
  EXPECT_EQ(lines["limit"][0], 5);
  EXPECT_EQ(lines["time"][0], 1700000002);
}

TEST_F(StatusHistoryTest, TimeSpentIsInShares) {
  StatusHistory::Reading reading = Reading(0);
  Add({{"acme", reading}});
  // Two extractions, one of which waits for the quota all the time.
  reading.spent.quota = absl::Seconds(3);
  reading.spent.cpu = absl::Seconds(1);
  Add({{"acme", reading}});
  // None.
  Add({{"acme", reading}});
  const nlohmann::json lines = history_.ToJson()["acme"];
  EXPECT_EQ(lines["quota"], nlohmann::json({0.75, 0.0}));
  EXPECT_EQ(lines["cpu"], nlohmann::json({0.25, 0.0}));
  EXPECT_EQ(lines["intercom"], nlohmann::json({0.0, 0.0}));
}

TEST_F(StatusHistoryTest, UnknownQuotaIsNull) {
  StatusHistory::Reading unknown;
  Add({{"acme", unknown}});
  Add({{"acme", unknown}});
  EXPECT_TRUE(history_.ToJson()["acme"]["limit"][0].is_null());
}

TEST_F(StatusHistoryTest, AConnectionThatComesLaterBeginsThere) {
  Add({{"acme", Reading(3)}});
  Add({{"acme", Reading(3)}, {"other", Reading(7)}});
  Add({{"acme", Reading(3)}, {"other", Reading(2)}});
  EXPECT_EQ(history_.ToJson()["other"]["used"], nlohmann::json({7}));
}

TEST_F(StatusHistoryTest, KeepsFiveMinutes) {
  for (size_t i = 0; i < 2 * StatusHistory::kSamples; ++i) {
    Add({{"acme", Reading(0)}});
  }
  EXPECT_EQ(history_.ToJson()["acme"]["time"].size(), StatusHistory::kSamples - 1);
}

}  // namespace
}  // namespace intercom_extractor

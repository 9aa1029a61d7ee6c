#include "clients/cpp/reconnect_backoff.h"

#include <optional>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(ReconnectBackoffTest, WaitsLongerEachTimeAndGivesUp) {
  ReconnectBackoff backoff([] { return 0.0; });
  for (const int seconds : {1, 2, 4, 8, 16}) EXPECT_EQ(backoff.Next(), absl::Seconds(seconds));
  EXPECT_EQ(backoff.tries(), 5);
  EXPECT_EQ(backoff.Next(), std::nullopt);
}

TEST(ReconnectBackoffTest, ChanceTakesUpToHalfOfAWait) {
  ReconnectBackoff backoff([] { return 0.5; });
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(750));
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(1500));
}

TEST(ReconnectBackoffTest, ProgressGivesAllTriesBack) {
  ReconnectBackoff backoff([] { return 0.0; });
  for (int i = 0; i < ReconnectBackoff::kMaxTries; ++i) backoff.Next();
  backoff.OnProgress();
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
}

}  // namespace
}  // namespace intercom_extractor

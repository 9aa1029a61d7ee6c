#include "extractor/intercom/traffic.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;

TEST(LatencyHistogramTest, ABoundBelongsToItsBucketAndWhatIsLongerToTheLast) {
  LatencyHistogram histogram;
  histogram.Add(absl::ZeroDuration());
  histogram.Add(absl::Milliseconds(25));
  histogram.Add(absl::Milliseconds(26));
  histogram.Add(absl::Seconds(30));
  histogram.Add(absl::Seconds(31));
  EXPECT_THAT(histogram.counts(), ElementsAre(2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1));
  EXPECT_EQ(histogram.count(), 5);
  EXPECT_DOUBLE_EQ(histogram.sum_seconds(), 0.025 + 0.026 + 30 + 31);
}

}  // namespace
}  // namespace intercom_extractor

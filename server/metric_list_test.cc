#include "server/metric_list.h"

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "prometheus/check_names.h"

namespace intercom_extractor {
namespace {

TEST(MetricListTest, IsInTheOrderOfItsNumbers) {
  for (size_t i = 0; i < MetricList().size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(MetricList()[i].metric), i) << MetricList()[i].name;
  }
  EXPECT_EQ(MetricList().back().metric, Metric::kProcessStartTime);
}

TEST(MetricListTest, NamesAreUniqueAndKeepToTheConventions) {
  std::set<std::string> names;
  for (const MetricInfo& info : MetricList()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(prometheus::CheckMetricName(info.name)) << info.name;
    EXPECT_TRUE(absl::StartsWith(info.name, "intercom_extractor_") ||
                absl::StartsWith(info.name, "process_"))
        << info.name;
    EXPECT_EQ(absl::EndsWith(info.name, "_total"), info.type == prometheus::MetricType::Counter)
        << info.name;
    EXPECT_TRUE(absl::EndsWith(info.help, ".")) << info.name;
  }
}

TEST(MetricListTest, DocumentIsUpToDate) {
  std::ifstream file("docs/metrics.md");
  ASSERT_TRUE(file.is_open());
  const std::string document((std::istreambuf_iterator<char>(file)),
                             std::istreambuf_iterator<char>());
  EXPECT_EQ(document, MetricsDocument())
      << "bazel run //server:metrics_document > docs/metrics.md makes it anew";
}

}  // namespace
}  // namespace intercom_extractor

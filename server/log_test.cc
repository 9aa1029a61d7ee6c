#include "server/log.h"

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(LogTest, TextLineQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, "extract ended",
                          {{"connection", "default"},
                           {"rows", int64_t{5}},
                           {"duration", absl::Milliseconds(1500)},
                           {"error", "a \"b\"\nc"},
                           {"empty", ""}}),
            "extract ended connection=default rows=5 duration=1.500 "
            "error=\"a \\\"b\\\"\\u000ac\" empty=\"\"");
}

TEST(LogTest, JsonLineKeepsNumbersAndEscapesText) {
  EXPECT_EQ(
      FormatLogLine(
          LogFormat::kJson, "extract ended",
          {{"connection", "a\\b\t{}"}, {"rows", int64_t{-5}}, {"duration", absl::Seconds(2)}}),
      "\"message\":\"extract ended\",\"connection\":\"a\\\\b\\u0009{}\",\"rows\":-5,"
      "\"duration\":2.000");
}

TEST(LogTest, SaysNothingUnlessStarted) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  Log(spdlog::level::critical, "into the void");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace
}  // namespace intercom_extractor

#include "server/trace_context.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kGood = std::string("00-") + kTraceId + "-00f067aa0ba902b7-01";

TEST(TraceContextTest, ReadsTheTraceId) {
  EXPECT_EQ(TraceIdOf(kGood), kTraceId);
  // Of a version to come.
  EXPECT_EQ(TraceIdOf("01" + kGood.substr(2) + "-more"), kTraceId);
}

TEST(TraceContextTest, WhatIsNoneOfTheSpecificationIsIgnored) {
  const std::string id = kTraceId;
  const std::vector<std::string> bad = {
      "",
      "00-",
      kGood.substr(0, 54),
      kGood + "-more",
      kGood + "x",
      "ff" + kGood.substr(2),
      "0x" + kGood.substr(2),
      "00-" + std::string(32, '0') + "-00f067aa0ba902b7-01",
      "00-" + id + "-0000000000000000-01",
      "00-" + id + "_00f067aa0ba902b7-01",
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      "01" + kGood.substr(2) + "x",
      "00-" + id + "-00f067aa0ba902b7-0\n",
  };
  for (const std::string& text : bad) {
    EXPECT_EQ(TraceIdOf(text), "") << text;
  }
}

}  // namespace
}  // namespace intercom_extractor

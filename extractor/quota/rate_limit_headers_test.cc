#include "extractor/quota/rate_limit_headers.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(RateLimitHeadersTest, ReadsAllFour) {
  const RateLimitHeaders headers = ParseRateLimitHeaders({
      {"content-type", "application/json"},
      {"date", "Tue, 14 Nov 2023 22:13:20 GMT"},
      {"x-ratelimit-limit", "1666"},
      {"x-ratelimit-remaining", "1665"},
      {"x-ratelimit-reset", "1700000010"},
  });
  EXPECT_EQ(headers.limit, 1666);
  EXPECT_EQ(headers.remaining, 1665);
  EXPECT_EQ(headers.reset, absl::FromUnixSeconds(1700000010));
  EXPECT_EQ(headers.date, absl::FromUnixSeconds(1700000000));
}

TEST(RateLimitHeadersTest, WhatIsMissingIsNotSet) {
  const RateLimitHeaders none = ParseRateLimitHeaders({});
  EXPECT_FALSE(none.limit.has_value());
  EXPECT_FALSE(none.remaining.has_value());
  EXPECT_FALSE(none.reset.has_value());
  EXPECT_FALSE(none.date.has_value());

  const RateLimitHeaders some = ParseRateLimitHeaders({{"x-ratelimit-remaining", "7"}});
  EXPECT_FALSE(some.limit.has_value());
  EXPECT_EQ(some.remaining, 7);
}

TEST(RateLimitHeadersTest, WhatIsMalformedIsNotSet) {
  for (const char* bad : {"", " ", "many", "16.5", "0x10", "1e3", "167,167", "-1", "-0x1",
                          "9223372036854775808", "999999999999999999999"}) {
    const RateLimitHeaders headers = ParseRateLimitHeaders({
        {"x-ratelimit-limit", bad},
        {"x-ratelimit-remaining", bad},
        {"x-ratelimit-reset", bad},
        {"date", bad},
    });
    EXPECT_FALSE(headers.limit.has_value()) << bad;
    EXPECT_FALSE(headers.remaining.has_value()) << bad;
    EXPECT_FALSE(headers.reset.has_value()) << bad;
    EXPECT_FALSE(headers.date.has_value()) << bad;
  }
}

TEST(RateLimitHeadersTest, ALimitOfZeroIsNoLimitButZeroMayRemain) {
  const RateLimitHeaders headers = ParseRateLimitHeaders({
      {"x-ratelimit-limit", "0"},
      {"x-ratelimit-remaining", "0"},
      {"x-ratelimit-reset", "0"},
  });
  EXPECT_FALSE(headers.limit.has_value());
  EXPECT_EQ(headers.remaining, 0);
  EXPECT_EQ(headers.reset, absl::UnixEpoch());
}

TEST(RateLimitHeadersTest, AQuotaThatNoServerHasIsAThousandMillion) {
  const RateLimitHeaders headers = ParseRateLimitHeaders({
      {"x-ratelimit-limit", "9223372036854775807"},
      {"x-ratelimit-remaining", "1000000001"},
  });
  EXPECT_EQ(headers.limit, 1'000'000'000);
  EXPECT_EQ(headers.remaining, 1'000'000'000);
}

TEST(RateLimitHeadersTest, ADateInAnotherFormIsNotSet) {
  for (const char* bad :
       {"2023-11-14T22:13:20Z", "Tue, 14 Nov 2023 22:13:20 CET", "Tuesday, 14-Nov-23 22:13:20 GMT",
        "Tue, 31 Feb 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 GMT and more"}) {
    EXPECT_FALSE(ParseRateLimitHeaders({{"date", bad}}).date.has_value()) << bad;
  }
}

}  // namespace
}  // namespace intercom_extractor

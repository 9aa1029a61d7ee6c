#include "extractor/quota/quota_governor.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "extractor/sync/fake_clock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

constexpr absl::Duration kJitter = absl::Milliseconds(250);
constexpr absl::Duration kWindow = absl::Seconds(10);

// A governor whose random numbers are `random`, and the answers it hears.
class QuotaGovernorTest : public testing::Test {
 protected:
  explicit QuotaGovernorTest(double reserve = 0.1)
      : governor_({reserve}, &clock_, [this] { return random_; }) {}

  // An answer of a server whose clock is `skew_` ahead of ours.
  RateLimitHeaders Headers(int64_t limit, int64_t remaining, absl::Time reset) const {
    RateLimitHeaders headers;
    headers.limit = limit;
    headers.remaining = remaining;
    headers.reset = reset;
    headers.date = ServerNow();
    return headers;
  }

  // Date has whole seconds.
  absl::Time ServerNow() const {
    return absl::FromUnixSeconds(absl::ToUnixSeconds(clock_.Now() + skew_));
  }

  // The first request, alone, and its answer.
  void Learn(int64_t limit, int64_t remaining, absl::Time reset) {
    ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
    governor_.OnAnswer(Headers(limit, remaining, reset));
  }

  // Sends until the governor says to wait, for at most `at_most` requests.
  // Returns how many went.
  int64_t SendAll(int64_t at_most = 100000) {
    int64_t sent = 0;
    while (sent < at_most) {
      wait_ = governor_.TryAcquire();
      if (wait_ > absl::ZeroDuration()) break;
      ++sent;
    }
    return sent;
  }

  FakeClock clock_;
  absl::Duration skew_;
  double random_ = 0;
  QuotaGovernor governor_;
  // How long SendAll() was told to wait.
  absl::Duration wait_;
};

class ReservingHalfTest : public QuotaGovernorTest {
 protected:
  ReservingHalfTest() : QuotaGovernorTest(0.5) {}
};
class ReservingNearlyAllTest : public QuotaGovernorTest {
 protected:
  ReservingNearlyAllTest() : QuotaGovernorTest(0.99) {}
};
class ReservingNothingTest : public QuotaGovernorTest {
 protected:
  ReservingNothingTest() : QuotaGovernorTest(0) {}
};

TEST_F(QuotaGovernorTest, FirstRequestGoesAlone) {
  EXPECT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  EXPECT_EQ(governor_.TryAcquire(), absl::InfiniteDuration());
  EXPECT_EQ(governor_.TryAcquire(), absl::InfiniteDuration());
  governor_.OnAnswer(Headers(1666, 1665, clock_.Now() + kWindow));
  EXPECT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  EXPECT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
}

TEST_F(QuotaGovernorTest, AfterAFirstRequestWithoutAnswerTheNextIsTheFirst) {
  EXPECT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnAnswer(RateLimitHeaders());
  EXPECT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  EXPECT_EQ(governor_.TryAcquire(), absl::InfiniteDuration());
}

TEST_F(QuotaGovernorTest, StatesNothingUntilTheServerDid) {
  EXPECT_FALSE(governor_.Stated().has_value());
  Learn(1666, 1665, clock_.Now() + kWindow);
  ASSERT_TRUE(governor_.Stated().has_value());
  EXPECT_EQ(governor_.Stated()->limit, 1666);
  EXPECT_EQ(governor_.Stated()->remaining, 1665);
}

TEST_F(ReservingNothingTest, SpendsWholeWindowsOfAnyLimit) {
  absl::Time reset = clock_.Now() + kWindow;
  for (const int64_t limit : {1, 2, 10, 83, 166, 167, 1666, 1667, 4166}) {
    const int64_t first = governor_.Stated().has_value() ? 0 : 1;
    if (first == 1) Learn(limit, limit - 1, reset);
    // The answer that tells of the new limit has taken one of it already.
    if (first == 0) {
      clock_.Advance(kWindow);
      reset += kWindow;
      ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
      governor_.OnAnswer(Headers(limit, limit - 1, reset));
    }
    EXPECT_EQ(SendAll(), limit - 1) << limit;
    for (int64_t i = limit - 2; i >= 0; --i) governor_.OnAnswer(Headers(limit, i, reset));
  }
}

TEST_F(QuotaGovernorTest, LeavesATenthOf1666) {
  Learn(1666, 1665, clock_.Now() + kWindow);
  // 10 % are 166.6: 167 stay, 1,499 are ours, one of them is gone.
  EXPECT_EQ(SendAll(), 1498);
  EXPECT_EQ(wait_, kWindow);
}

TEST_F(QuotaGovernorTest, LeavesATenthOf83) {
  Learn(83, 82, clock_.Now() + kWindow);
  EXPECT_EQ(SendAll(), 73);
  EXPECT_EQ(wait_, kWindow);
}

TEST_F(ReservingHalfTest, LeavesWhatItIsTold) {
  Learn(167, 166, clock_.Now() + kWindow);
  EXPECT_EQ(SendAll(), 82);
}

TEST_F(QuotaGovernorTest, OthersUseIsSubtracted) {
  Learn(1666, 200, clock_.Now() + kWindow);
  EXPECT_EQ(SendAll(), 33);  // Of 200, 167 are reserved.
}

TEST_F(QuotaGovernorTest, WaitsWhenOthersHaveTouchedTheReserve) {
  Learn(1666, 100, clock_.Now() + kWindow);
  EXPECT_EQ(SendAll(), 0);
  EXPECT_EQ(wait_, kWindow);
}

TEST_F(QuotaGovernorTest, WaitsForResetWhenWindowIsSpent) {
  Learn(83, 10, clock_.Now() + absl::Seconds(7));
  EXPECT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  EXPECT_EQ(governor_.TryAcquire(), absl::Seconds(7));
  clock_.Advance(absl::Seconds(6));
  EXPECT_EQ(governor_.TryAcquire(), absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
}

TEST_F(QuotaGovernorTest, AssumesTheNextWindowUntilAnAnswerDescribesIt) {
  Learn(83, 82, clock_.Now() + kWindow);
  for (int window = 0; window < 3; ++window) {
    const int64_t sent = SendAll();
    EXPECT_EQ(sent, window == 0 ? 73 : 74);
    EXPECT_EQ(wait_, kWindow);
    for (int64_t i = 0; i < sent; ++i) governor_.OnAnswer(RateLimitHeaders());
    clock_.Advance(kWindow);
  }
}

TEST_F(QuotaGovernorTest, RequestsStillOnTheWayCountInTheNextWindow) {
  Learn(83, 82, clock_.Now() + kWindow);
  ASSERT_EQ(SendAll(20), 20);
  clock_.Advance(kWindow);
  EXPECT_EQ(SendAll(), 54);  // Of 74, the 20 may arrive in this window.
}

TEST_F(ReservingNothingTest, OvertakenAnswerDoesNotRefillTheWindow) {
  const absl::Time reset = clock_.Now() + absl::Seconds(7);
  Learn(167, 5, reset);
  ASSERT_EQ(SendAll(4), 4);
  governor_.OnAnswer(Headers(167, 1, reset));
  governor_.OnAnswer(Headers(167, 4, reset));  // Left the server earlier, arrived later.
  EXPECT_EQ(SendAll(), 1);
  EXPECT_EQ(wait_, absl::Seconds(7));
}

TEST_F(ReservingNothingTest, AnswerOfAnOlderWindowIsIgnored) {
  const absl::Time old_reset = clock_.Now() + kWindow;
  Learn(167, 166, old_reset);
  ASSERT_EQ(SendAll(2), 2);
  clock_.Advance(kWindow);
  governor_.OnAnswer(Headers(167, 150, old_reset + kWindow));
  ASSERT_EQ(governor_.Stated()->remaining, 150);
  governor_.OnAnswer(Headers(167, 0, old_reset));
  EXPECT_EQ(governor_.Stated()->remaining, 150);
  EXPECT_EQ(SendAll(), 149);  // 150, less the one that was on the way.
}

TEST_F(ReservingNothingTest, NewWindowIsAdopted) {
  const absl::Time reset = clock_.Now() + absl::Seconds(3);
  Learn(167, 1, reset);
  ASSERT_EQ(SendAll(), 1);
  ASSERT_EQ(wait_, absl::Seconds(3));
  // The server's window began before we knew.
  governor_.OnAnswer(Headers(167, 166, reset + kWindow));
  EXPECT_EQ(SendAll(), 166);
  EXPECT_EQ(wait_, absl::Seconds(13));
}

TEST_F(ReservingNothingTest, LearnsTheLengthOfTheWindowFromTwoResets) {
  const absl::Time reset = clock_.Now() + absl::Seconds(4);
  Learn(10, 9, reset);
  clock_.Advance(absl::Seconds(4));
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnAnswer(Headers(10, 9, reset + absl::Seconds(4)));
  clock_.Advance(absl::Seconds(4));
  EXPECT_EQ(SendAll(), 10);
  EXPECT_EQ(wait_, absl::Seconds(4));
}

TEST_F(QuotaGovernorTest, ClocksFiveMinutesApartMakeNoDifference) {
  for (const absl::Duration skew :
       {-absl::Minutes(5), absl::Minutes(5), -absl::Hours(24 * 365), absl::Hours(24 * 365)}) {
    FakeClock clock;
    QuotaGovernor governor({0.1}, &clock, [] { return 0.0; });
    RateLimitHeaders headers;
    headers.limit = 83;
    headers.remaining = 10;
    headers.date = clock.Now() + skew;
    headers.reset = clock.Now() + skew + absl::Seconds(7);
    ASSERT_EQ(governor.TryAcquire(), absl::ZeroDuration());
    governor.OnAnswer(headers);
    EXPECT_EQ(governor.TryAcquire(), absl::ZeroDuration()) << skew;
    EXPECT_EQ(governor.TryAcquire(), absl::Seconds(7)) << skew;

    headers.remaining = 0;
    governor.OnRateLimited(headers);
    EXPECT_EQ(governor.TryAcquire(), absl::Seconds(7)) << skew;
  }
}

TEST_F(QuotaGovernorTest, DateIsRoundedDownYetTheWaitIsNeverShort) {
  // The server's clock is 900 ms into a second when the first answer leaves.
  clock_.Advance(absl::Milliseconds(900));
  const absl::Time reset = ServerNow() + absl::Seconds(5);
  Learn(83, 10, reset);
  ASSERT_EQ(SendAll(), 1);
  EXPECT_GE(wait_, reset - clock_.Now());
  EXPECT_LE(wait_, reset - clock_.Now() + absl::Seconds(1));
  // A second answer, 50 ms into a second, tells the offset better.
  clock_.Advance(absl::Milliseconds(150));
  governor_.OnAnswer(Headers(83, 9, reset));
  EXPECT_EQ(SendAll(), 0);
  EXPECT_GE(wait_, reset - clock_.Now());
  EXPECT_LE(wait_, reset - clock_.Now() + absl::Milliseconds(50));
}

TEST_F(QuotaGovernorTest, FollowsAClockThatIsSet) {
  Learn(83, 82, ServerNow() + kWindow);
  skew_ = -absl::Minutes(5);
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnRateLimited(Headers(83, 0, ServerNow() + absl::Seconds(4)));
  EXPECT_EQ(governor_.TryAcquire(), absl::Seconds(4));
}

TEST_F(QuotaGovernorTest, MissingHeadersNeverBlock) {
  RateLimitHeaders only_date;
  only_date.date = clock_.Now();
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnAnswer(only_date);
  EXPECT_EQ(SendAll(10000), 10000);
  EXPECT_FALSE(governor_.Stated().has_value());
}

// Requests used to go one by one for ever.
TEST_F(QuotaGovernorTest, AnswersWithoutDateOrLimitNeverBlockEither) {
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnAnswer(ParseRateLimitHeaders({{"content-length", "2"}}));
  EXPECT_EQ(SendAll(1000), 1000);
}

TEST_F(QuotaGovernorTest, HeadersThatVanishLeaveTheLastLimitInForce) {
  Learn(83, 82, clock_.Now() + kWindow);
  ASSERT_EQ(SendAll(), 73);
  RateLimitHeaders only_date;
  for (int i = 0; i < 73; ++i) {
    only_date.date = ServerNow();
    governor_.OnAnswer(only_date);
  }
  EXPECT_EQ(SendAll(), 0);
  clock_.Advance(kWindow);
  EXPECT_EQ(SendAll(), 74);
}

TEST_F(ReservingNothingTest, LimitWithoutResetOrRemainingIsSurvived) {
  RateLimitHeaders headers;
  headers.limit = 10;
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnAnswer(headers);
  EXPECT_EQ(SendAll(20), 20);  // A limit alone says nothing of the window.
  headers.remaining = 3;
  governor_.OnAnswer(headers);
  // Assumed windows of 10 seconds from here on, less what is on the way.
  for (int i = 0; i < 19; ++i) governor_.OnAnswer(RateLimitHeaders());
  clock_.Advance(kWindow);
  EXPECT_EQ(SendAll(), 10);
  EXPECT_EQ(wait_, kWindow);
}

TEST_F(QuotaGovernorTest, A429ClosesTheGateUntilTheResetAndNoLonger) {
  for (const double random : {0.0, 0.5, 0.999}) {
    FakeClock clock;
    QuotaGovernor governor({0.1}, &clock, [random] { return random; });
    RateLimitHeaders headers;
    headers.limit = 1666;
    headers.remaining = 1500;
    headers.reset = clock.Now() + absl::Seconds(6);
    headers.date = clock.Now();
    ASSERT_EQ(governor.TryAcquire(), absl::ZeroDuration());
    governor.OnAnswer(headers);
    ASSERT_EQ(governor.TryAcquire(), absl::ZeroDuration());
    ASSERT_EQ(governor.TryAcquire(), absl::ZeroDuration());
    // Somebody else's use of the workspace: plenty remains and yet a 429.
    governor.OnRateLimited(headers);

    const absl::Duration wait = governor.TryAcquire();
    EXPECT_EQ(wait, absl::Seconds(6) + random * kJitter);
    // A good answer that was on the way opens nothing.
    headers.remaining = 1499;
    governor.OnAnswer(headers);
    EXPECT_EQ(governor.TryAcquire(), wait);
    clock.Advance(wait - absl::Nanoseconds(1));
    EXPECT_GT(governor.TryAcquire(), absl::ZeroDuration());
    clock.Advance(absl::Nanoseconds(1));
    EXPECT_EQ(governor.TryAcquire(), absl::ZeroDuration());
  }
}

TEST_F(QuotaGovernorTest, ManyRejectionsOfOneWindowCloseTheGateOnce) {
  const absl::Time reset = clock_.Now() + absl::Seconds(6);
  Learn(1666, 1665, reset);
  ASSERT_EQ(SendAll(64), 64);
  random_ = 0.5;
  for (int i = 0; i < 64; ++i) governor_.OnRateLimited(Headers(1666, 0, reset));
  EXPECT_EQ(governor_.TryAcquire(), absl::Seconds(6) + 0.5 * kJitter);
  clock_.Advance(absl::Seconds(6) + kJitter);
  EXPECT_EQ(SendAll(), 1499);
}

TEST_F(QuotaGovernorTest, A429WhoseResetIsOverHoldsBackForTheJitterOnly) {
  random_ = 0.5;
  Learn(1666, 1665, clock_.Now() + kWindow);
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnRateLimited(Headers(1666, 0, clock_.Now() - absl::Seconds(1)));
  EXPECT_EQ(governor_.TryAcquire(), 0.5 * kJitter);
}

TEST_F(QuotaGovernorTest, AFirstAnswerOf429IsAnAnswer) {
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnRateLimited(Headers(83, 0, clock_.Now() + absl::Seconds(2)));
  EXPECT_EQ(governor_.TryAcquire(), absl::Seconds(2));
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(SendAll(), 74);
}

TEST_F(QuotaGovernorTest, A429WithoutResetGrowsToAMinute) {
  for (const double random : {0.0, 0.999}) {
    FakeClock clock;
    QuotaGovernor governor({0.1}, &clock, [random] { return random; });
    absl::Duration last;
    absl::Duration wait;
    for (int rejection = 0; rejection < 20; ++rejection) {
      ASSERT_EQ(governor.TryAcquire(), absl::ZeroDuration());
      governor.OnRateLimited(RateLimitHeaders());
      wait = governor.TryAcquire();
      if (rejection == 0) {
        EXPECT_GE(wait, kWindow / 2);
        EXPECT_LE(wait, kWindow + kJitter);
      }
      EXPECT_GE(wait, last);
      EXPECT_LE(wait, absl::Minutes(1) + kJitter);
      last = wait;
      clock.Advance(wait);
    }
    EXPECT_GE(wait, absl::Minutes(1));

    // A good answer ends the growth.
    ASSERT_EQ(governor.TryAcquire(), absl::ZeroDuration());
    RateLimitHeaders good;
    good.date = clock.Now();
    governor.OnAnswer(good);
    ASSERT_EQ(governor.TryAcquire(), absl::ZeroDuration());
    governor.OnRateLimited(RateLimitHeaders());
    EXPECT_LE(governor.TryAcquire(), kWindow + kJitter);
  }
}

// Each of the requests in flight used to double the pause: one burst closed the
// gate for a minute.
TEST_F(QuotaGovernorTest, ABurstOf429WithoutResetCountsOnce) {
  RateLimitHeaders only_date;
  only_date.date = clock_.Now();
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnAnswer(only_date);
  ASSERT_EQ(SendAll(64), 64);
  random_ = 0.999;
  for (int i = 0; i < 64; ++i) governor_.OnRateLimited(RateLimitHeaders());
  const absl::Duration wait = governor_.TryAcquire();
  EXPECT_GT(wait, absl::ZeroDuration());
  EXPECT_LE(wait, kWindow + kJitter);
}

TEST_F(QuotaGovernorTest, AnAbsurdlyFarResetOfA429IsNotBelieved) {
  Learn(83, 82, clock_.Now() + kWindow);
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnRateLimited(Headers(83, 0, clock_.Now() + absl::Hours(1000)));
  EXPECT_LE(governor_.TryAcquire(), kWindow + kJitter);
}

// Resets in milliseconds, say: every later window used to count as older.
TEST_F(ReservingNothingTest, OneAbsurdResetDoesNotHideTheWindowsAfterIt) {
  Learn(167, 166, absl::FromUnixSeconds(1700000010000));
  clock_.Advance(kWindow);
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnAnswer(Headers(167, 3, clock_.Now() + absl::Seconds(5)));
  EXPECT_EQ(governor_.Stated()->remaining, 3);
  EXPECT_EQ(SendAll(), 3);
  EXPECT_EQ(wait_, absl::Seconds(5));
}

TEST_F(ReservingNearlyAllTest, ATinyQuotaWithALargeReserveStillMoves) {
  absl::Time reset = clock_.Now() + kWindow;
  for (const int64_t limit : {1, 2, 5}) {
    if (!governor_.Stated().has_value()) {
      Learn(limit, limit - 1, reset);
    } else {
      ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
      governor_.OnAnswer(Headers(limit, limit - 1, reset));
    }
    EXPECT_EQ(SendAll(), 0) << limit;
    for (int window = 0; window < 3; ++window) {
      clock_.Advance(kWindow);
      reset += kWindow;
      EXPECT_EQ(SendAll(), 1) << limit;
      governor_.OnAnswer(Headers(limit, limit - 1, reset));
    }
    clock_.Advance(kWindow);
    reset += kWindow;
  }
}

TEST_F(QuotaGovernorTest, LimitMayChangeWhileRunning) {
  absl::Time reset = clock_.Now() + kWindow;
  Learn(1666, 1665, reset);
  ASSERT_EQ(SendAll(100), 100);
  for (int i = 0; i < 99; ++i) governor_.OnAnswer(Headers(1666, 1600, reset));
  // Lowered within the window: what remains of the new limit counts.
  governor_.OnAnswer(Headers(83, 20, reset));
  EXPECT_EQ(governor_.Stated()->limit, 83);
  const int64_t sent = SendAll();
  EXPECT_EQ(sent, 11);
  for (int64_t i = 0; i < sent; ++i) governor_.OnAnswer(Headers(83, 9, reset));

  // Raised with a new window.
  clock_.Advance(kWindow);
  reset += kWindow;
  ASSERT_EQ(governor_.TryAcquire(), absl::ZeroDuration());
  governor_.OnAnswer(Headers(1666, 1665, reset));
  EXPECT_EQ(SendAll(), 1498);
}

// Fixed windows on the server, answers after a delay and out of order: over many
// windows the reserve is never touched, and the rest is used.
TEST_F(QuotaGovernorTest, NeverTouchesTheReserveOverManyWindows) {
  constexpr int64_t kLimit = 167;
  constexpr int64_t kReserved = 17;
  constexpr size_t kMaxInFlight = 20;
  constexpr absl::Duration kStep = absl::Milliseconds(50);
  struct Answer {
    absl::Time at;
    RateLimitHeaders headers;
  };
  std::vector<Answer> on_the_way;
  absl::Time reset = clock_.Now() + kWindow;
  int64_t used = 0;
  int64_t total = 0;
  int windows = 0;
  uint32_t noise = 1;
  while (windows < 20) {
    if (clock_.Now() >= reset) {
      EXPECT_LE(used, kLimit - kReserved);
      used = 0;
      reset += kWindow;
      ++windows;
    }
    while (on_the_way.size() < kMaxInFlight && governor_.TryAcquire() == absl::ZeroDuration()) {
      ++used;
      ++total;
      noise = noise * 1664525 + 1013904223;
      on_the_way.push_back(
          {clock_.Now() + kStep * (1 + (noise >> 24) % 10), Headers(kLimit, kLimit - used, reset)});
    }
    clock_.Advance(kStep);
    for (size_t i = 0; i < on_the_way.size();) {
      if (on_the_way[i].at <= clock_.Now()) {
        governor_.OnAnswer(on_the_way[i].headers);
        on_the_way.erase(on_the_way.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
  }
  EXPECT_GE(total, 20 * (kLimit - kReserved) * 8 / 10);
}

TEST_F(QuotaGovernorTest, SeveralThreadsTogetherTakeNoMoreThanThereIs) {
  Learn(1666, 1665, clock_.Now() + kWindow);
  std::vector<std::thread> threads;
  std::vector<int> sent(4);
  for (int& count : sent) {
    threads.emplace_back([this, &count] {
      while (governor_.TryAcquire() == absl::ZeroDuration()) {
        ++count;
        if (count % 2 == 0) governor_.OnAnswer(RateLimitHeaders());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sent[0] + sent[1] + sent[2] + sent[3], 1498);
}

}  // namespace
}  // namespace intercom_extractor

#include "extractor/quota/quota_governor.h"

#include <algorithm>
#include <deque>
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

  absl::Duration Acquire() {
    QuotaGovernor::Ticket ticket = 0;
    const absl::Duration wait = governor_.TryAcquire(&ticket);
    if (wait == absl::ZeroDuration()) tickets_.push_back(ticket);
    return wait;
  }

  // Answers come in the order of the requests.
  void Answer(const RateLimitHeaders& headers) { governor_.OnAnswer(NextTicket(), headers); }
  void Reject(const RateLimitHeaders& headers) { governor_.OnRateLimited(NextTicket(), headers); }
  QuotaGovernor::Ticket NextTicket() {
    const QuotaGovernor::Ticket ticket = tickets_.front();
    tickets_.pop_front();
    return ticket;
  }

  // The first request, alone, and its answer.
  void Learn(int64_t limit, int64_t remaining, absl::Time reset) {
    ASSERT_EQ(Acquire(), absl::ZeroDuration());
    Answer(Headers(limit, remaining, reset));
  }

  // Sends until the governor says to wait, for at most `at_most` requests.
  // Returns how many went.
  int64_t SendAll(int64_t at_most = 100000) {
    int64_t sent = 0;
    while (sent < at_most) {
      wait_ = Acquire();
      if (wait_ > absl::ZeroDuration()) break;
      ++sent;
    }
    return sent;
  }

  FakeClock clock_;
  absl::Duration skew_;
  double random_ = 0;
  QuotaGovernor governor_;
  std::deque<QuotaGovernor::Ticket> tickets_;
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
  EXPECT_EQ(Acquire(), absl::ZeroDuration());
  EXPECT_EQ(Acquire(), absl::InfiniteDuration());
  EXPECT_EQ(Acquire(), absl::InfiniteDuration());
  Answer(Headers(1666, 1665, clock_.Now() + kWindow));
  EXPECT_EQ(Acquire(), absl::ZeroDuration());
  EXPECT_EQ(Acquire(), absl::ZeroDuration());
}

TEST_F(QuotaGovernorTest, AfterAFirstRequestWithoutAnswerTheNextIsTheFirst) {
  EXPECT_EQ(Acquire(), absl::ZeroDuration());
  Answer(RateLimitHeaders());
  EXPECT_EQ(Acquire(), absl::ZeroDuration());
  EXPECT_EQ(Acquire(), absl::InfiniteDuration());
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
      ASSERT_EQ(Acquire(), absl::ZeroDuration());
      Answer(Headers(limit, limit - 1, reset));
    }
    EXPECT_EQ(SendAll(), limit - 1) << limit;
    for (int64_t i = limit - 2; i >= 0; --i) Answer(Headers(limit, i, reset));
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
  EXPECT_EQ(Acquire(), absl::ZeroDuration());
  EXPECT_EQ(Acquire(), absl::Seconds(7));
  clock_.Advance(absl::Seconds(6));
  EXPECT_EQ(Acquire(), absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Acquire(), absl::ZeroDuration());
}

TEST_F(QuotaGovernorTest, AssumesTheNextWindowUntilAnAnswerDescribesIt) {
  Learn(83, 82, clock_.Now() + kWindow);
  for (int window = 0; window < 3; ++window) {
    const int64_t sent = SendAll();
    EXPECT_EQ(sent, window == 0 ? 73 : 74);
    EXPECT_EQ(wait_, kWindow);
    for (int64_t i = 0; i < sent; ++i) Answer(RateLimitHeaders());
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
  Answer(Headers(167, 1, reset));
  Answer(Headers(167, 4, reset));  // Left the server earlier, arrived later.
  EXPECT_EQ(SendAll(), 1);
  EXPECT_EQ(wait_, absl::Seconds(7));
}

TEST_F(ReservingNothingTest, AnswerOfAnOlderWindowIsIgnored) {
  const absl::Time old_reset = clock_.Now() + kWindow;
  Learn(167, 166, old_reset);
  ASSERT_EQ(SendAll(2), 2);
  clock_.Advance(kWindow);
  Answer(Headers(167, 150, old_reset + kWindow));
  ASSERT_EQ(governor_.Stated()->remaining, 150);
  Answer(Headers(167, 0, old_reset));
  EXPECT_EQ(governor_.Stated()->remaining, 150);
  EXPECT_EQ(SendAll(), 150);
}

TEST_F(ReservingNothingTest, NewWindowIsAdopted) {
  const absl::Time reset = clock_.Now() + absl::Seconds(3);
  Learn(167, 1, reset);
  ASSERT_EQ(SendAll(), 1);
  ASSERT_EQ(wait_, absl::Seconds(3));
  // The server's window began before we knew.
  Answer(Headers(167, 166, reset + kWindow));
  EXPECT_EQ(SendAll(), 166);
  EXPECT_EQ(wait_, absl::Seconds(13));
}

TEST_F(ReservingNothingTest, LearnsTheLengthOfTheWindowFromTwoResets) {
  const absl::Time reset = clock_.Now() + absl::Seconds(4);
  Learn(10, 9, reset);
  clock_.Advance(absl::Seconds(4));
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Answer(Headers(10, 9, reset + absl::Seconds(4)));
  clock_.Advance(absl::Seconds(4));
  EXPECT_EQ(SendAll(), 10);
  EXPECT_EQ(wait_, absl::Seconds(4));
}

TEST_F(QuotaGovernorTest, ClocksFiveMinutesApartMakeNoDifference) {
  for (const absl::Duration skew :
       {-absl::Minutes(5), absl::Minutes(5), -absl::Hours(24 * 365), absl::Hours(24 * 365)}) {
    FakeClock clock;
    QuotaGovernor governor({0.1}, &clock, [] { return 0.0; });
    QuotaGovernor::Ticket ticket = 0;
    RateLimitHeaders headers;
    headers.limit = 83;
    headers.remaining = 10;
    headers.date = clock.Now() + skew;
    headers.reset = clock.Now() + skew + absl::Seconds(7);
    ASSERT_EQ(governor.TryAcquire(&ticket), absl::ZeroDuration());
    governor.OnAnswer(ticket, headers);
    EXPECT_EQ(governor.TryAcquire(&ticket), absl::ZeroDuration()) << skew;
    EXPECT_EQ(governor.TryAcquire(&ticket), absl::Seconds(7)) << skew;

    headers.remaining = 0;
    governor.OnRateLimited(ticket, headers);
    EXPECT_EQ(governor.TryAcquire(&ticket), absl::Seconds(7)) << skew;
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
  Answer(Headers(83, 9, reset));
  EXPECT_EQ(SendAll(), 0);
  EXPECT_GE(wait_, reset - clock_.Now());
  EXPECT_LE(wait_, reset - clock_.Now() + absl::Milliseconds(50));
}

TEST_F(QuotaGovernorTest, FollowsAClockThatIsSet) {
  Learn(83, 82, ServerNow() + kWindow);
  skew_ = -absl::Minutes(5);
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Reject(Headers(83, 0, ServerNow() + absl::Seconds(4)));
  EXPECT_EQ(Acquire(), absl::Seconds(4));
}

TEST_F(QuotaGovernorTest, MissingHeadersNeverBlock) {
  RateLimitHeaders only_date;
  only_date.date = clock_.Now();
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Answer(only_date);
  EXPECT_EQ(SendAll(10000), 10000);
  EXPECT_FALSE(governor_.Stated().has_value());
}

// Requests used to go one by one for ever.
TEST_F(QuotaGovernorTest, AnswersWithoutDateOrLimitNeverBlockEither) {
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Answer(ParseRateLimitHeaders({{"content-length", "2"}}));
  EXPECT_EQ(SendAll(1000), 1000);
}

TEST_F(QuotaGovernorTest, HeadersThatVanishLeaveTheLastLimitInForce) {
  Learn(83, 82, clock_.Now() + kWindow);
  ASSERT_EQ(SendAll(), 73);
  RateLimitHeaders only_date;
  for (int i = 0; i < 73; ++i) {
    only_date.date = ServerNow();
    Answer(only_date);
  }
  EXPECT_EQ(SendAll(), 0);
  clock_.Advance(kWindow);
  EXPECT_EQ(SendAll(), 74);
}

TEST_F(ReservingNothingTest, LimitWithoutResetOrRemainingIsSurvived) {
  RateLimitHeaders headers;
  headers.limit = 10;
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Answer(headers);
  EXPECT_EQ(SendAll(20), 20);  // A limit alone says nothing of the window.
  headers.remaining = 3;
  Answer(headers);
  // Assumed windows of 10 seconds from here on, less what is on the way.
  for (int i = 0; i < 19; ++i) Answer(RateLimitHeaders());
  clock_.Advance(kWindow);
  EXPECT_EQ(SendAll(), 10);
  EXPECT_EQ(wait_, kWindow);
}

TEST_F(QuotaGovernorTest, A429ClosesTheGateUntilTheResetAndNoLonger) {
  for (const double random : {0.0, 0.5, 0.999}) {
    FakeClock clock;
    QuotaGovernor governor({0.1}, &clock, [random] { return random; });
    QuotaGovernor::Ticket ticket = 0;
    RateLimitHeaders headers;
    headers.limit = 1666;
    headers.remaining = 1500;
    headers.reset = clock.Now() + absl::Seconds(6);
    headers.date = clock.Now();
    ASSERT_EQ(governor.TryAcquire(&ticket), absl::ZeroDuration());
    governor.OnAnswer(ticket, headers);
    ASSERT_EQ(governor.TryAcquire(&ticket), absl::ZeroDuration());
    ASSERT_EQ(governor.TryAcquire(&ticket), absl::ZeroDuration());
    // Somebody else's use of the workspace: plenty remains and yet a 429.
    governor.OnRateLimited(ticket, headers);

    const absl::Duration wait = governor.TryAcquire(&ticket);
    EXPECT_EQ(wait, absl::Seconds(6) + random * kJitter);
    // A good answer that was on the way opens nothing.
    headers.remaining = 1499;
    governor.OnAnswer(ticket, headers);
    EXPECT_EQ(governor.TryAcquire(&ticket), wait);
    clock.Advance(wait - absl::Nanoseconds(1));
    EXPECT_GT(governor.TryAcquire(&ticket), absl::ZeroDuration());
    clock.Advance(absl::Nanoseconds(1));
    EXPECT_EQ(governor.TryAcquire(&ticket), absl::ZeroDuration());
  }
}

TEST_F(QuotaGovernorTest, ManyRejectionsOfOneWindowCloseTheGateOnce) {
  const absl::Time reset = clock_.Now() + absl::Seconds(6);
  Learn(1666, 1665, reset);
  ASSERT_EQ(SendAll(64), 64);
  random_ = 0.5;
  for (int i = 0; i < 64; ++i) Reject(Headers(1666, 0, reset));
  EXPECT_EQ(Acquire(), absl::Seconds(6) + 0.5 * kJitter);
  clock_.Advance(absl::Seconds(6) + kJitter);
  EXPECT_EQ(SendAll(), 1499);
}

TEST_F(QuotaGovernorTest, A429WhoseResetIsOverHoldsBackForTheJitterOnly) {
  random_ = 0.5;
  Learn(1666, 1665, clock_.Now() + kWindow);
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Reject(Headers(1666, 0, clock_.Now() - absl::Seconds(1)));
  EXPECT_EQ(Acquire(), 0.5 * kJitter);
}

TEST_F(QuotaGovernorTest, AFirstAnswerOf429IsAnAnswer) {
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Reject(Headers(83, 0, clock_.Now() + absl::Seconds(2)));
  EXPECT_EQ(Acquire(), absl::Seconds(2));
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(SendAll(), 74);
}

TEST_F(QuotaGovernorTest, A429WithoutResetGrowsToAMinute) {
  for (const double random : {0.0, 0.999}) {
    FakeClock clock;
    QuotaGovernor governor({0.1}, &clock, [random] { return random; });
    QuotaGovernor::Ticket ticket = 0;
    absl::Duration last;
    absl::Duration wait;
    for (int rejection = 0; rejection < 20; ++rejection) {
      ASSERT_EQ(governor.TryAcquire(&ticket), absl::ZeroDuration());
      governor.OnRateLimited(ticket, RateLimitHeaders());
      wait = governor.TryAcquire(&ticket);
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
    ASSERT_EQ(governor.TryAcquire(&ticket), absl::ZeroDuration());
    RateLimitHeaders good;
    good.date = clock.Now();
    governor.OnAnswer(ticket, good);
    ASSERT_EQ(governor.TryAcquire(&ticket), absl::ZeroDuration());
    governor.OnRateLimited(ticket, RateLimitHeaders());
    EXPECT_LE(governor.TryAcquire(&ticket), kWindow + kJitter);
  }
}

// Each of the requests in flight used to double the pause: one burst closed the
// gate for a minute.
TEST_F(QuotaGovernorTest, ABurstOf429WithoutResetCountsOnce) {
  RateLimitHeaders only_date;
  only_date.date = clock_.Now();
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Answer(only_date);
  ASSERT_EQ(SendAll(64), 64);
  random_ = 0.999;
  for (int i = 0; i < 64; ++i) Reject(RateLimitHeaders());
  const absl::Duration wait = Acquire();
  EXPECT_GT(wait, absl::ZeroDuration());
  EXPECT_LE(wait, kWindow + kJitter);
}

TEST_F(QuotaGovernorTest, AnAbsurdlyFarResetOfA429IsNotBelieved) {
  Learn(83, 82, clock_.Now() + kWindow);
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Reject(Headers(83, 0, clock_.Now() + absl::Hours(1000)));
  EXPECT_LE(Acquire(), kWindow + kJitter);
}

// Resets in milliseconds, say: every later window used to count as older.
TEST_F(ReservingNothingTest, OneAbsurdResetDoesNotHideTheWindowsAfterIt) {
  Learn(167, 166, absl::FromUnixSeconds(1700000010000));
  clock_.Advance(kWindow);
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Answer(Headers(167, 3, clock_.Now() + absl::Seconds(5)));
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
      ASSERT_EQ(Acquire(), absl::ZeroDuration());
      Answer(Headers(limit, limit - 1, reset));
    }
    EXPECT_EQ(SendAll(), 0) << limit;
    for (int window = 0; window < 3; ++window) {
      clock_.Advance(kWindow);
      reset += kWindow;
      EXPECT_EQ(SendAll(), 1) << limit;
      Answer(Headers(limit, limit - 1, reset));
    }
    clock_.Advance(kWindow);
    reset += kWindow;
  }
}

TEST_F(QuotaGovernorTest, LimitMayChangeWhileRunning) {
  absl::Time reset = clock_.Now() + kWindow;
  Learn(1666, 1665, reset);
  ASSERT_EQ(SendAll(100), 100);
  for (int i = 0; i < 99; ++i) Answer(Headers(1666, 1600, reset));
  // Lowered within the window: what remains of the new limit counts.
  Answer(Headers(83, 20, reset));
  EXPECT_EQ(governor_.Stated()->limit, 83);
  const int64_t sent = SendAll();
  EXPECT_EQ(sent, 11);
  for (int64_t i = 0; i < sent; ++i) Answer(Headers(83, 9, reset));

  // Raised with a new window.
  clock_.Advance(kWindow);
  reset += kWindow;
  ASSERT_EQ(Acquire(), absl::ZeroDuration());
  Answer(Headers(1666, 1665, reset));
  EXPECT_EQ(SendAll(), 1498);
}

// Fixed windows on the server, answers after a delay and out of order: over many
// windows the reserve is never touched, and the rest is used.
TEST_F(QuotaGovernorTest, NeverTouchesTheReserveOverManyWindows) {
  constexpr int64_t kLimit = 167;
  constexpr int64_t kReserved = 17;
  constexpr size_t kMaxInFlight = 20;
  constexpr absl::Duration kStep = absl::Milliseconds(50);
  struct OnTheWay {
    absl::Time at;
    QuotaGovernor::Ticket ticket;
    RateLimitHeaders headers;
  };
  std::vector<OnTheWay> on_the_way;
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
    QuotaGovernor::Ticket ticket = 0;
    while (on_the_way.size() < kMaxInFlight &&
           governor_.TryAcquire(&ticket) == absl::ZeroDuration()) {
      ++used;
      ++total;
      noise = noise * 1664525 + 1013904223;
      on_the_way.push_back({clock_.Now() + kStep * (1 + (noise >> 24) % 10), ticket,
                            Headers(kLimit, kLimit - used, reset)});
    }
    clock_.Advance(kStep);
    for (size_t i = 0; i < on_the_way.size();) {
      if (on_the_way[i].at <= clock_.Now()) {
        governor_.OnAnswer(on_the_way[i].ticket, on_the_way[i].headers);
        on_the_way.erase(on_the_way.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
  }
  EXPECT_GE(total, 20 * (kLimit - kReserved) * 97 / 100);
}

// In flight when the window ends: they were subtracted from the next one for good,
// 5 % of it with answers of half a second.
TEST_F(ReservingNothingTest, AnswersOfTheOldWindowGiveTheirPlacesBack) {
  const absl::Time reset = clock_.Now() + kWindow;
  Learn(167, 166, reset);
  ASSERT_EQ(SendAll(20), 20);
  clock_.Advance(kWindow);
  ASSERT_EQ(SendAll(100), 100);
  for (int i = 0; i < 20; ++i) Answer(Headers(167, 165 - i, reset));
  Answer(Headers(167, 166, reset + kWindow));
  EXPECT_EQ(SendAll(), 67);
}

TEST_F(ReservingNothingTest, AnOldAnswerThatCountedInTheNewWindowKeepsItsPlace) {
  const absl::Time reset = clock_.Now() + kWindow;
  Learn(167, 166, reset);
  ASSERT_EQ(SendAll(20), 20);
  clock_.Advance(kWindow);
  for (int i = 0; i < 20; ++i) Answer(Headers(167, 166 - i, reset + kWindow));
  EXPECT_EQ(SendAll(), 147);
}

TEST_F(ReservingNothingTest, AWindowThatOutlastsOurGuessOfItIsNotSpentTwice) {
  const absl::Time reset = clock_.Now() + kWindow;
  Learn(167, 166, reset);
  ASSERT_EQ(SendAll(), 166);
  for (int i = 165; i >= 0; --i) Answer(Headers(167, i, reset));
  clock_.Advance(kWindow);
  // The server's clock is behind what its Date made us think.
  ASSERT_EQ(SendAll(1), 1);
  Answer(Headers(167, 0, reset));
  EXPECT_EQ(SendAll(), 0);
  clock_.Advance(absl::Milliseconds(10));
  EXPECT_EQ(SendAll(1), 1);
}

TEST_F(QuotaGovernorTest, AfterAPauseOfMoreThanAWindowTheNextRequestGoesAlone) {
  Learn(1666, 1665, clock_.Now() + kWindow);
  clock_.Advance(2 * kWindow);
  EXPECT_EQ(Acquire(), absl::ZeroDuration());
  EXPECT_EQ(Acquire(), absl::InfiniteDuration());
  Answer(Headers(83, 82, clock_.Now() + kWindow));
  EXPECT_EQ(SendAll(), 73);
}

TEST_F(ReservingNothingTest, AHiddenLimitShrinksOurShareAndCleanWindowsGrowIt) {
  absl::Time reset = clock_.Now() + kWindow;
  Learn(1000, 999, reset);
  ASSERT_EQ(SendAll(10), 10);
  // Two of one window: rejected though plenty remains.
  Reject(Headers(1000, 900, reset));
  Reject(Headers(1000, 900, reset));
  for (int i = 0; i < 8; ++i) Answer(Headers(1000, 890, reset));
  std::vector<int64_t> sent;
  for (int window = 0; window < 3; ++window) {
    clock_.Advance(kWindow);
    reset += kWindow;
    sent.push_back(SendAll());
    for (int64_t i = 0; i < sent.back(); ++i) Answer(Headers(1000, 999 - i, reset));
  }
  EXPECT_EQ(sent, (std::vector<int64_t>{700, 750, 800}));
}

TEST_F(ReservingNothingTest, TellsWhatOthersUse) {
  const absl::Time reset = clock_.Now() + kWindow;
  Learn(1666, 1665, reset);
  ASSERT_EQ(SendAll(100), 100);
  for (int i = 0; i < 100; ++i) Answer(Headers(1666, 1664 - i - (i >= 50 ? 300 : 0), reset));
  ASSERT_TRUE(governor_.Present().has_value());
  EXPECT_EQ(governor_.Present()->used_by_others, 300);
  EXPECT_EQ(governor_.Present()->left, 1265);
  EXPECT_EQ(governor_.Present()->end, clock_.Now() + kWindow);
}

TEST_F(QuotaGovernorTest, SeveralThreadsTogetherTakeNoMoreThanThereIs) {
  Learn(1666, 1665, clock_.Now() + kWindow);
  std::vector<std::thread> threads;
  std::vector<int> sent(4);
  for (int& count : sent) {
    threads.emplace_back([this, &count] {
      QuotaGovernor::Ticket ticket = 0;
      while (governor_.TryAcquire(&ticket) == absl::ZeroDuration()) {
        ++count;
        if (count % 2 == 0) governor_.OnAnswer(ticket, RateLimitHeaders());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sent[0] + sent[1] + sent[2] + sent[3], 1498);
}

}  // namespace
}  // namespace intercom_extractor

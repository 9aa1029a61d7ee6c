#include "extractor/quota/page_size.h"

#include <algorithm>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "extractor/sync/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;

class PageSizeTest : public testing::Test {
 protected:
  int Next() { return size_.Next(clock_.Now()); }
  void Succeed(int asked) { size_.OnSuccess(asked, clock_.Now()); }
  void Fail(int asked) { size_.OnTrouble(asked, clock_.Now()); }

  // Pages of the present size come until one more may be tried.
  void AwaitGrowth(absl::Duration wait) {
    for (int i = 0; i < options_.pages; ++i) Succeed(size_.Present());
    clock_.Advance(wait);
  }

  // How long pages must come until growth is tried. What it tries is left open.
  absl::Duration TimeToGrowth() {
    const absl::Time begin = clock_.Now();
    while (Next() == size_.Present()) {
      Succeed(size_.Present());
      clock_.Advance(absl::Seconds(1));
    }
    return clock_.Now() - begin;
  }

  FakeClock clock_;
  const PageSize::Options options_;
  PageSize size_{options_};
};

TEST_F(PageSizeTest, BeginsWithTheLargestAndStaysThereWhileAllIsWell) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Next(), 150);
    Succeed(150);
    clock_.Advance(absl::Minutes(1));
  }
}

TEST_F(PageSizeTest, TroubleHalvesItDownToTheSmallest) {
  std::vector<int> sizes;
  for (int i = 0; i < 6; ++i) {
    sizes.push_back(Next());
    Fail(sizes.back());
  }
  EXPECT_THAT(sizes, ElementsAre(150, 75, 37, 18, 10, 10));
}

TEST_F(PageSizeTest, PagesThatWereOnTheirWayTogetherCountOnce) {
  for (int i = 0; i < 64; ++i) Fail(150);
  EXPECT_EQ(size_.Present(), 75);
  Fail(75);
  for (int i = 0; i < 64; ++i) Fail(150);
  for (int i = 0; i < 64; ++i) Fail(75);
  EXPECT_EQ(size_.Present(), 37);
}

TEST_F(PageSizeTest, SmallerPageThanThePresentOneThatFailsHalvesItself) {
  Fail(60);
  EXPECT_EQ(size_.Present(), 30);
}

TEST_F(PageSizeTest, GrowsBackByHalvesToTheLargest) {
  for (int i = 0; i < 4; ++i) Fail(size_.Present());
  std::vector<int> sizes;
  while (size_.Present() < 150) {
    AwaitGrowth(options_.first_wait);
    sizes.push_back(Next());
    Succeed(sizes.back());
    EXPECT_EQ(size_.Present(), sizes.back());
  }
  EXPECT_THAT(sizes, ElementsAre(15, 22, 33, 49, 73, 109, 150));
}

TEST_F(PageSizeTest, GrowthTakesBothGoodPagesAndTime) {
  Fail(150);
  clock_.Advance(absl::Hours(1));
  for (int i = 0; i < options_.pages; ++i) {
    EXPECT_EQ(Next(), 75) << "no more than time has passed";
    Succeed(75);
  }
  EXPECT_EQ(Next(), 112);

  Fail(75);
  for (int i = 0; i < 1000; ++i) Succeed(37);
  EXPECT_EQ(Next(), 37) << "no time has passed";
}

TEST_F(PageSizeTest, SmallerPagesThanThePresentOneProveNothing) {
  Fail(150);
  clock_.Advance(absl::Hours(1));
  for (int i = 0; i < 100; ++i) Succeed(37);
  EXPECT_EQ(Next(), 75);
}

TEST_F(PageSizeTest, OneRequestTriesMoreWhileTheOthersStay) {
  Fail(150);
  AwaitGrowth(options_.first_wait);
  EXPECT_EQ(Next(), 112);
  EXPECT_EQ(size_.Present(), 75) << "what is tried again tries nothing new";
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Next(), 75);
    Succeed(75);
  }
  Succeed(112);
  EXPECT_EQ(Next(), 112);
}

TEST_F(PageSizeTest, GrowthThatFailsShrinksNothingAndIsTriedHalfAsOften) {
  Fail(150);
  std::vector<absl::Duration> waits;
  for (int i = 0; i < 9; ++i) {
    waits.push_back(TimeToGrowth());
    Fail(112);
    EXPECT_EQ(size_.Present(), 75);
  }
  EXPECT_THAT(waits, ElementsAre(absl::Seconds(30), absl::Minutes(1), absl::Minutes(2),
                                 absl::Minutes(4), absl::Minutes(8), absl::Minutes(16),
                                 absl::Minutes(32), absl::Minutes(32), absl::Minutes(32)));
}

TEST_F(PageSizeTest, GrowthThatDoesNotLastIsTriedHalfAsOften) {
  Fail(150);
  AwaitGrowth(options_.first_wait);
  ASSERT_EQ(Next(), 112);
  Succeed(112);
  clock_.Advance(absl::Seconds(1));
  Fail(112);
  EXPECT_EQ(size_.Present(), 56);
  EXPECT_EQ(TimeToGrowth(), absl::Minutes(1));
}

TEST_F(PageSizeTest, GrowthThatLastsForgetsWhatFailedBefore) {
  Fail(150);
  for (int i = 0; i < 3; ++i) {
    TimeToGrowth();
    Fail(112);
  }
  EXPECT_EQ(TimeToGrowth(), absl::Minutes(4));
  Succeed(112);
  EXPECT_EQ(TimeToGrowth(), absl::Minutes(4));
  Fail(150);
  EXPECT_EQ(TimeToGrowth(), absl::Minutes(1)) << "twice the first wait";
}

TEST_F(PageSizeTest, TrialWhoseOutcomeNobodyTellsIsTriedAgain) {
  Fail(150);
  EXPECT_EQ(TimeToGrowth(), options_.first_wait);  // Then its extraction is cancelled.
  EXPECT_EQ(TimeToGrowth(), options_.first_wait);
}

TEST_F(PageSizeTest, TrialThatSucceedsAfterThePresentSizeFailedIsOvertaken) {
  Fail(150);
  AwaitGrowth(options_.first_wait);
  ASSERT_EQ(Next(), 112);
  Fail(75);
  Succeed(112);
  EXPECT_EQ(size_.Present(), 37);
}

// An upstream that makes pages of up to `bears` records, and now and then fails
// whatever it is asked for. Pages are asked for eight at a time.
struct Simulation {
  int bears;
  double accidents;
  int pages = 0;
  int failed = 0;
  // Records of all pages.
  int64_t records = 0;

  void Run(absl::Duration time, std::mt19937_64* random, FakeClock* clock, PageSize* size) {
    std::uniform_real_distribution<double> chance(0, 1);
    for (const absl::Time end = clock->Now() + time; clock->Now() < end;
         clock->Advance(absl::Seconds(1))) {
      std::vector<int> asked;
      for (int i = 0; i < 8; ++i) asked.push_back(size->Next(clock->Now()));
      std::shuffle(asked.begin(), asked.end(), *random);
      for (const int page : asked) {
        // Millions of pages: matchers would take most of the test's time.
        if (page < 10 || page > 150) FAIL() << "asked for " << page;
        ++pages;
        if (page > bears || chance(*random) < accidents) {
          ++failed;
          size->OnTrouble(page, clock->Now());
        } else {
          records += page;
          size->OnSuccess(page, clock->Now());
        }
      }
    }
  }
};

TEST_F(PageSizeTest, WhateverIntercomBearsLittleIsLostToPagesThatAreTooLarge) {
  constexpr uint64_t kSeed = 7;
  std::mt19937_64 random(kSeed);
  for (int bears = 10; bears <= 150; bears += 14) {
    SCOPED_TRACE(testing::Message() << "seed " << kSeed << ", bears " << bears);
    PageSize size(options_);
    Simulation day{bears, /*accidents=*/0};
    day.Run(absl::Hours(24), &random, &clock_, &size);
    // The first shrinking, eight at a time, then 45 attempts a day at most.
    EXPECT_LE(day.failed, 4 * 8 + 6 + 45);
    // Growing by halves leaves no more than that unused.
    EXPECT_GE(day.records / (day.pages - day.failed), bears * 2 / 3 - 1);
    // A better day begins: the next attempt is no further away than the longest wait.
    Simulation better{150, /*accidents=*/0};
    better.Run(3 * options_.longest_wait, &random, &clock_, &size);
    EXPECT_EQ(size.Present(), 150);
    EXPECT_EQ(better.failed, 0);
  }
}

TEST_F(PageSizeTest, AccidentsThatHaveNothingToDoWithSizeDoNotKeepItSmall) {
  constexpr uint64_t kSeed = 11;
  std::mt19937_64 random(kSeed);
  // One in 30,000: about one in an hour.
  Simulation day{150, 1.0 / 30000};
  day.Run(absl::Hours(24), &random, &clock_, &size_);
  EXPECT_GT(day.failed, 10);
  EXPECT_GE(day.records / day.pages, 140) << "seed " << kSeed;
}

}  // namespace
}  // namespace intercom_extractor

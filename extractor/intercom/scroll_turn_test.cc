#include "extractor/intercom/scroll_turn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "extractor/sync/inbox.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScrollTurnTest : public ::testing::Test {
 protected:
  bool Enter(uint64_t who) {
    return turn_.Enter(who, [this, who] { granted_.push_back(who); });
  }

  ScrollTurn turn_;
  std::vector<uint64_t> granted_;
};

TEST_F(ScrollTurnTest, FirstComeFirstServed) {
  EXPECT_TRUE(Enter(7));
  EXPECT_FALSE(Enter(3));
  EXPECT_FALSE(Enter(5));
  EXPECT_THAT(granted_, IsEmpty());
  turn_.Leave(7);
  EXPECT_THAT(granted_, ElementsAre(3));
  // Back in line, behind the others.
  EXPECT_FALSE(Enter(7));
  turn_.Leave(3);
  EXPECT_THAT(granted_, ElementsAre(3, 5));
  turn_.Leave(5);
  turn_.Leave(7);
  EXPECT_THAT(granted_, ElementsAre(3, 5, 7));
  EXPECT_TRUE(Enter(9)) << "nobody is left";
}

TEST_F(ScrollTurnTest, WhoeverLeavesTheLineIsNotCalled) {
  EXPECT_TRUE(Enter(1));
  EXPECT_FALSE(Enter(2));
  EXPECT_FALSE(Enter(3));
  turn_.Leave(2);
  EXPECT_THAT(granted_, IsEmpty()) << "the turn is still taken";
  turn_.Leave(2);
  turn_.Leave(1);
  turn_.Leave(1);
  EXPECT_THAT(granted_, ElementsAre(3));
}

TEST_F(ScrollTurnTest, GrantedMayComeBack) {
  EXPECT_TRUE(Enter(1));
  bool again = false;
  turn_.Enter(2, [&] {
    turn_.Leave(2);
    again = turn_.Enter(2, [] {});
  });
  turn_.Leave(1);
  EXPECT_TRUE(again);
}

TEST(ScrollTurnThreadsTest, OneAtATime) {
  constexpr int kThreads = 8;
  constexpr int kTurns = 500;
  ScrollTurn turn;
  std::atomic<int> inside{0};
  std::atomic<int> worst{0};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int who = 0; who < kThreads; ++who) {
    threads.emplace_back([&, who] {
      Inbox<bool> granted;
      for (int i = 0; i < kTurns; ++i) {
        if (!turn.Enter(who, [&] { granted.Put(true); })) granted.Take();
        worst = std::max(worst.load(), ++inside);
        --inside;
        turn.Leave(who);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(worst, 1);
}

}  // namespace
}  // namespace intercom_extractor

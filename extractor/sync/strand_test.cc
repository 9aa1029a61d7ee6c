#include "extractor/sync/strand.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "extractor/sync/fake_clock.h"
#include "extractor/sync/inbox.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;

// Whatever is due has run once this returns: due work comes in order.
void Drain(Strand* strand) {
  Inbox<bool> drained;
  strand->Post([&drained] { drained.Put(true); });
  drained.Take();
}

TEST(StrandTest, RunsWorkInOrderOnOneThreadOfItsOwn) {
  FakeClock clock;
  Strand strand(&clock);
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  for (int i = 0; i < 100; ++i) {
    strand.Post([&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
    });
  }
  strand.Start();
  Drain(&strand);
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(order[i], i);
    EXPECT_EQ(threads[i], threads[0]);
  }
  EXPECT_NE(threads[0], std::this_thread::get_id());
}

TEST(StrandTest, NeverRunsTwoPiecesAtOnceAndLosesNone) {
  FakeClock clock;
  Strand strand(&clock);
  strand.Start();
  // Without a lock of its own: ThreadSanitizer tells when two pieces overlap.
  int count = 0;
  std::vector<std::thread> producers;
  for (int producer = 0; producer < 4; ++producer) {
    producers.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) strand.Post([&count] { ++count; });
    });
  }
  for (std::thread& producer : producers) producer.join();
  Drain(&strand);
  EXPECT_EQ(count, 4000);
}

TEST(StrandTest, WorkMayPostMoreWork) {
  FakeClock clock;
  Strand strand(&clock);
  strand.Start();
  Inbox<std::string> said;
  strand.Post([&] {
    strand.Post([&said] { said.Put("second"); });
    said.Put("first");
  });
  EXPECT_EQ(said.Take(), "first");
  EXPECT_EQ(said.Take(), "second");
}

TEST(StrandTest, DelayedWorkWaitsForItsTimeAndThenGoesFirst) {
  FakeClock clock;
  Strand strand(&clock);
  std::vector<std::string> order;
  strand.PostAfter(absl::Seconds(10), [&order] { order.push_back("after 10 s"); });
  strand.PostAfter(absl::Seconds(5), [&order] { order.push_back("after 5 s"); });
  strand.Start();
  strand.Post([&order] { order.push_back("now"); });
  Drain(&strand);
  EXPECT_THAT(order, ElementsAre("now"));

  clock.Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  Drain(&strand);
  EXPECT_THAT(order, ElementsAre("now"));

  clock.Advance(absl::Nanoseconds(1));
  strand.Post([&order] { order.push_back("later"); });
  Drain(&strand);
  EXPECT_THAT(order, ElementsAre("now", "after 5 s", "later"));

  clock.Advance(absl::Hours(1));
  Drain(&strand);
  EXPECT_THAT(order, ElementsAre("now", "after 5 s", "later", "after 10 s"));
}

TEST(StrandTest, DelayedWorkWakesTheThreadByItself) {
  SteadyClock clock;
  Strand strand(&clock);
  strand.Start();
  Inbox<bool> ran;
  strand.PostAfter(absl::Milliseconds(1), [&ran] { ran.Put(true); });
  EXPECT_TRUE(ran.Take());
}

TEST(StrandTest, StopDropsWhatWaitsAndWhatComesLater) {
  FakeClock clock;
  Strand strand(&clock);
  Inbox<bool> started;
  Inbox<bool> go_on;
  bool dropped_ran = false;
  strand.Start();
  strand.Post([&] {
    started.Put(true);
    go_on.Take();
  });
  started.Take();
  auto owned = std::make_shared<int>(1);
  strand.Post([&dropped_ran, owned] { dropped_ran = true; });
  strand.PostAfter(absl::ZeroDuration(), [&dropped_ran, owned] { dropped_ran = true; });
  EXPECT_EQ(owned.use_count(), 3);

  strand.Stop();
  EXPECT_EQ(owned.use_count(), 1) << "dropped work must let go of what it owns";
  strand.Post([&dropped_ran, owned] { dropped_ran = true; });
  strand.PostAfter(absl::ZeroDuration(), [&dropped_ran, owned] { dropped_ran = true; });
  EXPECT_EQ(owned.use_count(), 1);

  go_on.Put(true);
  strand.Join();
  EXPECT_FALSE(dropped_ran);
}

TEST(StrandTest, StopsFromItsOwnThread) {
  FakeClock clock;
  Strand strand(&clock);
  bool dropped_ran = false;
  strand.Post([&] {
    strand.Stop();
    strand.Post([&dropped_ran] { dropped_ran = true; });
  });
  strand.Post([&dropped_ran] { dropped_ran = true; });
  strand.Start();
  strand.Join();
  EXPECT_FALSE(dropped_ran);
}

// Dropped work may own what posts back to the strand when it goes.
TEST(StrandTest, DroppedWorkMayCallBackWhileItIsDestroyed) {
  FakeClock clock;
  Strand strand(&clock);
  struct PostsBack {
    explicit PostsBack(Strand* strand) : strand(strand) {}
    ~PostsBack() {
      strand->Post([] {});
    }
    Strand* const strand;
  };
  strand.Post([owned = std::make_unique<PostsBack>(&strand)] {});
  strand.Stop();
}

TEST(StrandTest, MayEndWithoutHavingStarted) {
  FakeClock clock;
  Strand strand(&clock);
  strand.Post([] {});
}

}  // namespace
}  // namespace intercom_extractor

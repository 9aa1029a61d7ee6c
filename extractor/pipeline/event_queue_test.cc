#include "extractor/pipeline/event_queue.h"

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/event.h"
#include "extractor/sync/inbox.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

// Until the producer stands at the bound; it has nothing else left to do.
void AwaitFull(const EventQueue& queue) {
  while (!queue.ProducerWaits()) std::this_thread::yield();
}

std::optional<std::string> Pop(EventQueue* queue) {
  const std::optional<Event> event = queue->Pop();
  if (!event.has_value()) return std::nullopt;
  return event->Flat();
}

TEST(EventQueueTest, GivesEventsInOrder) {
  EventQueue queue(1024);
  EXPECT_EQ(Pop(&queue), std::nullopt);
  EXPECT_TRUE(queue.Push(Event("a")));
  EXPECT_TRUE(queue.Push(Event("")));
  EXPECT_TRUE(queue.Push(Event("b")));
  EXPECT_EQ(Pop(&queue), "a");
  EXPECT_EQ(Pop(&queue), "");
  EXPECT_EQ(Pop(&queue), "b");
  EXPECT_EQ(Pop(&queue), std::nullopt);
}

TEST(EventQueueTest, BlocksAtTheBoundAndGoesOnWhenThereIsRoom) {
  EventQueue queue(10);
  // Taken while fewer than 10 bytes wait: also what goes beyond.
  EXPECT_TRUE(queue.Push(Event("123456789")));
  EXPECT_FALSE(queue.ProducerWaits());
  EXPECT_TRUE(queue.Push(Event(std::string(1000, 'x'))));
  Inbox<bool> pushed;
  std::thread producer([&] { pushed.Put(queue.Push(Event("after"))); });
  AwaitFull(queue);
  EXPECT_EQ(Pop(&queue), "123456789");
  // Still 1,000 bytes, so still full.
  AwaitFull(queue);
  EXPECT_EQ(pushed.size(), 0u);
  EXPECT_EQ(Pop(&queue), std::string(1000, 'x'));
  EXPECT_TRUE(pushed.Take());
  producer.join();
  EXPECT_FALSE(queue.ProducerWaits());
  EXPECT_EQ(Pop(&queue), "after");
}

TEST(EventQueueTest, NeverHoldsMoreThanTheBoundAndOneEvent) {
  constexpr int kEvents = 2000;
  // Three of 30 bytes are below 100, so a fourth is taken.
  EventQueue queue(100);
  std::atomic<int> pushed{0};
  std::thread producer([&] {
    for (int i = 0; i < kEvents; ++i) {
      queue.Push(Event(std::string(30, 'x')));
      ++pushed;
    }
  });
  AwaitFull(queue);
  EXPECT_EQ(pushed, 4);
  for (int popped = 0; popped < kEvents;) {
    EXPECT_LE(pushed - popped, 4);
    if (queue.Pop().has_value()) ++popped;
  }
  producer.join();
}

// 64 stalled readers held 448 MiB, as queues counted the bytes that they would send.
TEST(EventQueueTest, CountsTheMemoryThatEventsHold) {
  EventQueue queue(100);
  static constexpr char kRow[] = "row";
  Event event;
  event.Append({nullptr, kRow, /*held=*/100});
  EXPECT_TRUE(queue.Push(std::move(event)));
  std::thread producer([&] { queue.Push(Event("after")); });
  AwaitFull(queue);
  EXPECT_EQ(Pop(&queue), "row");
  producer.join();
  EXPECT_EQ(Pop(&queue), "after");
}

TEST(EventQueueTest, CancelWakesTheProducer) {
  EventQueue queue(1);
  ASSERT_TRUE(queue.Push(Event("full")));
  Inbox<bool> pushed;
  std::thread producer([&] { pushed.Put(queue.Push(Event("waits"))); });
  AwaitFull(queue);
  queue.Cancel();
  EXPECT_FALSE(pushed.Take());
  producer.join();
  EXPECT_FALSE(queue.Push(Event("later")));
}

TEST(EventQueueTest, CancelDropsWhatWaits) {
  EventQueue queue(1024);
  queue.Push(Event("a"));
  queue.Cancel();
  EXPECT_EQ(Pop(&queue), std::nullopt);
  ASSERT_TRUE(queue.Finished().has_value());
  EXPECT_EQ(queue.Finished()->code(), absl::StatusCode::kCancelled);
  queue.Cancel();
  queue.Finish(absl::OkStatus());
  EXPECT_EQ(queue.Finished()->code(), absl::StatusCode::kCancelled) << "the first end counts";
}

TEST(EventQueueTest, CancelAfterTheEndKeepsTheEnd) {
  EventQueue queue(1024);
  queue.Finish(absl::OkStatus());
  queue.Cancel();
  EXPECT_EQ(queue.Finished(), absl::OkStatus());
}

TEST(EventQueueTest, FinishedOnceEverythingWasPopped) {
  EventQueue queue(1024);
  queue.Push(Event("a"));
  EXPECT_FALSE(queue.Finished().has_value());
  queue.Finish(absl::UnavailableError("first"));
  queue.Finish(absl::OkStatus());
  EXPECT_FALSE(queue.Finished().has_value());
  EXPECT_EQ(Pop(&queue), "a");
  EXPECT_EQ(queue.Finished(), absl::UnavailableError("first"));
}

TEST(EventQueueTest, TellsWhenSomethingIsReady) {
  EventQueue queue(1024);
  int ready = 0;
  queue.OnReady([&] {
    ++ready;
    // Without locks: may look at the queue.
    queue.ProducerWaits();
    queue.Finished();
  });
  queue.Push(Event("a"));
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(Pop(&queue), "a");
  EXPECT_EQ(Pop(&queue), std::nullopt);
  queue.Push(Event("b"));
  EXPECT_EQ(ready, 2);
  queue.Finish(absl::OkStatus());
  EXPECT_EQ(ready, 3);
  queue.Finish(absl::OkStatus());
  EXPECT_EQ(ready, 3) << "only the first end is one";
  queue.Cancel();
  EXPECT_EQ(ready, 4);
}

TEST(EventQueueTest, ReadyMayPopOnTheThreadThatPushes) {
  EventQueue queue(1);
  std::string popped;
  queue.OnReady([&] {
    while (auto event = queue.Pop()) popped += event->Flat();
  });
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(queue.Push(Event(absl::StrCat(i))));
  EXPECT_EQ(popped, "0123456789");
}

TEST(EventQueueTest, LosesNothingBetweenTwoThreads) {
  constexpr int kEvents = 20000;
  EventQueue queue(64);
  Inbox<bool> ready;
  queue.OnReady([&ready] { ready.Put(true); });
  std::thread producer([&] {
    for (int i = 0; i < kEvents; ++i) queue.Push(Event(absl::StrCat(i)));
    queue.Finish(absl::OkStatus());
  });
  int next = 0;
  while (!queue.Finished().has_value()) {
    ready.Take();
    while (auto event = queue.Pop()) ASSERT_EQ(event->Flat(), absl::StrCat(next++));
  }
  producer.join();
  EXPECT_EQ(next, kEvents);
}

}  // namespace
}  // namespace intercom_extractor

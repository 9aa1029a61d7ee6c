#include "server/event_pump.h"

#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using Step = EventPump::Step;

TEST(EventPumpTest, DoesNothingUntilAnEventComes) {
  EventQueue events(1024);
  EventPump pump(&events);
  EXPECT_EQ(pump.OnReady().kind, Step::kNothing);
  events.Push(Event("a"));
  const Step step = pump.OnReady();
  EXPECT_EQ(step.kind, Step::kWrite);
  EXPECT_EQ(step.event.Flat(), "a");
}

TEST(EventPumpTest, WritesOneAtATime) {
  EventQueue events(1024);
  EventPump pump(&events);
  events.Push(Event("a"));
  events.Push(Event("b"));
  EXPECT_EQ(pump.OnReady().event.Flat(), "a");
  EXPECT_EQ(pump.OnReady().kind, Step::kNothing);
  EXPECT_EQ(pump.OnWriteDone(true).event.Flat(), "b");
  EXPECT_EQ(pump.OnWriteDone(true).kind, Step::kNothing);
}

TEST(EventPumpTest, SaysWhetherAnotherEventWaits) {
  EventQueue events(1024);
  EventPump pump(&events);
  events.Push(Event("a"));
  events.Push(Event("b"));
  EXPECT_TRUE(pump.OnReady().more);
  EXPECT_FALSE(pump.OnWriteDone(true).more);
}

TEST(EventPumpTest, FinishesOnceAfterTheLastEvent) {
  EventQueue events(1024);
  EventPump pump(&events);
  events.Push(Event("a"));
  events.Finish(absl::UnavailableError("why"));
  EXPECT_EQ(pump.OnReady().kind, Step::kWrite);
  EXPECT_EQ(pump.OnReady().kind, Step::kNothing);
  const Step step = pump.OnWriteDone(true);
  EXPECT_EQ(step.kind, Step::kFinish);
  EXPECT_EQ(step.status, absl::UnavailableError("why"));
  EXPECT_EQ(pump.OnReady().kind, Step::kNothing);
  EXPECT_EQ(pump.OnWriteDone(true).kind, Step::kNothing);
}

TEST(EventPumpTest, FailedWriteFinishesAlthoughEventsWait) {
  EventQueue events(1024);
  EventPump pump(&events);
  events.Push(Event("a"));
  events.Push(Event("b"));
  EXPECT_EQ(pump.OnReady().kind, Step::kWrite);
  const Step step = pump.OnWriteDone(false);
  EXPECT_EQ(step.kind, Step::kFinish);
  EXPECT_EQ(step.status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(pump.OnReady().kind, Step::kNothing);
}

TEST(EventPumpTest, CancelDuringAWriteFinishesWhenThatEnds) {
  EventQueue events(1024);
  EventPump pump(&events);
  events.Push(Event("a"));
  events.Push(Event("b"));
  EXPECT_EQ(pump.OnReady().kind, Step::kWrite);
  events.Cancel();
  EXPECT_EQ(pump.OnReady().kind, Step::kNothing);
  EXPECT_EQ(pump.OnWriteDone(true).kind, Step::kFinish);
}

TEST(EventPumpTest, CancelWhileIdleFinishes) {
  EventQueue events(1024);
  EventPump pump(&events);
  EXPECT_EQ(pump.OnReady().kind, Step::kNothing);
  events.Cancel();
  EXPECT_EQ(pump.OnReady().kind, Step::kFinish);
}

// A producer and a writer on threads of their own, and a queue so small that
// both wait all the time: a lost wake-up would hang, a second write or finish
// would show.
TEST(EventPumpTest, LosesNoEventBetweenTwoThreads) {
  constexpr int kEvents = 20000;
  EventQueue events(64);
  EventPump pump(&events);

  Mutex mu;
  CondVar changed;
  bool writing = false;
  bool finished = false;
  int mistakes = 0;
  std::vector<std::string> written;
  // As a gRPC reactor would: note the write and return.
  const auto act = [&](Step step) {
    if (step.kind == Step::kNothing) return;
    MutexLock lock(&mu);
    if (writing || finished) ++mistakes;
    if (step.kind == Step::kWrite) {
      writing = true;
      written.push_back(step.event.Flat());
    } else {
      finished = true;
    }
    changed.SignalAll();
  };
  events.OnReady([&] { act(pump.OnReady()); });
  act(pump.OnReady());

  std::thread producer([&] {
    for (int i = 0; i < kEvents; ++i) ASSERT_TRUE(events.Push(Event(std::to_string(i))));
    events.Finish(absl::OkStatus());
  });
  // As gRPC would: end each write on another thread.
  while (true) {
    {
      MutexLock lock(&mu);
      while (!writing && !finished) changed.Wait(&mu);
      if (finished) break;
      writing = false;
    }
    act(pump.OnWriteDone(true));
  }
  producer.join();

  EXPECT_EQ(mistakes, 0);
  ASSERT_EQ(written.size(), static_cast<size_t>(kEvents));
  for (int i = 0; i < kEvents; ++i) ASSERT_EQ(written[i], std::to_string(i));
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cpp/cancellation.h"

#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(CancellationTest, EndsAWaitOfAnotherThread) {
  Cancellation cancellation;
  bool cancelled = false;
  std::thread waits([&] { cancelled = cancellation.WaitFor(absl::Hours(1)); });
  cancellation.Cancel();
  waits.join();
  EXPECT_TRUE(cancelled);
  EXPECT_TRUE(cancellation.cancelled());
}

TEST(CancellationTest, WaitThatNobodyEndsSaysSo) {
  Cancellation cancellation;
  EXPECT_FALSE(cancellation.WaitFor(absl::Milliseconds(1)));
}

TEST(CancellationTest, ReachesChildrenAndNotParents) {
  Cancellation parent;
  Cancellation early(&parent);
  {
    Cancellation gone(&parent);
    gone.Cancel();
    EXPECT_FALSE(parent.cancelled());
    EXPECT_FALSE(early.cancelled());
  }
  parent.Cancel();
  Cancellation late(&parent);
  EXPECT_TRUE(early.cancelled());
  EXPECT_TRUE(late.cancelled());
}

}  // namespace
}  // namespace intercom_extractor

#include "server/reaper.h"

#include <future>
#include <memory>
#include <thread>

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

struct Witness {
  explicit Witness(std::thread::id* where) : where(where) {}
  ~Witness() { *where = std::this_thread::get_id(); }
  std::thread::id* const where;
};

TEST(ReaperTest, DestroysOnItsOwnThreadAndWaitsForThatAtTheEnd) {
  std::thread::id first;
  std::thread::id second;
  {
    Reaper reaper;
    reaper.Destroy(std::make_unique<Witness>(&first));
    reaper.Destroy(std::make_unique<Witness>(&second));
  }
  EXPECT_NE(first, std::thread::id());
  EXPECT_NE(first, std::this_thread::get_id());
  EXPECT_EQ(first, second);
}

// The reason for the reaper: the object's own thread hands it over.
TEST(ReaperTest, AThreadMayHandOverTheObjectThatJoinsIt) {
  struct JoinsItsThread {
    explicit JoinsItsThread(std::promise<void>* joined) : joined(joined) {}
    ~JoinsItsThread() {
      thread.join();
      joined->set_value();
    }
    std::promise<void>* const joined;
    std::thread thread;
  };
  std::promise<void> made;
  std::promise<void> joined;
  Reaper reaper;
  auto* object = new JoinsItsThread(&joined);
  object->thread = std::thread([&reaper, &made, object] {
    made.get_future().wait();
    reaper.Destroy(std::unique_ptr<JoinsItsThread>(object));
  });
  made.set_value();
  joined.get_future().wait();
}

}  // namespace
}  // namespace intercom_extractor

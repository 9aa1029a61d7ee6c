#include "extractor/memory/buffer_pool.h"

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

GrowingBuffer Filled(size_t size, GrowingBuffer buffer = GrowingBuffer()) {
  buffer.Append(std::string(size, 'x'));
  return buffer;
}

TEST(BufferPoolTest, MemoryComesBackWhenTheLastHolderLetsGo) {
  BufferPool pool(1 << 20);
  auto shared = pool.Share(Filled(10000));
  const char* const memory = shared->data();
  auto other = shared;
  shared.reset();
  EXPECT_EQ(pool.kept(), 0u);
  EXPECT_EQ(other->view(), std::string(10000, 'x'));
  other.reset();
  EXPECT_GE(pool.kept(), 10000u);

  const GrowingBuffer again = pool.Take();
  EXPECT_EQ(again.data(), memory);
  EXPECT_TRUE(again.empty());
  EXPECT_EQ(pool.kept(), 0u);
}

// A queue counts the bytes of its rows: a few of them must not hold much more memory.
TEST(BufferPoolTest, MemoryThatIsHardlyUsedIsNotHeld) {
  BufferPool pool(1 << 20);
  pool.Share(Filled(100000)).reset();
  const auto shared = pool.Share(Filled(100, pool.Take()));
  EXPECT_EQ(shared->view(), std::string(100, 'x'));
  EXPECT_LT(shared->capacity(), 1000u);
  EXPECT_GE(pool.kept(), 100000u);
}

TEST(BufferPoolTest, KeepsNoMoreThanItMay) {
  BufferPool pool(25000);
  auto a = pool.Share(Filled(10000));
  auto b = pool.Share(Filled(10000));
  auto c = pool.Share(Filled(10000));
  a.reset();
  b.reset();
  c.reset();
  EXPECT_LE(pool.kept(), 25000u);
  EXPECT_GE(pool.kept(), 20000u);
}

TEST(BufferPoolTest, HoldersMayOutliveThePool) {
  std::shared_ptr<const GrowingBuffer> shared;
  {
    BufferPool pool(1 << 20);
    shared = pool.Share(Filled(10000));
  }
  EXPECT_EQ(shared->size(), 10000u);
}

}  // namespace
}  // namespace intercom_extractor

#include "extractor/memory/growing_buffer.h"

#include <cstring>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(GrowingBufferTest, KeepsWhatWasWrittenWhileItGrows) {
  GrowingBuffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece = std::to_string(i);
    buffer.Append(piece);
    expected += piece;
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(GrowingBufferTest, IsWrittenInPlace) {
  GrowingBuffer buffer;
  buffer.Append("ab");
  char* const end = buffer.End(1000);
  EXPECT_GE(buffer.limit() - end, 1000);
  std::memcpy(end, "cd", 2);
  buffer.SetEnd(end + 2);
  EXPECT_EQ(buffer.view(), "abcd");
}

TEST(GrowingBufferTest, ClearingKeepsTheMemory) {
  GrowingBuffer buffer;
  buffer.Append(std::string(5000, 'x'));
  const size_t capacity = buffer.capacity();
  buffer.Clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), capacity);
  buffer.Append(std::string(5000, 'y'));
  EXPECT_EQ(buffer.capacity(), capacity);
}

TEST(GrowingBufferTest, MovingLeavesNothingBehind) {
  GrowingBuffer from;
  from.Append("content");
  GrowingBuffer to(std::move(from));
  EXPECT_EQ(to.view(), "content");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): what is tested.
  EXPECT_EQ(from.capacity(), 0u);
  from.Append("again");
  EXPECT_EQ(from.view(), "again");
}

}  // namespace
}  // namespace intercom_extractor

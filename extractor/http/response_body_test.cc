#include "extractor/http/response_body.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

std::string ReadAll(const ResponseBody& body) {
  std::string content(body.size(), '\0');
  const auto got = body.Read(0, content.data(), content.size());
  EXPECT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got.value_or(0), content.size());
  return content;
}

ResponseBody BodyOf(size_t max_in_memory, const std::string& content) {
  ResponseBody body(max_in_memory);
  EXPECT_TRUE(body.Append(content.data(), content.size()).ok());
  return body;
}

TEST(ResponseBodyTest, IsEmptyAtFirst) {
  ResponseBody body;
  EXPECT_EQ(body.size(), 0u);
  EXPECT_FALSE(body.in_file());
  EXPECT_EQ(body.text(), "");
  char byte = 'x';
  const auto got = body.Read(0, &byte, 1);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(*got, 0u);
}

TEST(ResponseBodyTest, StaysInMemoryUpToTheBound) {
  ResponseBody body = BodyOf(10, "0123456789");
  EXPECT_FALSE(body.in_file());
  EXPECT_EQ(body.text(), "0123456789");
  ASSERT_TRUE(body.Append("!", 1).ok());
  EXPECT_TRUE(body.in_file());
  EXPECT_EQ(body.size(), 11u);
  EXPECT_EQ(ReadAll(body), "0123456789!");
}

TEST(ResponseBodyTest, PaddingBehindTheTextMayBeRead) {
  for (const size_t size : {0, 1, 15, 16, 63, 64, 65, 1000}) {
    ResponseBody body = BodyOf(1000, std::string(size, 'a'));
    const absl::string_view text = body.text();
    ASSERT_EQ(text.size(), size);
    // What AddressSanitizer would notice.
    const volatile char* behind = text.data() + text.size();
    for (size_t i = 0; i < ResponseBody::kPadding; ++i) (void)behind[i];
    EXPECT_EQ(text, std::string(size, 'a'));
  }
}

TEST(ResponseBodyTest, ReadsAnyPieceFromBothPlaces) {
  for (const size_t max_in_memory : {size_t{1000}, size_t{3}}) {
    ResponseBody body(max_in_memory);
    for (const char* piece : {"01", "", "234", "56789"}) {
      ASSERT_TRUE(body.Append(piece, std::string(piece).size()).ok());
    }
    EXPECT_EQ(body.in_file(), max_in_memory == 3);
    char buffer[16] = {};
    EXPECT_EQ(body.Read(3, buffer, 4).value_or(0), 4u);
    EXPECT_EQ(std::string(buffer, 4), "3456");
    EXPECT_EQ(body.Read(8, buffer, 16).value_or(0), 2u) << "fewer only at the end";
    EXPECT_EQ(std::string(buffer, 2), "89");
    EXPECT_EQ(body.Read(10, buffer, 16).value_or(99), 0u);
    EXPECT_EQ(body.Read(11, buffer, 16).value_or(99), 0u);
    EXPECT_EQ(body.Read(std::string::npos, buffer, 16).value_or(99), 0u);
  }
}

TEST(ResponseBodyTest, MovingTakesTheContentAndLeavesNothing) {
  for (const size_t max_in_memory : {size_t{1000}, size_t{3}}) {
    ResponseBody from = BodyOf(max_in_memory, "0123456789");
    ResponseBody to(std::move(from));
    EXPECT_EQ(ReadAll(to), "0123456789");
    EXPECT_EQ(to.in_file(), max_in_memory == 3);
    EXPECT_EQ(from.size(), 0u);  // NOLINT(bugprone-use-after-move): what is tested.
    EXPECT_FALSE(from.in_file());

    // What was moved from serves again, with the same bound.
    ASSERT_TRUE(from.Append("abcdefghij", 10).ok());
    EXPECT_EQ(from.in_file(), max_in_memory == 3);
    EXPECT_EQ(ReadAll(from), "abcdefghij");

    // Assignment lets go of what was there before.
    to = std::move(from);
    EXPECT_EQ(ReadAll(to), "abcdefghij");
    ResponseBody& itself = to;
    to = std::move(itself);
    EXPECT_EQ(ReadAll(to), "abcdefghij");
  }
}

TEST(ResponseBodyTest, WhatFindsNoRoomInTheBudgetWaitsInAFile) {
  auto budget = std::make_shared<BodyBudget>(size_t{1} << 20);
  const std::string content(size_t{300} << 10, 'x');
  std::vector<ResponseBody> bodies;
  for (int i = 0; i < 5; ++i) {
    bodies.emplace_back(size_t{2} << 20, budget);
    // As curl gives it.
    for (size_t at = 0; at < content.size(); at += 16384) {
      const std::string piece = content.substr(at, 16384);
      ASSERT_TRUE(bodies.back().Append(piece.data(), piece.size()).ok());
    }
  }
  EXPECT_FALSE(bodies.front().in_file());
  EXPECT_TRUE(bodies.back().in_file());
  for (const ResponseBody& body : bodies) EXPECT_EQ(ReadAll(body), content);

  // Its turn to be read has come.
  ASSERT_TRUE(bodies.back().Load().ok());
  EXPECT_FALSE(bodies.back().in_file());
  EXPECT_EQ(bodies.back().text(), content);

  // Those that have gone leave their room to others.
  bodies.clear();
  ResponseBody next(size_t{2} << 20, budget);
  ASSERT_TRUE(next.Append(content.data(), content.size()).ok());
  EXPECT_FALSE(next.in_file());
}

TEST(ResponseBodyTest, WhatIsTooLargeForMemoryStaysInItsFile) {
  ResponseBody body = BodyOf(3, "0123456789");
  ASSERT_TRUE(body.Load().ok());
  EXPECT_TRUE(body.in_file());
}

TEST(ResponseBodyTest, FromStringIsInMemoryWhateverItsSize) {
  const std::string content(size_t{3} << 20, 'x');
  ResponseBody body = ResponseBody::FromString(content);
  EXPECT_FALSE(body.in_file());
  EXPECT_EQ(body.text(), content);
}

TEST(ResponseBodyTest, SaysWhatToDoWhenThereIsNoRoomForAFile) {
  const char* before = std::getenv("TMPDIR");
  const std::string restore = before == nullptr ? "" : before;
  setenv("TMPDIR", "/nonexistent/folder", 1);
  ResponseBody body(3);
  const absl::Status status = body.Append("0123456789", 10);
  if (before == nullptr) {
    unsetenv("TMPDIR");
  } else {
    setenv("TMPDIR", restore.c_str(), 1);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("TMPDIR"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace intercom_extractor

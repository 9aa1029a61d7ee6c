#include "extractor/pipeline/scroll_spill.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

std::string Answer(int number, size_t size) {
  std::string text = absl::StrCat(number, ":");
  text.resize(size, static_cast<char>('a' + number % 26));
  return text;
}

absl::Status Put(ScrollSpill* spill, const std::string& text) {
  return spill->Put(ResponseBody::FromString(text));
}

std::string Take(ScrollSpill* spill) {
  auto body = spill->Take();
  if (!body.ok()) return body.status().ToString();
  std::string text(body->size(), '\0');
  EXPECT_EQ(body->Read(0, text.data(), text.size()).value_or(0), text.size());
  return text;
}

// Sets TMPDIR for as long as it lives.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const char* folder) {
    if (const char* before = std::getenv("TMPDIR")) {
      had_ = true;
      before_ = before;
    }
    setenv("TMPDIR", folder, 1);
  }
  ~TemporaryFolder() { had_ ? setenv("TMPDIR", before_.c_str(), 1) : unsetenv("TMPDIR"); }

 private:
  bool had_ = false;
  std::string before_;
};

TEST(ScrollSpillTest, GivesBackWhatWasPutInItsOrder) {
  // All in memory; in files of one and of several answers.
  for (const size_t segment : {size_t{1}, size_t{250}, size_t{100000}}) {
    for (const size_t max_in_memory : {size_t{0}, size_t{150}, size_t{100000}}) {
      ScrollSpill spill({/*quota=*/100000, segment, max_in_memory});
      int put = 0;
      int taken = 0;
      // Falls behind, catches up, falls behind again.
      for (const int backlog : {3, 40, 0, 1, 7, 0}) {
        while (put - taken < backlog) {
          ASSERT_TRUE(Put(&spill, Answer(put, 100 + put)).ok());
          ++put;
        }
        while (put - taken > backlog) {
          ASSERT_EQ(Take(&spill), Answer(taken, 100 + taken));
          ++taken;
        }
        EXPECT_EQ(spill.size(), static_cast<size_t>(backlog));
      }
      EXPECT_EQ(spill.bytes(), 0u);
    }
  }
}

TEST(ScrollSpillTest, KeepsLittleInMemory) {
  ScrollSpill spill({/*quota=*/100000, /*segment=*/1000, /*max_in_memory=*/300});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Put(&spill, Answer(i, 100)).ok());
  EXPECT_EQ(spill.bytes_in_files(), 0u);
  for (int i = 3; i < 100; ++i) {
    ASSERT_TRUE(Put(&spill, Answer(i, 100)).ok());
    EXPECT_LE(spill.bytes() - spill.bytes_in_files(), 300u);
  }
}

TEST(ScrollSpillTest, ConsumerThatKeepsUpNeedsNoFile) {
  const TemporaryFolder none("/nonexistent/folder");
  ScrollSpill spill({/*quota=*/100000, /*segment=*/1000, /*max_in_memory=*/300});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Put(&spill, Answer(i, 250)).ok());
    EXPECT_EQ(Take(&spill), Answer(i, 250));
  }
}

TEST(ScrollSpillTest, IsFullAtTheQuotaUntilSomethingIsTaken) {
  ScrollSpill spill({/*quota=*/250, /*segment=*/1000, /*max_in_memory=*/0});
  ASSERT_TRUE(Put(&spill, Answer(0, 100)).ok());
  ASSERT_TRUE(Put(&spill, Answer(1, 100)).ok());
  EXPECT_FALSE(spill.full());
  ASSERT_TRUE(Put(&spill, Answer(2, 100)).ok()) << "what was already fetched has its place";
  EXPECT_TRUE(spill.full());
  Take(&spill);
  EXPECT_FALSE(spill.full());
}

TEST(ScrollSpillTest, AnswerThatIsInAFileStaysSo) {
  ResponseBody large;
  const std::string text = Answer(1, size_t{3} << 20);
  ASSERT_TRUE(large.Append(text.data(), text.size()).ok());
  ASSERT_TRUE(large.in_file());
  ScrollSpill spill({});
  ASSERT_TRUE(spill.Put(std::move(large)).ok());
  auto body = spill.Take();
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_TRUE(body->in_file());
  std::string got(text.size(), '\0');
  ASSERT_EQ(body->Read(0, got.data(), got.size()).value_or(0), got.size());
  EXPECT_EQ(got, text);
}

TEST(ScrollSpillTest, WithoutRoomOnDiskEverythingIsLostAndItServesAgain) {
  ScrollSpill spill({/*quota=*/100000, /*segment=*/1000, /*max_in_memory=*/300});
  ASSERT_TRUE(Put(&spill, Answer(0, 200)).ok());
  {
    const TemporaryFolder none("/nonexistent/folder");
    const absl::Status status = Put(&spill, Answer(1, 200));
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_NE(status.message().find("TMPDIR"), absl::string_view::npos) << status;
  }
  EXPECT_EQ(spill.size(), 0u);
  EXPECT_EQ(spill.bytes(), 0u);
  ASSERT_TRUE(Put(&spill, Answer(2, 200)).ok());
  EXPECT_EQ(Take(&spill), Answer(2, 200));
}

TEST(ScrollSpillTest, ClearForgetsEverything) {
  ScrollSpill spill({/*quota=*/100, /*segment=*/100, /*max_in_memory=*/0});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Put(&spill, Answer(i, 100)).ok());
  spill.Clear();
  EXPECT_EQ(spill.size(), 0u);
  EXPECT_EQ(spill.bytes_in_files(), 0u);
  EXPECT_FALSE(spill.full());
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cli/alive_file.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

constexpr absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

void MakeOld(const std::string& path) {
  std::filesystem::last_write_time(
      path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
}

bool IsOld(const std::string& path) {
  return std::filesystem::file_time_type::clock::now() - std::filesystem::last_write_time(path) >
         std::chrono::minutes(30);
}

TEST(AliveFileTest, IsYoungWhileSomebodyWorksAndGoneAfterwards) {
  const TestDirectory directory;
  const std::string path = directory.Path("alive");
  std::optional<AliveFile> file(path);
  EXPECT_FALSE(Exists(path));
  ASSERT_TRUE(file->Make(kNow).ok());
  EXPECT_TRUE(Exists(path));
  MakeOld(path);
  file->Touch(kNow + absl::Seconds(4));
  EXPECT_TRUE(IsOld(path));
  file->Touch(kNow + absl::Seconds(5));
  EXPECT_FALSE(IsOld(path));
  // Who tidies up does no harm.
  std::filesystem::remove(path);
  file->Touch(kNow + absl::Seconds(10));
  EXPECT_TRUE(Exists(path));
  file.reset();
  EXPECT_FALSE(Exists(path));
}

TEST(AliveFileTest, OneThatIsThereIsTakenOver) {
  const TestDirectory directory;
  WriteAll(directory.Path("alive"), "of a worker that was killed");
  MakeOld(directory.Path("alive"));
  AliveFile file(directory.Path("alive"));
  ASSERT_TRUE(file.Make(kNow).ok());
  EXPECT_FALSE(IsOld(directory.Path("alive")));
}

TEST(AliveFileTest, OneThatCannotBeWrittenIsSaidAtOnce) {
  const TestDirectory directory;
  AliveFile file(directory.Path("missing/alive"));
  const absl::Status made = file.Make(kNow);
  EXPECT_TRUE(absl::IsFailedPrecondition(made));
  EXPECT_THAT(std::string(made.message()), HasSubstr("missing/alive cannot be written: No such"));
}

TEST(AliveFileTest, WithoutAPathThereIsNone) {
  AliveFile file("");
  EXPECT_TRUE(file.Make(kNow).ok());
  file.Touch(kNow + absl::Hours(1));
}

}  // namespace
}  // namespace intercom_extractor

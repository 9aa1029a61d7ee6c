#include "clients/cli/state_file.h"

#include <sys/stat.h>

#include <string>

#include "absl/status/status.h"
#include "clients/cli/run_state.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

RunState WithCheckpoint(int64_t number) {
  RunState state;
  state.checkpoint = number;
  return state;
}

TEST(StateFileTest, LastWrittenStateIsRead) {
  TestDirectory directory;
  const std::string path = directory.Path("state");
  for (const int64_t number : {1, 2}) {
    ASSERT_TRUE(WriteStateFile(path, WithCheckpoint(number)).ok());
    const auto state = ReadStateFile(path);
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(state->checkpoint, number);
  }
  EXPECT_FALSE(Exists(path + ".tmp"));
}

TEST(StateFileTest, IsReadableByItsOwnerAlone) {
  TestDirectory directory;
  const std::string path = directory.Path("state");
  WriteAll(path + ".tmp", "of a crash");  // With the usual mode.
  const mode_t mask = umask(0);
  const absl::Status status = WriteStateFile(path, RunState());
  umask(mask);
  ASSERT_TRUE(status.ok()) << status;
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(StateFileTest, CrashWhileWritingLeavesTheOlderState) {
  TestDirectory directory;
  const std::string path = directory.Path("state");
  ASSERT_TRUE(WriteStateFile(path, WithCheckpoint(1)).ok());
  WriteAll(path + ".tmp", "{\"half");
  EXPECT_EQ(ReadStateFile(path)->checkpoint, 1);
}

TEST(StateFileTest, ErrorsNameTheFileAndTheReason) {
  TestDirectory directory;
  const std::string path = directory.Path("state");
  EXPECT_TRUE(absl::IsNotFound(ReadStateFile(path).status()));
  WriteAll(path, "hello");
  EXPECT_TRUE(absl::IsDataLoss(ReadStateFile(path).status()));
  EXPECT_THAT(std::string(ReadStateFile(path).status().message()),
              HasSubstr("the state file " + path + " is damaged"));
  const absl::Status status = WriteStateFile(directory.Path("none/state"), RunState());
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(directory.Path("none/state")));
}

TEST(StateFileTest, EndlessFileIsDamagedAndNotReadToItsEnd) {
  EXPECT_TRUE(absl::IsDataLoss(ReadStateFile("/dev/zero").status()));
}

TEST(StateFileTest, RemovedStateIsGoneAndMayBeRemovedAgain) {
  TestDirectory directory;
  const std::string path = directory.Path("state");
  ASSERT_TRUE(WriteStateFile(path, RunState()).ok());
  EXPECT_TRUE(RemoveStateFile(path).ok());
  EXPECT_FALSE(Exists(path));
  EXPECT_TRUE(RemoveStateFile(path).ok());
}

TEST(StateFileTest, PlaceThatCannotHoldAStateIsFoundBeforeTheRun) {
  TestDirectory directory;
  EXPECT_TRUE(CheckStateFile(directory.Path("state")).ok());
  EXPECT_FALSE(Exists(directory.Path("state.tmp")));
  EXPECT_FALSE(CheckStateFile(directory.Path("none/state")).ok());
  EXPECT_FALSE(CheckStateFile(directory.path()).ok());
}

}  // namespace
}  // namespace intercom_extractor

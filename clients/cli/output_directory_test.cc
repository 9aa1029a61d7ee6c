#include "clients/cli/output_directory.h"

#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

void WriteFile(OutputDirectory* directory, const std::string& name, const std::string& content) {
  auto file = directory->CreateFile(name, /*gzip=*/false);
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->buffer()->append(content);
  ASSERT_TRUE((*file)->Close().ok());
}

TEST(OutputDirectoryTest, FileStandsInPlaceOnlyAfterCommit) {
  TestDirectory root;
  WriteAll(root.Path("users.csv"), "old");
  auto directory = OutputDirectory::Open(root.path());
  ASSERT_TRUE(directory.ok()) << directory.status();
  WriteFile(directory->get(), "users.csv", "new");
  EXPECT_EQ(ReadAll(root.Path("users.csv")), "old");
  ASSERT_TRUE((*directory)->Commit({"users.csv"}).ok());
  EXPECT_EQ(ReadAll(root.Path("users.csv")), "new");
  directory->reset();
  EXPECT_FALSE(Exists(root.Path(".partial")));
}

TEST(OutputDirectoryTest, UncommittedFileStaysInPartial) {
  TestDirectory root;
  auto directory = OutputDirectory::Open(root.path());
  ASSERT_TRUE(directory.ok());
  WriteFile(directory->get(), "users.csv", "half");
  directory->reset();
  EXPECT_FALSE(Exists(root.Path("users.csv")));
  EXPECT_EQ(ReadAll(root.Path(".partial/users.csv")), "half");
  EXPECT_FALSE(Exists(root.Path(".partial/lock")));
}

TEST(OutputDirectoryTest, LeftoversOfACrashGoWhenToldAndForeignFilesStay) {
  TestDirectory root;
  mkdir(root.Path(".partial").c_str(), 0777);
  WriteAll(root.Path(".partial/users.csv"), "torn");
  WriteAll(root.Path(".partial/tags.jsonl.gz"), "torn");
  WriteAll(root.Path(".partial/notes.txt"), "mine");
  WriteAll(root.Path(".partial/tags.csv.generation-2"), "older");
  auto directory = OutputDirectory::Open(root.path());
  ASSERT_TRUE(directory.ok());
  EXPECT_TRUE(Exists(root.Path(".partial/users.csv"))) << "whoever continues needs it";
  ASSERT_TRUE((*directory)->RemovePartialFiles().ok());
  EXPECT_FALSE(Exists(root.Path(".partial/users.csv")));
  EXPECT_FALSE(Exists(root.Path(".partial/tags.csv.generation-2")));
  EXPECT_FALSE(Exists(root.Path(".partial/tags.jsonl.gz")));
  directory->reset();
  EXPECT_EQ(ReadAll(root.Path(".partial/notes.txt")), "mine");
}

TEST(OutputDirectoryTest, ContinuedFileIsTheOneOfItsGeneration) {
  TestDirectory root;
  auto directory = OutputDirectory::Open(root.path());
  ASSERT_TRUE(directory.ok());
  WriteFile(directory->get(), "tags.csv", "first");
  ASSERT_TRUE((*directory)->SetAside("tags.csv", 1).ok());
  WriteFile(directory->get(), "tags.csv", "second");
  WriteFile(directory->get(), "users_tags.csv", "other");

  // Killed before a state knew of the second generation.
  ASSERT_TRUE((*directory)->ContinueFile("tags.csv", false, 5, 1).ok());
  EXPECT_EQ(ReadAll(root.Path(".partial/tags.csv")), "first");

  // Killed after that, before the first one was removed.
  ASSERT_TRUE((*directory)->SetAside("tags.csv", 1).ok());
  WriteFile(directory->get(), "tags.csv", "second");
  ASSERT_TRUE((*directory)->ContinueFile("tags.csv", false, 6, 2).ok());
  EXPECT_EQ(ReadAll(root.Path(".partial/tags.csv")), "second");
  EXPECT_FALSE(Exists(root.Path(".partial/tags.csv.generation-1")));
  EXPECT_EQ(ReadAll(root.Path(".partial/users_tags.csv")), "other");
}

TEST(OutputDirectoryTest, MovingThatWasBrokenOffIsFinished) {
  TestDirectory root;
  auto directory = OutputDirectory::Open(root.path());
  ASSERT_TRUE(directory.ok());
  WriteFile(directory->get(), "users.csv", "new");
  WriteAll(root.Path("tags.csv"), "moved");
  EXPECT_FALSE((*directory)->Commit({"tags.csv", "users.csv"}).ok());
  ASSERT_TRUE((*directory)->Commit({"tags.csv", "users.csv"}, /*some_moved=*/true).ok());
  EXPECT_EQ(ReadAll(root.Path("users.csv")), "new");
  EXPECT_EQ(ReadAll(root.Path("tags.csv")), "moved");
}

TEST(OutputDirectoryTest, SecondRunIsRefusedUntilTheFirstEnds) {
  TestDirectory root;
  auto first = OutputDirectory::Open(root.path());
  ASSERT_TRUE(first.ok());
  WriteFile(first->get(), "users.csv", "first");
  auto second = OutputDirectory::Open(root.path());
  ASSERT_TRUE(absl::IsAborted(second.status()));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another run is writing"));
  // It has not disturbed the first one.
  ASSERT_TRUE((*first)->Commit({"users.csv"}).ok());
  first->reset();
  EXPECT_TRUE(OutputDirectory::Open(root.path()).ok());
}

TEST(OutputDirectoryTest, CreatesMissingDirectoriesAbove) {
  TestDirectory root;
  EXPECT_TRUE(OutputDirectory::Open(root.Path("a/b/c/")).ok());
  EXPECT_TRUE(Exists(root.Path("a/b/c")));
}

TEST(OutputDirectoryTest, PathThatIsAFileIsAnError) {
  TestDirectory root;
  WriteAll(root.Path("file"), "x");
  for (const char* path : {"file", "file/below"}) {
    const absl::Status status = OutputDirectory::Open(root.Path(path)).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr("Not a directory"));
    EXPECT_THAT(std::string(status.message()), HasSubstr(root.Path("file")));
  }
}

TEST(OutputDirectoryTest, DirectoryInTheWayIsFoundBeforeTheRun) {
  TestDirectory root;
  mkdir(root.Path("users.csv").c_str(), 0777);
  auto directory = OutputDirectory::Open(root.path());
  ASSERT_TRUE(directory.ok());
  EXPECT_THAT(std::string((*directory)->CreateFile("users.csv", false).status().message()),
              HasSubstr("Is a directory"));
}

TEST(OutputDirectoryTest, DirectoryWhereNobodyMayWriteIsAnError) {
  // Even root may not create files there.
  EXPECT_FALSE(OutputDirectory::Open("/proc/intercom-extract").ok());
}

}  // namespace
}  // namespace intercom_extractor

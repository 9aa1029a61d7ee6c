#include "clients/cli/output_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

std::string Lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

absl::Status Append(OutputFile* file, const std::string& text) {
  file->buffer()->append(text);
  return file->WriteIfFull();
}

TEST(OutputFileTest, HoldsWhatWasAppended) {
  TestDirectory directory;
  auto file = OutputFile::Create(directory.Path("a"), /*gzip=*/false);
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string text = Lines(100000);
  ASSERT_TRUE(Append(file->get(), text).ok());
  ASSERT_TRUE(Append(file->get(), "end\n").ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(ReadAll(directory.Path("a")), text + "end\n");
  EXPECT_EQ((*file)->bytes_written(), static_cast<int64_t>(text.size()) + 4);
  EXPECT_TRUE((*file)->Close().ok());
}

TEST(OutputFileTest, GzipIsReadableWithZlib) {
  TestDirectory directory;
  auto file = OutputFile::Create(directory.Path("a.gz"), /*gzip=*/true);
  ASSERT_TRUE(file.ok());
  std::string text;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Append(file->get(), Lines(50000)).ok());
    text += Lines(50000);
  }
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(Gunzip(directory.Path("a.gz")), text);
  EXPECT_LT((*file)->bytes_written(), static_cast<int64_t>(text.size()) / 3);
}

TEST(OutputFileTest, EmptyGzipIsAGzipFile) {
  TestDirectory directory;
  auto file = OutputFile::Create(directory.Path("a.gz"), /*gzip=*/true);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(Gunzip(directory.Path("a.gz")), "");
  EXPECT_GT((*file)->bytes_written(), 0);
}

TEST(OutputFileTest, FileCutAtAnEndedPieceIsContinued) {
  TestDirectory directory;
  const std::string path = directory.Path("a");
  for (const bool gzip : {false, true}) {
    auto file = OutputFile::Create(path, gzip);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(Append(file->get(), "one\n").ok());
    ASSERT_TRUE((*file)->EndPiece().ok());
    ASSERT_TRUE(Append(file->get(), Lines(1000)).ok());
    ASSERT_TRUE((*file)->EndPiece().ok());
    ASSERT_TRUE((*file)->Sync().ok());
    const int64_t length = (*file)->bytes_written();
    EXPECT_EQ(std::filesystem::file_size(path), length);
    // More, as large as the buffer, that ends in the middle of a member.
    ASSERT_TRUE(Append(file->get(), Lines(400000)).ok());
    file->reset();
    EXPECT_GT(std::filesystem::file_size(path), length);

    file = OutputFile::Continue(path, gzip, length);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ((*file)->bytes_written(), length);
    ASSERT_TRUE(Append(file->get(), "two\n").ok());
    ASSERT_TRUE((*file)->Close().ok());
    EXPECT_EQ(gzip ? Gunzip(path) : ReadAll(path), "one\n" + Lines(1000) + "two\n");
    EXPECT_EQ(std::filesystem::file_size(path), (*file)->bytes_written());
  }
}

TEST(OutputFileTest, PieceWithoutRowsAddsNothing) {
  TestDirectory directory;
  auto file = OutputFile::Create(directory.Path("a.gz"), /*gzip=*/true);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->EndPiece().ok());
  EXPECT_EQ((*file)->bytes_written(), 0);
  ASSERT_TRUE(Append(file->get(), "one\n").ok());
  ASSERT_TRUE((*file)->EndPiece().ok());
  const int64_t length = (*file)->bytes_written();
  ASSERT_TRUE((*file)->EndPiece().ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ((*file)->bytes_written(), length);
  EXPECT_EQ(Gunzip(directory.Path("a.gz")), "one\n");
}

TEST(OutputFileTest, FileThatHasLostBytesIsNotContinued) {
  TestDirectory directory;
  WriteAll(directory.Path("a"), "1234");
  const absl::Status status = OutputFile::Continue(directory.Path("a"), false, 5).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("has 4 bytes, but 5 were written"));
  EXPECT_EQ(ReadAll(directory.Path("a")), "1234");
  EXPECT_TRUE(absl::IsDataLoss(OutputFile::Continue(directory.Path("none"), false, 0).status()));
  EXPECT_FALSE(Exists(directory.Path("none")));
}

TEST(OutputFileTest, RestartThrowsAwayWhatIsOnDiskToo) {
  TestDirectory directory;
  for (const bool gzip : {false, true}) {
    auto file = OutputFile::Create(directory.Path("a"), gzip);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(Append(file->get(), Lines(100000)).ok());
    ASSERT_TRUE((*file)->Flush().ok());
    ASSERT_TRUE((*file)->Restart().ok());
    ASSERT_TRUE(Append(file->get(), "anew\n").ok());
    ASSERT_TRUE((*file)->Close().ok());
    EXPECT_EQ(gzip ? Gunzip(directory.Path("a")) : ReadAll(directory.Path("a")), "anew\n");
  }
}

TEST(OutputFileTest, FullDiskNamesTheFileAndTheReason) {
  auto file = OutputFile::Create("/dev/full", /*gzip=*/false);
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::Status status = Append(file->get(), Lines(100000));
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(status.message(), "cannot write /dev/full: No space left on device");
}

TEST(OutputFileTest, FullDiskIsFoundAtTheEndAtTheLatest) {
  auto file = OutputFile::Create("/dev/full", /*gzip=*/true);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(Append(file->get(), "short").ok());
  EXPECT_TRUE(absl::IsResourceExhausted((*file)->Close()));
}

TEST(OutputFileTest, FileSizeLimitIsAnErrorAndNoSignal) {
  TestDirectory directory;
  std::signal(SIGXFSZ, SIG_IGN);  // As the program does.
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limited = before;
  limited.rlim_cur = 100 * 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limited), 0);
  auto file = OutputFile::Create(directory.Path("a"), /*gzip=*/false);
  const absl::Status status = Append(file->get(), Lines(100000));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(std::string(status.message()), HasSubstr("File too large"));
}

TEST(OutputFileTest, ReaderOfThePipeThatWentAwayIsCancelled) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  auto file = OutputFile::ForDescriptor(ends[1], "standard output", /*gzip=*/false);
  file->buffer()->append("x");
  EXPECT_TRUE(absl::IsCancelled(file->Flush()));
  close(ends[1]);
}

TEST(OutputFileTest, DoesNotFollowALinkToSomebodyElsesFile) {
  TestDirectory directory;
  WriteAll(directory.Path("precious"), "precious");
  ASSERT_EQ(symlink(directory.Path("precious").c_str(), directory.Path("a").c_str()), 0);
  EXPECT_FALSE(OutputFile::Create(directory.Path("a"), /*gzip=*/false).ok());
  EXPECT_EQ(ReadAll(directory.Path("precious")), "precious");
}

}  // namespace
}  // namespace intercom_extractor

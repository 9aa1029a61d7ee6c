#include "server/secrets.h"

#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kLong = absl::Minutes(1);

std::string MessageOf(const std::vector<std::string>& command, absl::Duration patience = kLong) {
  const auto secret = ReadSecretOfCommand(command, patience);
  EXPECT_TRUE(absl::IsInvalidArgument(secret.status()));
  EXPECT_THAT(std::string(secret.status().message()), Not(HasSubstr("planted")));
  return std::string(secret.status().message());
}

TEST(SecretsTest, ACommandsOutputIsTheSecret) {
  EXPECT_EQ(ReadSecretOfCommand({"printf", "  %s\\n", "a b", "c"}, kLong).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSecretOfCommand({"printf", "  %s\\n", "planted"}, kLong).value(), "planted");
  // Its arguments are no shell's.
  EXPECT_EQ(ReadSecretOfCommand({"echo", "$HOME;`id`"}, kLong).value(), "$HOME;`id`");
}

TEST(SecretsTest, ACommandThatFailsSaysHowAndNotWhatItWrote) {
  EXPECT_EQ(MessageOf({"sh", "-c", "echo planted; exit 3"}),
            "the command sh ended with 3; its standard error says why");
  EXPECT_EQ(MessageOf({"sh", "-c", "echo planted; kill -9 $$"}),
            "the command sh was ended by signal 9");
  EXPECT_THAT(MessageOf({"/no/such/program"}), HasSubstr("cannot be started: No such file"));
  EXPECT_THAT(MessageOf({"true"}), HasSubstr("what the command true writes is empty"));
  EXPECT_THAT(MessageOf({"echo", "planted and more"}), HasSubstr("holds more than a token"));
  EXPECT_THAT(MessageOf({"sh", "-c", "while :; do echo planted; done"}),
              HasSubstr("writes more than a token"));
  EXPECT_THAT(MessageOf({}), HasSubstr("names no program"));
}

TEST(SecretsTest, ACommandThatHangsIsKilled) {
  const absl::Time begin = absl::Now();
  EXPECT_EQ(MessageOf({"sleep", "1000"}, absl::Milliseconds(50)),
            "the command sleep did not end within 50ms");
  EXPECT_LT(absl::Now() - begin, kLong);
}

TEST(SecretsTest, ACommandCanBeInterruptedThoughItsParentBlocksSignals) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  EXPECT_EQ(MessageOf({"sh", "-c", "kill -TERM $$; echo planted"}),
            "the command sh was ended by signal 15");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(SecretsTest, FilesAndVariablesAreNamedInErrorsAndTheirContentIsNot) {
  const std::string file = ::testing::TempDir() + "/secret";
  std::ofstream(file) << "planted-token\n";
  EXPECT_EQ(ReadSecretFile(file).value(), "planted-token");
  std::ofstream(file) << "planted token\n";
  EXPECT_EQ(ReadSecretFile(file).status().message(),
            "the file " + file + " holds more than a token: white space or control characters");
  std::ofstream(file) << " \n";
  EXPECT_EQ(ReadSecretFile(file).status().message(), "the file " + file + " is empty");
  std::ofstream(file) << std::string(1 << 20, 'a');
  EXPECT_THAT(std::string(ReadSecretFile(file).status().message()), HasSubstr("larger than"));
  EXPECT_THAT(std::string(ReadSecretFile("dG9rOnBsYW50ZWQ=").status().message()),
              Not(HasSubstr("dG9rO")));
  setenv("PLANTED", " planted-token ", 1);
  EXPECT_EQ(ReadSecretVariable("PLANTED").value(), "planted-token");
  EXPECT_THAT(std::string(ReadSecretVariable("dG9rOnBsYW50ZWQ=").status().message()),
              Not(HasSubstr("dG9rO")));
}

}  // namespace
}  // namespace intercom_extractor

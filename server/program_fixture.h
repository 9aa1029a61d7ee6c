#ifndef SERVER_PROGRAM_FIXTURE_H_
#define SERVER_PROGRAM_FIXTURE_H_

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace intercom_extractor {

// Where tests find it, as their `data`.
constexpr char kProgram[] = "server/intercom-extractor-server";
// What it has in SERVER_PROGRAM_TEST_TOKEN.
constexpr char kProgramToken[] = "dG9rOnByb2dyYW0tdGVzdA";

// A running program; its stdout and stderr are one pipe.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      setenv("SERVER_PROGRAM_TEST_TOKEN", kProgramToken, 1);
      arguments.insert(arguments.begin(), kProgram);
      std::vector<char*> argv;
      argv.reserve(arguments.size() + 1);
      for (std::string& argument : arguments) argv.push_back(&argument[0]);
      argv.push_back(nullptr);
      execv(kProgram, argv.data());
      _exit(127);
    }
    close(ends[1]);
    output_ = ends[0];
  }

  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      Wait();
    }
    if (drain_.joinable()) drain_.join();
    close(output_);
  }

  // The most memory that it has held, in bytes.
  int64_t PeakMemory() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    std::string word;
    int64_t kib = 0;
    while (status >> word && word != "VmHWM:") {
    }
    status >> kib;
    return kib * 1024;
  }

  pid_t pid() const { return pid_; }

  void Signal(int number) const { kill(pid_, number); }

  // The next line; empty at the end.
  std::string ReadLine() {
    std::string line;
    char c = 0;
    while (read(output_, &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }

  std::string ReadAll() {
    std::string text;
    char c = 0;
    while (read(output_, &c, 1) == 1) text.push_back(c);
    return text;
  }

  // Reads and forgets what it writes from now on, on a thread of its own.
  void DropOutput() {
    drain_ = std::thread([this] {
      char buffer[4096];
      while (read(output_, buffer, sizeof(buffer)) > 0) {
      }
    });
  }

  // The exit code.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::thread drain_;
};

// The address in "... listening on ADDR ...".
inline std::string AddressIn(const std::string& line) {
  const std::string kBefore = "listening on ";
  const size_t begin = line.find(kBefore);
  EXPECT_NE(begin, std::string::npos) << line;
  if (begin == std::string::npos) return "";
  const size_t end = line.find_first_of(" \"", begin + kBefore.size());
  return line.substr(begin + kBefore.size(), end - begin - kBefore.size());
}

}  // namespace intercom_extractor

#endif  // SERVER_PROGRAM_FIXTURE_H_

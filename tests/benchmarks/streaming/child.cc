#include "tests/benchmarks/streaming/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace intercom_extractor {
namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(2);
}

double SecondsOf(clockid_t clock) {
  timespec time = {};
  if (clock_gettime(clock, &time) != 0) Die("clock_gettime");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::string ReadLine(int file) {
  std::string line;
  char c = 0;
  while (read(file, &c, 1) == 1 && c != '\n') line += c;
  return c == '\n' ? line : "";
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments) {
  int to_child[2];
  int from_child[2];
  // Not inherited, or a second child would keep the first one's input open.
  if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) Die("pipe2");
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, to_child[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, from_child[1], STDOUT_FILENO);
  std::vector<std::string> owned = {"benchmark-child"};
  owned.insert(owned.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(owned.size() + 1);
  for (std::string& argument : owned) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int error = posix_spawn(&pid_, "/proc/self/exe", &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  close(to_child[0]);
  close(from_child[1]);
  input_ = to_child[1];
  if (error == 0) line_ = ReadLine(from_child[0]);
  close(from_child[0]);
  if (line_.empty() || clock_getcpuclockid(pid_, &cpu_clock_) != 0) {
    std::fprintf(stderr, "a part of the benchmark does not start: %s\n", arguments[0].c_str());
    std::exit(2);
  }
}

Child::~Child() {
  close(input_);
  waitpid(pid_, nullptr, 0);
}

double Child::CpuSeconds() const { return SecondsOf(cpu_clock_); }

double Child::ResidentMib() const { return Status("VmRSS:") / 1024; }

double Child::PeakMib() const { return Status("VmHWM:") / 1024; }

int Child::Threads() const { return static_cast<int>(Status("Threads:")); }

double Child::Status(const std::string& name) const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(name, 0) == 0) return std::strtod(line.c_str() + name.size(), nullptr);
  }
  std::fprintf(stderr, "a part of the benchmark has ended on its own\n");
  std::exit(2);
}

void Child::Serve(const std::string& line) {
  std::cout << line << std::endl;
  char c = 0;
  while (read(STDIN_FILENO, &c, 1) > 0) {
  }
}

double OwnCpuSeconds() { return SecondsOf(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace intercom_extractor

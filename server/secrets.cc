#include "server/secrets.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "absl/algorithm/container.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"

namespace intercom_extractor {
namespace {

// Intercom's tokens have about 60 characters.
constexpr size_t kMaxSecretBytes = size_t{16} << 10;

// Whether somebody seems to have pasted a token where its variable or file
// should stand. Intercom's tokens are "tok:..." in base64.
bool LooksLikeToken(absl::string_view text) {
  return absl::StartsWith(text, "dG9rO") || absl::StartsWith(text, "tok:");
}

bool IsVariableName(absl::string_view text) {
  return !text.empty() && text.size() <= 64 && absl::c_all_of(text, [](unsigned char c) {
    return absl::ascii_isupper(c) || absl::ascii_isdigit(c) || c == '_';
  });
}

absl::StatusOr<std::string> Trimmed(absl::string_view content, const std::string& where) {
  const absl::string_view secret = absl::StripAsciiWhitespace(content);
  if (secret.empty()) return absl::InvalidArgumentError(absl::StrCat(where, " is empty"));
  for (const char c : secret) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, " holds more than a token: white space or control characters"));
    }
  }
  return std::string(secret);
}

absl::Status CommandError(absl::string_view program, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the command ", program, " ", what));
}

// Starts it with its standard output in `out`.
absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& command, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  // The server waits for its signals with all of them blocked, which must not be inherited.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t ignored;
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &ignored);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const auto freed = absl::MakeCleanup([&] {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  });
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  if (error != 0) {
    return CommandError(command[0], absl::StrCat("cannot be started: ", std::strerror(error)));
  }
  return pid;
}

// All that comes until the end; false: the deadline or the limit came first.
bool ReadUntil(int fd, absl::Time deadline, std::string* content) {
  std::array<char, 4096> piece;
  for (;;) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration() || content->size() > kMaxSecretBytes) return false;
    pollfd ready = {fd, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1) <= 0) continue;
    const ssize_t got = read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    content->append(piece.data(), static_cast<size_t>(got));
  }
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& file, size_t max_bytes) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::string content;
  if (in) {
    content.resize(max_bytes + 1);
    in.read(&content[0], static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<size_t>(in.gcount()));
  }
  // A directory opens, but cannot be read.
  if (!in.is_open() || in.bad() || (content.empty() && errno != 0)) {
    return absl::InvalidArgumentError(errno != 0 ? std::strerror(errno) : "it cannot be read");
  }
  if (content.size() > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("it is larger than ", max_bytes, " bytes"));
  }
  return content;
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& file) {
  if (LooksLikeToken(file)) {
    return absl::InvalidArgumentError(
        "what should be the name of a file looks like an access token; write the token into a "
        "file and name that");
  }
  const absl::StatusOr<std::string> content = ReadSmallFile(file, kMaxSecretBytes);
  if (!content.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read the file ", file, ": ", content.status().message()));
  }
  return Trimmed(*content, absl::StrCat("the file ", file));
}

absl::StatusOr<std::string> ReadSecretVariable(const std::string& variable) {
  const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
  if (value == nullptr) {
    if (!IsVariableName(variable) || LooksLikeToken(variable)) {
      // It might be the token itself, so it is not repeated.
      return absl::InvalidArgumentError(
          "names no environment variable that is set; write a name such as "
          "INTERCOM_ACCESS_TOKEN");
    }
    return absl::InvalidArgumentError(
        absl::StrCat("the environment variable ", variable, " is not set"));
  }
  return Trimmed(value, absl::StrCat("the environment variable ", variable));
}

absl::StatusOr<std::string> ReadSecretOfCommand(const std::vector<std::string>& command,
                                                absl::Duration patience) {
  if (command.empty() || command[0].empty()) {
    return absl::InvalidArgumentError("names no program; write [PROGRAM, ARGUMENT, ...]");
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return CommandError(command[0], std::strerror(errno));
  const int out = ends[0];
  const auto closed = absl::MakeCleanup([out] { close(out); });
  const absl::Time deadline = absl::Now() + patience;
  const absl::StatusOr<pid_t> pid = Spawn(command, ends[1]);
  close(ends[1]);
  if (!pid.ok()) return pid.status();
  std::string content;
  const bool ended = ReadUntil(out, deadline, &content);
  if (!ended) kill(*pid, SIGKILL);
  int status = 0;
  while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) {
    return CommandError(command[0],
                        content.size() > kMaxSecretBytes
                            ? "writes more than a token"
                            : absl::StrCat("did not end within ", absl::FormatDuration(patience)));
  }
  if (WIFSIGNALED(status)) {
    return CommandError(command[0], absl::StrCat("was ended by signal ", WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    return CommandError(command[0], absl::StrCat("ended with ", WEXITSTATUS(status),
                                                 "; its standard error says why"));
  }
  return Trimmed(content, absl::StrCat("what the command ", command[0], " writes"));
}

void ForbidCoreFiles() {
  // To a program that core_pattern names, the kernel gives a core whatever the limit is, but
  // for the limit 1.
  const rlimit none = {1, 1};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace intercom_extractor

#include "tests/fuzz/python_reader.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/fuzz/require.h"

namespace intercom_extractor::fuzz {
namespace {

constexpr char kScript[] = "tests/fuzz/file_reader.py";

void WriteAll(int file, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    Require(written > 0, "Python takes what it is sent", std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void ReadAll(int file, char* to, size_t size) {
  while (size > 0) {
    const ssize_t got = read(file, to, size);
    if (got < 0 && errno == EINTR) continue;
    Require(got > 0, "Python answers");
    to += got;
    size -= static_cast<size_t>(got);
  }
}

}  // namespace

PythonReader& PythonReader::Get() {
  static auto* const reader = new PythonReader();
  return *reader;
}

PythonReader::PythonReader() {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  // Not inherited: Python must see the end when this process ends.
  Require(pipe2(in.data(), O_CLOEXEC) == 0 && pipe2(out.data(), O_CLOEXEC) == 0, "pipes");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string program = "python3";
  std::string isolated = "-I";
  std::string script = kScript;
  std::array<char*, 4> arguments = {program.data(), isolated.data(), script.data(), nullptr};
  pid_t process = 0;
  const int error =
      posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  Require(error == 0, "python3 can be started", std::strerror(error));
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  requests_ = in[1];
  answers_ = out[0];
}

std::string PythonReader::Read(char form, absl::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  std::string request(sizeof(size), '\0');
  std::memcpy(request.data(), &size, sizeof(size));
  request.push_back(form);
  // Together, which is one call of the system.
  request.append(text.data(), text.size());
  WriteAll(requests_, request);
  uint32_t answer_size = 0;
  std::array<char, sizeof(answer_size)> header{};
  ReadAll(answers_, header.data(), header.size());
  std::memcpy(&answer_size, header.data(), header.size());
  std::string answer(answer_size, '\0');
  ReadAll(answers_, answer.data(), answer.size());
  return answer;
}

}  // namespace intercom_extractor::fuzz

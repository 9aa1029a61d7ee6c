#include "clients/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace intercom_extractor {
namespace {

bool WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    text.remove_prefix(written);
  }
  return true;
}

// That of standard error, else of standard output; zeros where neither is a terminal.
winsize TerminalSize() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  return size;
}

int TerminalColumns() {
  constexpr int kUsual = 80;
  const winsize size = TerminalSize();
  return size.ws_col == 0 ? kUsual : size.ws_col;
}

int TerminalLines() {
  constexpr int kUsual = 24;
  const winsize size = TerminalSize();
  return size.ws_row == 0 ? kUsual : size.ws_row;
}

bool IsSet(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

Console ProcessConsole() {
  Console console;
  console.out = [](absl::string_view text) { return WriteAll(STDOUT_FILENO, text); };
  console.err = [](absl::string_view text) { WriteAll(STDERR_FILENO, text); };
  console.data_fd = STDOUT_FILENO;
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || absl::string_view(terminal) == "dumb";
  console.err_is_terminal = isatty(STDERR_FILENO) != 0 && !dumb;
  console.out_is_terminal = isatty(STDOUT_FILENO) != 0 && !dumb;
  console.color = console.err_is_terminal && !IsSet("NO_COLOR");
  console.columns = TerminalColumns;
  console.lines = TerminalLines;
  return console;
}

std::string ForTerminal(absl::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    clean.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
  }
  return clean;
}

}  // namespace intercom_extractor

#ifndef CLIENTS_CLI_CONSOLE_H_
#define CLIENTS_CLI_CONSOLE_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// Where a command's words go. Thread-safe if `out` and `err` are.
struct Console {
  // Standard output: what was asked for. False when it could not be written.
  std::function<bool(absl::string_view)> out;
  // Standard error: everything said to people. Nobody can be told when it fails.
  std::function<void(absl::string_view)> err;
  // Where rows go with `--output -`.
  int data_fd = 1;
  // Whether a person watches standard error on a terminal that can redraw a line.
  bool err_is_terminal = false;
  // The same of standard output.
  bool out_is_terminal = false;
  // Whether that person wants colours.
  bool color = false;
  // The terminal's width now, in characters.
  std::function<int()> columns;
  // And its height.
  std::function<int()> lines;
};

// The console of this process: descriptors 1 and 2, TERM and NO_COLOR.
Console ProcessConsole();

// `text` without control characters, which a terminal would obey: it comes from
// a server. Line ends become spaces.
std::string ForTerminal(absl::string_view text);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_CONSOLE_H_

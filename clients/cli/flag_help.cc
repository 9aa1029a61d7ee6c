#include "clients/cli/flag_help.h"

#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

void WrapHelp(CLI::App* command) {
  constexpr size_t kColumns = 66;
  for (CLI::Option* option : command->get_options()) {
    std::string text;
    size_t used = 0;
    for (absl::string_view word :
         absl::StrSplit(option->get_description(), ' ', absl::SkipEmpty())) {
      const bool fits = used + 1 + word.size() <= kColumns;
      absl::StrAppend(&text, used == 0 ? "" : fits ? " " : "\n", word);
      used = used == 0 ? word.size() : fits ? used + 1 + word.size() : word.size();
    }
    option->description(text);
  }
}

}  // namespace intercom_extractor

#include "clients/cli/table_flags.h"

#include <map>

#include "CLI/CLI.hpp"
#include "absl/strings/str_split.h"

namespace intercom_extractor {

CLI::Option* AddTemplateFlag(CLI::App* command, v1::Template* value) {
  static const std::map<std::string, v1::Template> kTemplates = {
      {"basic", v1::TEMPLATE_BASIC},
      {"conversations", v1::TEMPLATE_CONVERSATIONS},
      {"all", v1::TEMPLATE_ALL},
  };
  return command
      ->add_option_function<std::string>(
          "--template", [value](const std::string& name) { *value = kTemplates.at(name); },
          "A set of tables: basic, conversations or all")
      ->type_name("NAME")
      ->check(CLI::IsMember({"basic", "conversations", "all"}));
}

void AddTablesFlag(CLI::App* command, std::string* names) {
  command->add_option("--tables", *names, "Single tables, separated by commas")
      ->type_name("a,b,c")
      ->join(',');
}

std::vector<std::string> SplitTables(const std::string& names) {
  if (names.empty()) return {};
  return absl::StrSplit(names, ',', absl::SkipEmpty());
}

void AddBodyFormatFlag(CLI::App* command, v1::BodyFormat* format) {
  command
      ->add_option_function<std::string>(
          "--body-format",
          [format](const std::string& name) {
            *format = name == "html" ? v1::BODY_FORMAT_HTML : v1::BODY_FORMAT_PLAINTEXT;
          },
          "Bodies of conversations: plaintext or html [plaintext]")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"plaintext", "html"}));
}

std::string TablesMistake(v1::Template table_template, const std::vector<std::string>& tables) {
  if (table_template != v1::TEMPLATE_UNSPECIFIED || !tables.empty()) return "";
  return "say what to read: --template basic|conversations|all or --tables a,b,c "
         "(intercom-extract tables lists them)";
}

}  // namespace intercom_extractor

#ifndef CLIENTS_CLI_FLAG_HELP_H_
#define CLIENTS_CLI_FLAG_HELP_H_

namespace CLI {
class App;
}  // namespace CLI

namespace intercom_extractor {

// Breaks the flags' descriptions into lines, which CLI11 indents but does not break.
void WrapHelp(CLI::App* command);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_FLAG_HELP_H_

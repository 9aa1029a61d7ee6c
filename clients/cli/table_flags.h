#ifndef CLIENTS_CLI_TABLE_FLAGS_H_
#define CLIENTS_CLI_TABLE_FLAGS_H_

#include <string>
#include <vector>

#include "intercom/extractor/v1/annotations.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace intercom_extractor {

// Flags that say what to read. What they fill must live until the arguments are parsed.
CLI::Option* AddTemplateFlag(CLI::App* command, v1::Template* value);
// One text, split later: CLI11's own lists would take what follows them, too.
void AddTablesFlag(CLI::App* command, std::string* names);
std::vector<std::string> SplitTables(const std::string& names);
void AddBodyFormatFlag(CLI::App* command, v1::BodyFormat* format);

// What is wrong; empty when nothing is.
std::string TablesMistake(v1::Template table_template, const std::vector<std::string>& tables);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TABLE_FLAGS_H_

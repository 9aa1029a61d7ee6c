#ifndef CLIENTS_CLI_COMMAND_LINE_H_
#define CLIENTS_CLI_COMMAND_LINE_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/connection_flags.h"
#include "clients/cli/fleet_flags.h"
#include "clients/cli/incremental_flags.h"
#include "clients/cli/login_flags.h"
#include "clients/cli/row_columns.h"
#include "clients/cli/row_writer.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

struct ExtractOptions {
  ConnectionOptions connection;
  v1::Template table_template = v1::TEMPLATE_UNSPECIFIED;
  std::vector<std::string> tables;
  std::string output;  // A directory, or "-" for standard output; empty with a sink.
  std::string sink;    // The URL of a sink, or empty. Secret: may hold a password.
  std::string sink_id;
  RowFormat format = RowFormat::kCsv;
  bool gzip = false;
  ColumnSelection columns = ColumnSelection::kAll;
  // "column" or "table.column": only these are written; empty: what `columns` says.
  std::vector<std::string> column_names;
  v1::BodyFormat body_format = v1::BODY_FORMAT_PLAINTEXT;
  IncrementalOptions incremental;
  bool resume = false;
  std::string state;  // The state file; empty: the one in `output`.
  bool json = false;
  bool quiet = false;
};

struct CheckOptions {
  ConnectionOptions connection;
  bool json = false;
};

struct PlanOptions {
  ConnectionOptions connection;
  v1::Template table_template = v1::TEMPLATE_UNSPECIFIED;
  std::vector<std::string> tables;
  v1::BodyFormat body_format = v1::BODY_FORMAT_PLAINTEXT;
  IncrementalOptions incremental;
  bool json = false;
};

struct TablesOptions {
  ConnectionOptions connection;
  // Also what the connection is configured to do with values.
  bool of_connection = false;
  v1::Template table_template = v1::TEMPLATE_UNSPECIFIED;
  bool json = false;
};

struct TopOptions {
  ConnectionOptions connection;
  std::string only_connection;  // Empty: extractions of all connections.
  bool json = false;
};

struct StateOptions {
  enum class Action { kShow, kReset, kExport };
  Action action = Action::kShow;
  std::string output;  // The directory of a run, or empty.
  std::string state;   // Its state file; empty: the one in `output`.
  // To be reset; empty: the whole state.
  std::vector<std::string> tables;
  bool json = false;
};

// The answer to --help and --version.
struct InfoText {
  std::string text;
};

// One line without the program's name: what is wrong and what to write instead.
struct UsageError {
  std::string message;
};

using CommandLine =
    std::variant<ExtractOptions, CheckOptions, PlanOptions, TablesOptions, TopOptions, StateOptions,
                 FleetOptions, LoginOptions, InfoText, UsageError>;

// Reads the program's arguments. Pure: looks at no file and no environment. `now`
// tells what lies in the future.
CommandLine ParseCommandLine(int argc, const char* const* argv, absl::Time now);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_COMMAND_LINE_H_

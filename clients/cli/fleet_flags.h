#ifndef CLIENTS_CLI_FLEET_FLAGS_H_
#define CLIENTS_CLI_FLEET_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/connection_flags.h"
#include "clients/fleet/fleet_topics.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace CLI {
class App;
}  // namespace CLI

namespace intercom_extractor {

struct FleetOptions {
  enum class Action { kWork, kSubmit, kRemove, kStatus };
  Action action = Action::kStatus;
  std::string sink;  // The fleet's Kafka.

  // Of submit and remove.
  std::vector<std::string> workspaces;
  std::string workspaces_file;  // One name in a line; "-": standard input.
  std::string job = "extract";
  v1::Template table_template = v1::TEMPLATE_UNSPECIFIED;
  std::vector<std::string> tables;
  v1::BodyFormat body_format = v1::BODY_FORMAT_PLAINTEXT;
  absl::Duration every;  // Zero: once.
  bool incremental = false;
  absl::Duration overlap = absl::Hours(1);
  int partitions = kFleetPartitions;

  // Of work.
  ConnectionOptions connection;
  std::string worker;
  std::string alive_file;  // Empty: none.
  int jobs = 8;
  absl::Duration session_timeout = absl::Seconds(45);

  bool json = false;
};

// As they were given; what they mean is read afterwards.
struct FleetFlags {
  std::string tables;
  std::string workspaces;
  std::string every;
  std::optional<std::string> overlap;
  std::string session_timeout = "45s";
};

// Lets `app` take the fleet's commands. Both must live until the arguments are parsed.
CLI::App* AddFleetCommand(CLI::App* app, FleetOptions* options, FleetFlags* flags);

// What is wrong; empty when nothing is.
std::string ReadFleetFlags(const FleetFlags& flags, FleetOptions* options);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_FLEET_FLAGS_H_

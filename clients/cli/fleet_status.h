#ifndef CLIENTS_CLI_FLEET_STATUS_H_
#define CLIENTS_CLI_FLEET_STATUS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/fleet/fleet_topics.h"
#include "fleet.pb.h"

namespace intercom_extractor {

// A job of a workspace and how it stands.
struct FleetJob {
  std::string workspace;
  fleet::Job job;
  fleet::JobState state;  // Empty: it has not begun since it was submitted.
  std::string worker;     // Empty: no worker is at it.
};

// Pure, as all here.
std::vector<FleetJob> JoinFleet(const JobsByWorkspace& jobs,
                                const std::map<std::string, fleet::WorkspaceState>& states);

// Counts and a table, for people.
std::string FleetStatusText(const std::vector<FleetJob>& jobs, absl::Time now);

// One object and a line end.
std::string FleetStatusJson(const std::vector<FleetJob>& jobs);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_FLEET_STATUS_H_

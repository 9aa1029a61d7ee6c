#ifndef CLIENTS_FLEET_FLEET_TOPICS_H_
#define CLIENTS_FLEET_FLEET_TOPICS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "fleet.pb.h"

namespace intercom_extractor {

// The topics that a fleet is: "intercom._jobs", what is to be done, and "intercom._positions",
// how far it is, beside those of the rows that all workspaces share. Both have a workspace
// in the same partition, and there one worker at a time.
//
// Errors as KafkaError(); kFailedPrecondition: there is no fleet.

// More than a fleet will have workers, as they cannot become more later.
inline constexpr int kFleetPartitions = 64;

std::string JobsTopicName(const KafkaTarget& target);

// Of a fleet that is to be: makes its topics, with `partitions` where they are not there.
// Sets the target's `position_partitions` to those that they have.
absl::Status MakeFleet(int partitions, KafkaTarget* target);

// Finds the fleet that is there: sets the target's `position_partitions`.
absl::Status FindFleet(KafkaTarget* target);

using JobsByWorkspace = std::map<std::string, fleet::WorkspaceJobs>;
absl::StatusOr<JobsByWorkspace> ReadJobs(const KafkaTarget& target);

// Changes the jobs of workspaces, all or nothing: `change` makes of what is there what is to
// be written; a workspace without jobs is forgotten. Others that change jobs meanwhile are
// waited for; `change` may be called several times.
absl::Status ChangeJobs(
    const KafkaTarget& target,
    const std::function<absl::StatusOr<JobsByWorkspace>(const JobsByWorkspace& now)>& change);

// What the positions say of workspaces: those of `partitions`, or of all where it is empty,
// as far as no transaction is open.
absl::StatusOr<std::map<std::string, fleet::WorkspaceState>> ReadStates(
    const KafkaTarget& target, const std::set<int32_t>& partitions);

// What is wrong with the name of a workspace; empty when nothing is.
std::string WorkspaceNameMistake(absl::string_view name);

}  // namespace intercom_extractor

#endif  // CLIENTS_FLEET_FLEET_TOPICS_H_

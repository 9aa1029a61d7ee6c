#include "clients/fleet/fleet_topics.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/sinks/kafka/kafka_positions.h"
#include "clients/sinks/kafka/kafka_producer.h"
#include "clients/sinks/kafka/kafka_reader.h"

namespace intercom_extractor {
namespace {

constexpr size_t kLongestWorkspace = 100;

// Each try waits for the one before it to end.
constexpr int kChangeTries = 10;

// Brokers say that topics are made before all of them know it.
constexpr absl::Duration kSettle = absl::Seconds(30);
constexpr absl::Duration kSettleWait = absl::Milliseconds(100);

absl::Status WaitUntilThere(const KafkaTarget& target, const std::string& topic) {
  const absl::Time deadline = absl::Now() + kSettle;
  for (;;) {
    const auto partitions = CountPartitions(target, topic);
    if (!partitions.ok() || *partitions > 0 || absl::Now() >= deadline) return partitions.status();
    absl::SleepFor(kSettleWait);
  }
}

absl::Status ChangeOnce(
    const KafkaTarget& target,
    const std::function<absl::StatusOr<JobsByWorkspace>(const JobsByWorkspace&)>& change,
    bool* fenced) {
  auto producer = KafkaProducer::Connect(target, target.TransactionalId("_jobs"));
  if (!producer.ok()) return producer.status();
  // Ends others' changes that were not committed: they read and try again.
  if (absl::Status taken = (*producer)->TakeTransactionalId(); !taken.ok()) return taken;
  const auto now = ReadJobs(target);
  if (!now.ok()) return now.status();
  const auto wanted = change(*now);
  if (!wanted.ok()) return wanted.status();
  const KafkaHeaders headers;
  absl::Status status;
  for (const auto& [workspace, jobs] : *wanted) {
    const std::string value = jobs.SerializeAsString();
    std::optional<absl::string_view> written;
    if (jobs.jobs_size() > 0) written = value;
    if (status.ok()) {
      status = (*producer)->Send(JobsTopicName(target), workspace, written, headers,
                                 PartitionOfKey(workspace, target.position_partitions));
    }
  }
  if (status.ok()) status = (*producer)->Commit();
  *fenced = !status.ok() && (*producer)->fenced();
  return status;
}

}  // namespace

std::string JobsTopicName(const KafkaTarget& target) {
  return absl::StrCat(target.prefix, "_jobs");
}

absl::Status MakeFleet(int partitions, KafkaTarget* target) {
  target->position_partitions = partitions;
  auto producer = KafkaProducer::Connect(*target, "");
  if (!producer.ok()) return producer.status();
  const KafkaTopic jobs = {JobsTopicName(*target), partitions, {{"cleanup.policy", "compact"}}};
  if (absl::Status made =
          (*producer)->MakeTopics({jobs, PositionsTopic(*target)}, target->replication);
      !made.ok()) {
    return made;
  }
  for (const std::string& topic : {jobs.name, PositionsTopicName(*target)}) {
    if (absl::Status there = WaitUntilThere(*target, topic); !there.ok()) return there;
  }
  return FindFleet(target);
}

absl::Status FindFleet(KafkaTarget* target) {
  const auto partitions = CountPartitions(*target, JobsTopicName(*target));
  if (!partitions.ok()) return partitions.status();
  const auto positions = CountPartitions(*target, PositionsTopicName(*target));
  if (!positions.ok()) return positions.status();
  if (*partitions == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is no fleet at ", target->name(), ": topic ", JobsTopicName(*target),
                     " is not there; submit a job first, or check the prefix"));
  }
  if (*partitions != *positions) {
    return absl::FailedPreconditionError(absl::StrCat(
        "topic ", PositionsTopicName(*target), " at ", target->name(), " has ", *positions,
        " partitions and ", JobsTopicName(*target), " has ", *partitions,
        ": another run uses this prefix, or partitions were added; give the fleet a prefix of "
        "its own"));
  }
  target->position_partitions = *partitions;
  return absl::OkStatus();
}

absl::StatusOr<JobsByWorkspace> ReadJobs(const KafkaTarget& target) {
  const auto parse = [](const KafkaRecord& record, fleet::WorkspaceJobs* jobs) {
    return jobs->ParseFromArray(record.value->data(), static_cast<int>(record.value->size()));
  };
  return ReadLatest<fleet::WorkspaceJobs>(target, JobsTopicName(target), {}, parse,
                                          "record of workspace", "submit its jobs again");
}

absl::Status ChangeJobs(
    const KafkaTarget& target,
    const std::function<absl::StatusOr<JobsByWorkspace>(const JobsByWorkspace& now)>& change) {
  absl::Status status;
  for (int attempt = 0; attempt < kChangeTries; ++attempt) {
    bool fenced = false;
    status = ChangeOnce(target, change, &fenced);
    if (!fenced) return status;
  }
  return status;
}

absl::StatusOr<std::map<std::string, fleet::WorkspaceState>> ReadStates(
    const KafkaTarget& target, const std::set<int32_t>& partitions) {
  TopicRange range;
  range.wait_for_open = false;
  if (partitions.size() == 1) range.partition = *partitions.begin();
  const auto positions = ReadPositions(target, range);
  if (!positions.ok()) return positions.status();
  std::map<std::string, fleet::WorkspaceState> states;
  for (const auto& [workspace, position] : *positions) {
    const int32_t partition = PartitionOfKey(workspace, target.position_partitions);
    if (!partitions.empty() && partitions.count(partition) == 0) continue;
    fleet::WorkspaceState state;
    if (state.ParseFromString(position.note)) states[workspace] = std::move(state);
  }
  return states;
}

std::string WorkspaceNameMistake(absl::string_view name) {
  const bool fits = !name.empty() && name.size() <= kLongestWorkspace &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
                    });
  if (fits) return "";
  return absl::StrCat("a workspace is named by letters, digits, '.', '_' and '-', up to ",
                      kLongestWorkspace, " of them");
}

}  // namespace intercom_extractor

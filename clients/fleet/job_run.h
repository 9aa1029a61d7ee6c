#ifndef CLIENTS_FLEET_JOB_RUN_H_
#define CLIENTS_FLEET_JOB_RUN_H_

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/client.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "fleet.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What all jobs of a worker share.
struct JobSetting {
  KafkaTarget target;  // The fleet's; its `workspace` is the job's.
  std::vector<v1::TableDescription> tables;
  std::string worker;   // The name that people know.
  std::string process;  // Tells this process from all others.
  // For how long a workspace is left alone that a worker had which did not give it back: it
  // may take that long to notice.
  absl::Duration takeover_wait;
  std::function<absl::Time()> now;
  std::function<double()> random;  // In [0, 1). Thread-safe, as `now`.
  // A sentence on a workspace, for people. Thread-safe.
  std::function<void(const std::string& workspace, const std::string& text)> note;
};

// What a job is played with; all outlive it.
struct JobRun {
  const JobSetting* setting;
  const Client* client;
  std::string workspace;
  fleet::Job job;
  fleet::WorkspaceState known;  // As the worker knows it.
  Cancellation* cancellation;   // Ends it soon; what it has not committed comes again.
  // Whether the workspace may be another worker's by now: then nothing is written at the end.
  const std::atomic<bool>* lost;

  // Runs the job to its end, or goes on with it, into the fleet's topics; blocks meanwhile.
  // What is known of the workspace afterwards, which the topic of positions says, too, unless
  // Kafka failed.
  fleet::WorkspaceState Play();
};

}  // namespace intercom_extractor

#endif  // CLIENTS_FLEET_JOB_RUN_H_

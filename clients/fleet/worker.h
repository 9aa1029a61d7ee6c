#ifndef CLIENTS_FLEET_WORKER_H_
#define CLIENTS_FLEET_WORKER_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/client.h"
#include "clients/fleet/group_member.h"
#include "clients/fleet/job_plan.h"
#include "clients/fleet/job_run.h"
#include "clients/fleet/lease.h"
#include "fleet.pb.h"

namespace intercom_extractor {

// The workspaces that this process can read at all, by connection.
using WorkspaceRights = std::map<std::string, std::shared_ptr<WorkspaceRight>>;

// One worker of a fleet: runs the jobs of the workspaces in those partitions that the group
// gives it, several at a time, one in a workspace.
//
// A job whose partition is taken ends at once, gives back what it has not committed, and
// says so; only then does the partition go. A worker that was frozen for longer than its
// lease sends nothing to Intercom any more, ends all jobs, and joins the group anew.
class Worker {
 public:
  struct Options {
    GroupMember::Options group;
    int max_jobs = 8;  // At a time.
    // Called some ten times a second by the thread of the group, while the lease lives.
    std::function<void()> on_round = [] {};
  };

  // All must outlive the worker. `lease` is the one of `rights`.
  Worker(const JobSetting& setting, const Options& options, const Client& client, Lease* lease,
         const WorkspaceRights& rights);
  ~Worker();

  // Works until `interrupt`; then ends the jobs and leaves the group. OK after that; else
  // why it cannot go on. Once.
  absl::Status Run(Cancellation* interrupt);

 private:
  struct Running {
    JobRun run;
    Cancellation cancellation;
    std::atomic<bool> lost{false};
    std::atomic<bool> ended{false};
    fleet::WorkspaceState result;  // Once `ended`.
    std::thread thread;
  };
  struct Workspace {
    int32_t partition = 0;
    fleet::WorkspaceJobs jobs;
    fleet::WorkspaceState state;
  };

  GroupMember::Handlers Handlers();
  void OnGiven(const std::vector<int32_t>& partitions);
  void OnTaken(const std::vector<int32_t>& partitions, bool lost);
  void OnRecord(int32_t partition, const std::string& workspace,
                std::optional<absl::string_view> value);
  void OnAllRead(int32_t partition);

  // Joins the group and works until the interrupt, an error, or until the lease has ended.
  absl::Status WorkOnce(Cancellation* interrupt);
  // Learns how far workspaces are, which takes too long for the thread of the group.
  void ReadStatesOf(std::set<int32_t> partitions);
  void TakeStates();
  void StartDueJobs();
  void Start(const std::string& workspace, const fleet::Job& job);
  void CollectEnded();
  void EndJobs(const std::set<int32_t>& partitions, bool lost);
  void LoseAll();
  void TellPartitions() const;
  // Of a workspace that this process has no connection for, the server says so.
  void SetRight(const std::string& workspace, bool given);

  const JobSetting& setting_;
  const Options options_;
  const Client& client_;
  Lease* const lease_;
  const WorkspaceRights& rights_;

  std::map<std::string, Workspace> workspaces_;
  std::set<int32_t> given_;   // Partitions that the group gives.
  std::set<int32_t> unread_;  // Of those, those whose states are still to be read.
  std::set<int32_t> ready_;   // Of those, those whose jobs may run.
  std::map<std::string, std::unique_ptr<Running>> running_;
  std::mutex mutex_;
  std::condition_variable job_ended_;

  std::thread reader_;  // While states are read.
  std::atomic<bool> states_read_{false};
  std::set<int32_t> reading_;
  // Once `states_read_`:
  absl::Status read_status_;
  std::map<std::string, fleet::WorkspaceState> states_;
  absl::Time read_again_ = absl::InfinitePast();
};

}  // namespace intercom_extractor

#endif  // CLIENTS_FLEET_WORKER_H_

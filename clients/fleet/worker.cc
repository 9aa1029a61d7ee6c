#include "clients/fleet/worker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "clients/fleet/fleet_topics.h"
#include "clients/sinks/kafka/kafka_positions.h"

namespace intercom_extractor {
namespace {

// How often what is due is looked for, and the lease renewed.
constexpr absl::Duration kRound = absl::Milliseconds(100);

constexpr absl::Duration kReadAgain = absl::Seconds(2);

constexpr char kFleet[] = "fleet";  // Whom notes are about that are about no workspace.

template <typename Set>
bool Contains(const Set& set, const typename Set::value_type& value) {
  return set.find(value) != set.end();
}

}  // namespace

Worker::Worker(const JobSetting& setting, const Options& options, const Client& client,
               Lease* lease, const WorkspaceRights& rights)
    : setting_(setting), options_(options), client_(client), lease_(lease), rights_(rights) {}

Worker::~Worker() {
  if (reader_.joinable()) reader_.join();
}

GroupMember::Handlers Worker::Handlers() {
  GroupMember::Handlers handlers;
  handlers.on_given = [this](const std::vector<int32_t>& partitions) { OnGiven(partitions); };
  handlers.on_taken = [this](const std::vector<int32_t>& partitions, bool lost) {
    OnTaken(partitions, lost);
  };
  handlers.on_record = [this](int32_t partition, const std::string& workspace,
                              std::optional<absl::string_view> value) {
    OnRecord(partition, workspace, value);
  };
  handlers.on_all_read = [this](int32_t partition) { OnAllRead(partition); };
  return handlers;
}

absl::Status Worker::Run(Cancellation* interrupt) {
  for (;;) {
    absl::Status status = WorkOnce(interrupt);
    if (!status.ok() || interrupt->cancelled()) return status;
  }
}

absl::Status Worker::WorkOnce(Cancellation* interrupt) {
  auto member = GroupMember::Join(setting_.target, JobsTopicName(setting_.target), options_.group,
                                  Handlers());
  if (!member.ok()) return member.status();
  lease_->Begin();
  absl::Status status;
  while (!interrupt->cancelled()) {
    status = (*member)->Poll(kRound);
    if (!lease_->Renew()) {
      setting_.note(kFleet,
                    "this worker stood still for too long; it ends its jobs and joins anew");
      LoseAll();
      return status;  // Leaves without a word: who came after it is not to be disturbed.
    }
    if (!status.ok()) break;
    CollectEnded();
    TakeStates();
    StartDueJobs();
    options_.on_round();
  }
  if (!status.ok()) {
    lease_->End();
    LoseAll();
    return status;
  }
  (*member)->Leave();
  return absl::OkStatus();
}

void Worker::TellPartitions() const {
  setting_.note(kFleet, absl::StrCat("has ", given_.size(), " partitions of ",
                                     setting_.target.position_partitions));
}

void Worker::OnGiven(const std::vector<int32_t>& partitions) {
  given_.insert(partitions.begin(), partitions.end());
  if (!partitions.empty()) TellPartitions();
}

void Worker::OnTaken(const std::vector<int32_t>& partitions, bool lost) {
  const std::set<int32_t> taken(partitions.begin(), partitions.end());
  EndJobs(taken, lost);
  for (auto it = workspaces_.begin(); it != workspaces_.end();) {
    it = Contains(taken, it->second.partition) ? workspaces_.erase(it) : std::next(it);
  }
  for (const int32_t partition : taken) {
    given_.erase(partition);
    unread_.erase(partition);
    ready_.erase(partition);
  }
  if (!taken.empty()) TellPartitions();
}

void Worker::OnRecord(int32_t partition, const std::string& workspace,
                      std::optional<absl::string_view> value) {
  if (partition != PartitionOfKey(workspace, setting_.target.position_partitions)) {
    setting_.note(workspace, absl::StrCat("its jobs stand in partition ", partition,
                                          ", where no job of it may; submit them again"));
    return;
  }
  fleet::WorkspaceJobs jobs;
  if (value.has_value() && !jobs.ParseFromArray(value->data(), static_cast<int>(value->size()))) {
    setting_.note(workspace, "its record of jobs is damaged; submit them again");
    return;
  }
  Workspace& known = workspaces_[workspace];
  known.partition = partition;
  known.jobs = std::move(jobs);
  const auto running = running_.find(workspace);
  if (running == running_.end()) return;
  // A job that is there no more, or was submitted anew, ends.
  const fleet::Job& job = running->second->run.job;
  const auto same = [&job](const fleet::Job& other) {
    return other.name() == job.name() && other.submitted_at() == job.submitted_at();
  };
  if (std::none_of(known.jobs.jobs().begin(), known.jobs.jobs().end(), same)) {
    running->second->cancellation.Cancel();
  }
}

void Worker::OnAllRead(int32_t partition) {
  if (!Contains(given_, partition) || Contains(ready_, partition) ||
      Contains(reading_, partition)) {
    return;
  }
  unread_.insert(partition);
}

void Worker::ReadStatesOf(std::set<int32_t> partitions) {
  reading_ = std::move(partitions);
  states_read_ = false;
  reader_ = std::thread([this] {
    auto states = ReadStates(setting_.target, reading_);
    read_status_ = states.status();
    if (states.ok()) states_ = *std::move(states);
    states_read_ = true;
  });
}

void Worker::TakeStates() {
  if (reader_.joinable()) {
    if (!states_read_) return;
    reader_.join();
    const std::set<int32_t> read = std::exchange(reading_, {});
    if (!read_status_.ok()) {
      setting_.note(kFleet, absl::StrCat(read_status_.message(), "; tries again"));
      read_again_ = setting_.now() + kReadAgain;
      for (const int32_t partition : read) {
        if (Contains(given_, partition)) unread_.insert(partition);
      }
    } else {
      for (auto& [workspace, known] : workspaces_) {
        if (!Contains(read, known.partition) || running_.count(workspace) > 0) continue;
        known.state = states_[workspace];
      }
      for (const int32_t partition : read) {
        if (Contains(given_, partition)) ready_.insert(partition);
      }
    }
    states_.clear();
  }
  if (!unread_.empty() && setting_.now() >= read_again_) {
    ReadStatesOf(std::exchange(unread_, {}));
  }
}

void Worker::SetRight(const std::string& workspace, bool given) {
  const auto found = rights_.find(workspace);
  if (found == rights_.end()) return;
  if (given) {
    found->second->Give();
  } else {
    found->second->Take();
  }
}

void Worker::StartDueJobs() {
  if (static_cast<int>(running_.size()) >= options_.max_jobs) return;
  const absl::Time now = setting_.now();
  // Who waits longest comes first.
  std::multimap<absl::Time, std::pair<std::string, fleet::Job>> due;
  for (const auto& [workspace, known] : workspaces_) {
    if (!Contains(ready_, known.partition) || running_.count(workspace) > 0) continue;
    auto next = NextJob(known.jobs, known.state);
    if (!next.has_value() || next->at > now) continue;
    due.emplace(next->at, std::make_pair(workspace, std::move(next->job)));
  }
  for (const auto& [at, job] : due) {
    if (static_cast<int>(running_.size()) >= options_.max_jobs) return;
    Start(job.first, job.second);
  }
}

void Worker::Start(const std::string& workspace, const fleet::Job& job) {
  auto running = std::make_unique<Running>();
  Running* const started = running.get();
  SetRight(workspace, true);
  started->run = {
      &setting_,     &client_, workspace, job, workspaces_[workspace].state, &started->cancellation,
      &started->lost};
  started->thread = std::thread([this, started] {
    started->result = started->run.Play();
    const std::lock_guard<std::mutex> lock(mutex_);
    started->ended = true;
    job_ended_.notify_all();
  });
  running_[workspace] = std::move(running);
}

void Worker::CollectEnded() {
  for (auto it = running_.begin(); it != running_.end();) {
    if (!it->second->ended) {
      ++it;
      continue;
    }
    it->second->thread.join();
    SetRight(it->first, false);
    const auto known = workspaces_.find(it->first);
    if (known != workspaces_.end()) known->second.state = std::move(it->second->result);
    it = running_.erase(it);
  }
}

void Worker::EndJobs(const std::set<int32_t>& partitions, bool lost) {
  std::vector<std::string> ending;
  for (const auto& [workspace, running] : running_) {
    if (!Contains(partitions, PartitionOfKey(workspace, setting_.target.position_partitions))) {
      continue;
    }
    SetRight(workspace, false);
    if (lost) running->lost = true;
    running->cancellation.Cancel();
    ending.push_back(workspace);
  }
  for (const std::string& workspace : ending) {
    Running& running = *running_[workspace];
    {
      std::unique_lock<std::mutex> lock(mutex_);
      while (!job_ended_.wait_for(lock, absl::ToChronoMilliseconds(kRound),
                                  [&running] { return running.ended.load(); })) {
        // For the jobs of other partitions, which go on.
        (void)lease_->Renew();
      }
    }
    running.thread.join();
    running_.erase(workspace);
  }
}

void Worker::LoseAll() {
  OnTaken({given_.begin(), given_.end()}, /*lost=*/true);
  if (reader_.joinable()) reader_.join();
  reading_.clear();
}

}  // namespace intercom_extractor

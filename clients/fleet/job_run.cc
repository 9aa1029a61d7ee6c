#include "clients/fleet/job_run.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/table_selection.h"
#include "clients/fleet/job_plan.h"
#include "clients/sinks/incremental_since.h"
#include "clients/sinks/kafka/kafka_sink.h"
#include "clients/sinks/sink_run.h"
#include "sink_position.pb.h"

namespace intercom_extractor {
namespace {

// Tries of a job that fails for a reason that may pass, before it is left to people.
constexpr int kMaxFailures = 8;

int64_t TotalRows(const sinks::SinkPosition& position) {
  int64_t rows = 0;
  for (const auto& [table, count] : position.rows()) rows += count;
  return rows;
}

// Whether the same may work later without anybody doing something.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    // The server's word when the lease has ended, which may come before the worker's own.
    case absl::StatusCode::kCancelled:
      return true;
    default:
      return false;
  }
}

class Playing {
 public:
  explicit Playing(const JobRun& run)
      : run_(run),
        setting_(*run.setting),
        job_(run.job),
        target_(setting_.target),
        state_(run.known) {
    target_.workspace = run.workspace;
  }

  fleet::WorkspaceState Play() {
    v1::ExtractRequest request;
    if (!request.ParseFromString(job_.request())) return Refused("its request cannot be read");
    request.set_connection(run_.workspace);
    v1::ListTablesResponse all;
    *all.mutable_tables() = {setting_.tables.begin(), setting_.tables.end()};
    const TableSelection selection =
        SelectTables(all, request.template_(), {request.tables().begin(), request.tables().end()});
    if (!selection.unknown.empty() || selection.tables.empty()) {
      return Refused(absl::StrCat("this worker knows no table ",
                                  selection.unknown.empty() ? "for it" : selection.unknown[0]));
    }
    for (const auto& table : selection.tables) tables_.push_back(table.table().name());
    auto sink = KafkaSink::Make(target_, run_.workspace, selection.tables, setting_.tables);
    if (!sink.ok()) return Refused(std::string(sink.status().message()));
    sink_ = *std::move(sink);
    SinkRun run(*run_.client, sink_.get(), OptionsOfRun());
    const auto position = run.Open();
    if (!position.ok()) return OpenFailed(position.status());
    state_.ParseFromString(sink_->note());
    const auto last = state_.jobs().find(job_.name());
    if (DueAt(job_, last == state_.jobs().end() ? nullptr : &last->second) > setting_.now()) {
      return state_;  // It was done; only the end of its transaction was not known.
    }
    if (!WaitForOlderWorker()) return state_;
    const v1::ExtractRequest wanted = RequestAfter(*position, std::move(request));
    BeginState();
    sink_->SetNote(
        [this](const sinks::SinkPosition& now, uint64_t run) { return NoteOf(now, run); });
    // Whoever takes the workspace from now on knows that requests may be on their way.
    if (const absl::Status told = sink_->CommitNote(); !told.ok()) return OpenFailed(told);
    setting_.note(run_.workspace, absl::StrCat("job ", job_.name(),
                                               goes_on_ ? absl::StrCat(" goes on from checkpoint ",
                                                                       position->checkpoint())
                                                        : " begins"));
    return End(run.Run(wanted));
  }

 private:
  SinkRunOptions OptionsOfRun() {
    SinkRunOptions options;
    options.timing.now = setting_.now;
    options.timing.random = setting_.random;
    options.timing.wait = [this](absl::Duration wait) { return run_.cancellation->WaitFor(wait); };
    options.cancellation = run_.cancellation;
    options.on_note = [this](const std::string& text) { setting_.note(run_.workspace, text); };
    options.on_event = [this](const v1::ExtractResponse& event, size_t) {
      if (event.has_progress()) TellWait(event.progress().waiting_for());
    };
    return options;
  }

  // A scroll that a dead worker left open is waited for up to a minute, in which nothing else
  // may come. Other waits are what is normal.
  void TellWait(v1::WaitReason reason) {
    const v1::WaitReason before = std::exchange(waiting_for_, reason);
    if (reason == before || reason != v1::WAIT_REASON_SCROLL) return;
    setting_.note(run_.workspace,
                  absl::StrCat("job ", job_.name(), " is ", WaitPhrase(reason, /*consumer=*/"")));
  }

  // A worker that did not give the workspace back may not know yet that it has lost it.
  // False: this one is to end.
  bool WaitForOlderWorker() {
    if (state_.process().empty() || state_.process() == setting_.process) return true;
    const auto current = state_.jobs().find(state_.current());
    if (current == state_.jobs().end() || current->second.phase() != fleet::PHASE_RUNNING) {
      return true;
    }
    setting_.note(run_.workspace, absl::StrCat("takes over from worker ", state_.worker(), " in ",
                                               absl::FormatDuration(setting_.takeover_wait)));
    return !run_.cancellation->WaitFor(setting_.takeover_wait);
  }

  v1::ExtractRequest RequestAfter(const sinks::SinkPosition& position, v1::ExtractRequest request) {
    if (!job_.incremental()) return request;
    const auto at = [&request](absl::Time since) {
      v1::ExtractRequest incremental = request;
      incremental.mutable_updated_since()->set_seconds(absl::ToUnixSeconds(since));
      incremental.set_with_parents(true);
      return incremental;
    };
    const auto since = SinceLastRun(position, tables_, absl::Seconds(job_.overlap_seconds()), at);
    // What was never read whole is read whole first.
    return since.ok() ? at(*since) : request;
  }

  void BeginState() {
    fleet::JobState& state = (*state_.mutable_jobs())[job_.name()];
    // One that was lost before its first commit has left the position of the run before.
    goes_on_ = state_.current() == job_.name() && IsUnfinished(state) &&
               state.submitted_at() == job_.submitted_at() &&
               sink_->committed_run() > state.run_before();
    if (!goes_on_) {
      const int failures = state.submitted_at() == job_.submitted_at() ? state.failures() : 0;
      state.Clear();
      state.set_failures(failures);
      state.set_started_at(absl::ToUnixMillis(setting_.now()));
      state.set_run_before(sink_->committed_run());
    }
    state.set_submitted_at(job_.submitted_at());
    state.clear_message();
    state_.set_worker(setting_.worker);
    state_.set_process(setting_.process);
    state_.set_current(job_.name());
    phase_ = fleet::PHASE_RUNNING;
  }

  std::string NoteOf(const sinks::SinkPosition& position, uint64_t run) {
    fleet::JobState& state = (*state_.mutable_jobs())[job_.name()];
    const int64_t now = absl::ToUnixMillis(setting_.now());
    // Until its first commit the position is the one of the run before.
    const bool ours = run > state.run_before();
    if (ours && position.complete() && phase_ == fleet::PHASE_RUNNING) {
      state.set_phase(position.saw_warning() ? fleet::PHASE_PARTIAL : fleet::PHASE_COMPLETE);
      if (position.saw_warning()) state.set_message("notices say what is missing");
      state.set_ended_at(now);
      state.set_failures(0);
    } else {
      state.set_phase(phase_);
    }
    state.set_changed_at(now);
    state.set_rows(ours ? TotalRows(position) : 0);
    state.set_checkpoint(ours ? position.checkpoint() : 0);
    return state_.SerializeAsString();
  }

  fleet::WorkspaceState End(const SinkRunResult& result) {
    fleet::JobState& state = (*state_.mutable_jobs())[job_.name()];
    if (result.status.ok()) {
      setting_.note(run_.workspace,
                    absl::StrCat("job ", job_.name(), " is ", PhaseName(state.phase()), ": ",
                                 state.rows(), " rows in ",
                                 absl::FormatDuration(
                                     absl::Milliseconds(state.ended_at() - state.started_at()))));
      return state_;
    }
    if (*run_.lost) return state_;
    if (run_.cancellation->cancelled()) {
      phase_ = fleet::PHASE_RELEASED;
    } else {
      Fail(result.status, &state);
    }
    if (absl::IsAborted(result.status) && result.of_sink) return state_;  // It is another's.
    const absl::Status kept = sink_->CommitNote();
    if (!kept.ok()) state.set_phase(phase_);
    return state_;
  }

  void Fail(const absl::Status& status, fleet::JobState* state) {
    state->set_failures(state->failures() + 1);
    state->set_message(std::string(status.message()));
    const bool again = MayPass(status) && state->failures() < kMaxFailures;
    phase_ = again ? fleet::PHASE_RETRYING : fleet::PHASE_FAILED;
    state->set_phase(phase_);
    const int64_t now = absl::ToUnixMillis(setting_.now());
    if (state->started_at() == 0) state->set_started_at(now);
    state->set_changed_at(now);
    if (!again) state->set_ended_at(now);
    setting_.note(run_.workspace,
                  absl::StrCat("job ", job_.name(),
                               again ? " is tried again: " : " failed: ", status.message()));
  }

  // Nothing can be written: the worker's own memory of it keeps it from trying at once.
  fleet::WorkspaceState OpenFailed(const absl::Status& status) {
    if (*run_.lost || run_.cancellation->cancelled()) return state_;
    fleet::JobState& state = (*state_.mutable_jobs())[job_.name()];
    state.set_submitted_at(job_.submitted_at());
    Fail(status, &state);
    return state_;
  }

  // Nothing is asked of Intercom; people find why in the state.
  fleet::WorkspaceState Refused(const std::string& why) {
    auto sink = KafkaSink::Make(target_, run_.workspace, {}, setting_.tables);
    if (!sink.ok()) return OpenFailed(sink.status());
    sink_ = *std::move(sink);
    if (const auto position = sink_->Open(); !position.ok()) return OpenFailed(position.status());
    state_.ParseFromString(sink_->note());
    sink_->SetNote(
        [this](const sinks::SinkPosition&, uint64_t) { return state_.SerializeAsString(); });
    fleet::JobState& state = (*state_.mutable_jobs())[job_.name()];
    state.Clear();
    state.set_submitted_at(job_.submitted_at());
    Fail(absl::InvalidArgumentError(why), &state);
    if (const absl::Status kept = sink_->CommitNote(); !kept.ok()) return OpenFailed(kept);
    return state_;
  }

  const JobRun& run_;
  const JobSetting& setting_;
  const fleet::Job& job_;
  KafkaTarget target_;
  std::vector<std::string> tables_;
  std::unique_ptr<KafkaSink> sink_;
  fleet::WorkspaceState state_;
  fleet::Phase phase_ = fleet::PHASE_RUNNING;
  bool goes_on_ = false;
  v1::WaitReason waiting_for_ = v1::WAIT_REASON_UNSPECIFIED;
};

}  // namespace

fleet::WorkspaceState JobRun::Play() { return Playing(*this).Play(); }

}  // namespace intercom_extractor

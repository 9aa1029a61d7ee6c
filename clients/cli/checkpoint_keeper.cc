#include "clients/cli/checkpoint_keeper.h"

#include <utility>

#include "clients/cli/state_file.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

constexpr absl::Duration kSaveInterval = absl::Seconds(1);

}  // namespace

CheckpointKeeper::CheckpointKeeper(std::string path, RunState state, TableOutputs* outputs,
                                   KeyLists* keys, std::function<absl::Time()> now)
    : path_(std::move(path)),
      outputs_(outputs),
      keys_(keys),
      now_(std::move(now)),
      state_(std::move(state)) {}

absl::Status CheckpointKeeper::OnCheckpoint(const v1::Checkpoint& checkpoint, bool saw_warning) {
  auto marks = outputs_->Mark();
  if (!marks.ok()) return marks.status();
  if (absl::Status status = keys_->Mark(&*marks); !status.ok()) return status;
  state_.tables = *std::move(marks);
  state_.resume_token = checkpoint.resume_token();
  state_.checkpoint = checkpoint.number();
  state_.saw_warning = state_.saw_warning || saw_warning;
  pending_ = true;
  return OnTime();
}

absl::Status CheckpointKeeper::OnTime() {
  const absl::Time now = now_();
  // The second comparison: somebody may set the clock back.
  const bool due = now >= next_save_ || now < next_save_ - kSaveInterval;
  return pending_ && due ? Save() : absl::OkStatus();
}

absl::Status CheckpointKeeper::OnRestart(const v1::TableRestarted& restarted) {
  if (absl::Status status = Save(); !status.ok()) return status;
  absl::Status status = outputs_->Restart(restarted.table(), restarted.generation());
  return status.ok() ? keys_->Restart(restarted.table(), restarted.generation()) : status;
}

absl::Status CheckpointKeeper::Save() {
  if (!pending_) return absl::OkStatus();
  if (absl::Status status = outputs_->Sync(); !status.ok()) return status;
  if (absl::Status status = keys_->Sync(); !status.ok()) return status;
  if (absl::Status status = Write(); !status.ok()) return status;
  pending_ = false;
  // From the end of the save: a disk that needs seconds gets a second of rest.
  next_save_ = now_() + kSaveInterval;
  if (absl::Status status = outputs_->OnSaved(); !status.ok()) return status;
  return keys_->OnSaved();
}

absl::Status CheckpointKeeper::RollBack() {
  if (absl::Status status = Save(); !status.ok()) return status;
  if (absl::Status status = outputs_->RollBack(state_.tables); !status.ok()) return status;
  return keys_->RollBack(state_.tables);
}

absl::Status CheckpointKeeper::Complete(const v1::Summary& summary, Ending ending) {
  if (absl::Status status = outputs_->Close(); !status.ok()) return status;
  auto marks = outputs_->Mark();
  if (!marks.ok()) return marks.status();
  state_.tables = *std::move(marks);
  for (TableMark& table : state_.tables) {
    for (const v1::TableSummary& each : summary.tables()) {
      if (each.table() == table.table) table.whole = HasWholeFile(each);
    }
  }
  state_.exit_code = ending.exit_code;
  state_.next_bookmarks = std::move(ending.bookmarks);
  state_.also_moved = std::move(ending.also_moved);
  state_.phase = RunState::Phase::kMoving;
  if (absl::Status status = Write(); !status.ok()) return status;
  pending_ = false;
  if (absl::Status status = outputs_->Commit(summary, state_.also_moved); !status.ok())
    return status;
  SetComplete(&state_);
  return Write();
}

absl::Status CheckpointKeeper::Write() {
  state_.updated = now_();
  return WriteStateFile(path_, state_);
}

}  // namespace intercom_extractor

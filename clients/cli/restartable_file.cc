#include "clients/cli/restartable_file.h"

#include <utility>

#include "absl/status/statusor.h"

namespace intercom_extractor {

absl::Status RestartableFile::Create() {
  auto file = directory_->CreateFile(name_, gzip_);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  return absl::OkStatus();
}

absl::Status RestartableFile::OpenAt(int64_t bytes, uint32_t generation) {
  // Two that write to one file would mix their rows.
  file_.reset();
  auto file = directory_->ContinueFile(name_, gzip_, bytes, generation);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  generation_ = generation;
  saved_ = true;
  set_aside_ = false;
  names_synced_ = false;
  return absl::OkStatus();
}

absl::Status RestartableFile::Restart(uint32_t generation) {
  if (saved_) {
    // Whoever continues from the saved state needs the rows that it counts.
    absl::Status status = directory_->SetAside(name_, generation_);
    if (!status.ok()) return status;
    saved_ = false;
    set_aside_ = true;
    names_synced_ = false;
    status = Create();
    if (!status.ok()) return status;
  } else if (absl::Status status = file_->Restart(); !status.ok()) {
    return status;
  }
  generation_ = generation;
  return absl::OkStatus();
}

absl::Status RestartableFile::Sync(bool* names_changed) {
  *names_changed = *names_changed || !names_synced_;
  names_synced_ = true;
  return file_->Sync();
}

absl::Status RestartableFile::OnSaved() {
  saved_ = true;
  return Forget();
}

absl::Status RestartableFile::Forget() {
  if (!set_aside_) return absl::OkStatus();
  set_aside_ = false;
  return directory_->RemoveSetAside(name_);
}

}  // namespace intercom_extractor

#include "clients/cli/alive_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {

AliveFile::~AliveFile() {
  if (made_) unlink(path_.c_str());
}

absl::Status AliveFile::Make(absl::Time now) {
  if (path_.empty()) return absl::OkStatus();
  absl::Status made = Renew(now);
  made_ = made.ok();
  return made;
}

void AliveFile::Touch(absl::Time now) {
  if (made_ && now - renewed_ >= kInterval) (void)Renew(now);
}

absl::Status AliveFile::Renew(absl::Time now) {
  renewed_ = now;
  const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  const bool renewed = file >= 0 && futimens(file, nullptr) == 0;
  const int error = errno;
  if (file >= 0) close(file);
  if (renewed) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("--alive-file ", path_, " cannot be written: ", std::strerror(error)));
}

}  // namespace intercom_extractor

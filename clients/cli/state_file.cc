#include "clients/cli/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "clients/cli/output_file.h"

namespace intercom_extractor {
namespace {

// A token has at most 64 KiB and there are 22 tables. What is larger is not ours.
constexpr size_t kMaxBytes = size_t{1} << 20;

std::string TemporaryPath(const std::string& path) { return absl::StrCat(path, ".tmp"); }

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A descriptor that closes itself.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

int CreatePrivate(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  // One that a crash left behind may have had another mode.
  if (fd >= 0) fchmod(fd, 0600);
  return fd;
}

}  // namespace

std::string DefaultStatePath(const std::string& output) {
  return absl::StrCat(output, absl::EndsWith(output, "/") ? "" : "/", ".intercom-extract.state");
}

absl::StatusOr<RunState> ReadStateFile(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) return OutputError(absl::StrCat("read the state file ", path), errno);
  std::string text;
  std::array<char, 65536> piece;
  while (text.size() <= kMaxBytes) {
    const ssize_t got = read(file.fd(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return OutputError(absl::StrCat("read the state file ", path), errno);
    if (got == 0) break;
    text.append(piece.data(), static_cast<size_t>(got));
  }
  auto state = ParseRunState(text);
  if (state.ok()) return state;
  return absl::Status(state.status().code(),
                      absl::StrCat("the state file ", path, " ", state.status().message()));
}

absl::Status WriteStateFile(const std::string& path, const RunState& state) {
  const std::string temporary = TemporaryPath(path);
  const std::string what = absl::StrCat("write the state file ", temporary);
  {
    const File file(CreatePrivate(temporary));
    if (file.fd() < 0) return OutputError(what, errno);
    const std::string text = FormatRunState(state);
    absl::string_view rest = text;
    while (!rest.empty()) {
      const ssize_t written = write(file.fd(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return OutputError(what, errno);
      rest.remove_prefix(static_cast<size_t>(written));
    }
    // EINVAL: a file system that cannot sync, which is its user's choice.
    if (fsync(file.fd()) != 0 && errno != EINVAL) return OutputError(what, errno);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return OutputError(absl::StrCat("write the state file ", path), errno);
  }
  return SyncDirectory(DirectoryOf(path));
}

absl::Status RemoveStateFile(const std::string& path) {
  unlink(TemporaryPath(path).c_str());
  if (unlink(path.c_str()) == 0) return SyncDirectory(DirectoryOf(path));
  if (errno == ENOENT) return absl::OkStatus();
  return OutputError(absl::StrCat("remove the state file ", path), errno);
}

absl::Status CheckStateFile(const std::string& path) {
  struct stat info;
  const bool directory = stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  if (directory) return OutputError(absl::StrCat("write the state file ", path), EISDIR);
  const std::string temporary = TemporaryPath(path);
  const File file(CreatePrivate(temporary));
  if (file.fd() < 0) return OutputError(absl::StrCat("write the state file ", temporary), errno);
  unlink(temporary.c_str());
  return absl::OkStatus();
}

}  // namespace intercom_extractor

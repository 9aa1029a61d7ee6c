#include "clients/cli/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/output_file.h"

namespace intercom_extractor {
namespace {

std::string TemporaryPath(const std::string& path) { return absl::StrCat(path, ".tmp"); }

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

int Create(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  // One that a crash left behind may have had another mode.
  if (fd >= 0) fchmod(fd, 0600);
  return fd;
}

absl::Status WriteWhole(const std::string& path, absl::string_view what,
                        absl::string_view content) {
  const int fd = Create(path);
  if (fd < 0) return OutputError(what, errno);
  const auto closed = absl::MakeCleanup([fd] { close(fd); });
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return OutputError(what, errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
  // EINVAL: a file system that cannot sync, which is its user's choice.
  if (fsync(fd) != 0 && errno != EINVAL) return OutputError(what, errno);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReplacePrivateFile(absl::string_view what, const std::string& path,
                                absl::string_view content) {
  const std::string temporary = TemporaryPath(path);
  absl::Status written =
      WriteWhole(temporary, absl::StrCat("write ", what, " ", temporary), content);
  if (!written.ok()) return written;
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return OutputError(absl::StrCat("write ", what, " ", path), errno);
  }
  return SyncDirectory(DirectoryOf(path));
}

absl::Status RemovePrivateFile(absl::string_view what, const std::string& path) {
  unlink(TemporaryPath(path).c_str());
  if (unlink(path.c_str()) == 0) return SyncDirectory(DirectoryOf(path));
  if (errno == ENOENT) return absl::OkStatus();
  return OutputError(absl::StrCat("remove ", what, " ", path), errno);
}

absl::Status CheckPrivateFile(absl::string_view what, const std::string& path) {
  struct stat info;
  const bool directory = stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  if (directory) return OutputError(absl::StrCat("write ", what, " ", path), EISDIR);
  const std::string temporary = TemporaryPath(path);
  const int fd = Create(temporary);
  if (fd < 0) return OutputError(absl::StrCat("write ", what, " ", temporary), errno);
  close(fd);
  unlink(temporary.c_str());
  return absl::OkStatus();
}

}  // namespace intercom_extractor

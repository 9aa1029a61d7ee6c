#include "clients/cli/output_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace intercom_extractor {
namespace {

constexpr char kLockName[] = "lock";
// Between a file's name and the generation of its rows, once it is set aside.
constexpr char kAside[] = ".generation-";

constexpr const char* kExtensions[] = {".csv", ".jsonl", ".csv.gz", ".jsonl.gz"};

bool IsDirectory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string Join(const std::string& directory, const std::string& name) {
  return absl::StrCat(directory, absl::EndsWith(directory, "/") ? "" : "/", name);
}

// Creates `path` and the directories above it.
absl::Status MakeDirectories(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0777) != 0) {
      const int error = errno;
      if (!IsDirectory(part)) {
        return OutputError(absl::StrCat("create the output directory ", part),
                           error == EEXIST ? ENOTDIR : error);
      }
    }
    if (slash == std::string::npos) return absl::OkStatus();
  }
}

// Whether `name` can be a file that an earlier run left behind. Whatever else
// lies in `.partial` is not ours to remove.
bool IsOutputName(const std::string& entry) {
  const std::string name = entry.substr(0, entry.find(kAside));
  for (const char* extension : kExtensions) {
    if (absl::EndsWith(name, extension)) return true;
  }
  return absl::EndsWith(name, kKeyListExtension) || absl::EndsWith(name, kKeptExtension);
}

}  // namespace

bool HasFinishedFile(const std::string& directory, const std::string& stem) {
  for (const char* extension : kExtensions) {
    struct stat info;
    const std::string path = Join(directory, absl::StrCat(stem, extension));
    if (lstat(path.c_str(), &info) == 0) return true;
  }
  return false;
}

OutputDirectory::OutputDirectory(const std::string& path) : path_(path) {}

absl::StatusOr<std::unique_ptr<OutputDirectory>> OutputDirectory::Open(const std::string& path) {
  if (absl::Status status = MakeDirectories(path); !status.ok()) return status;
  std::unique_ptr<OutputDirectory> directory(new OutputDirectory(path));
  if (absl::Status status = directory->TakeLock(); !status.ok()) return status;
  return directory;
}

OutputDirectory::~OutputDirectory() {
  if (lock_fd_ < 0) return;
  // The lock file goes while it is still locked; TakeLock() of another run
  // notices that it waits for a file that is gone. rmdir fails, as it should,
  // while unfinished files are left.
  unlink(PartialPath(kLockName).c_str());
  rmdir(partial_path().c_str());
  close(lock_fd_);
}

std::string OutputDirectory::Below(const std::string& name) const { return Join(path_, name); }

std::string OutputDirectory::kept_path() const { return Below(".intercom-extract.ids"); }

std::string OutputDirectory::FinishedPath(const std::string& name) const {
  if (!absl::EndsWith(name, kKeptExtension)) return Below(name);
  return absl::StrCat(kept_path(), "/", absl::StripSuffix(name, kKeptExtension));
}

std::string OutputDirectory::partial_path() const { return Below(".partial"); }

std::string OutputDirectory::PartialPath(const std::string& name) const {
  return absl::StrCat(partial_path(), "/", name);
}

absl::Status OutputDirectory::TakeLock() {
  const std::string lock_path = PartialPath(kLockName);
  // Another run may remove the directory or the file between our steps, each
  // time at its end; so often that no run ends in a row.
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    if (mkdir(partial_path().c_str(), 0777) != 0 && errno != EEXIST) {
      return OutputError(absl::StrCat("create ", partial_path()), errno);
    }
    const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) {
      if (errno == ENOENT) continue;
      return OutputError(absl::StrCat("create ", lock_path), errno);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      close(fd);
      if (error == EWOULDBLOCK) {
        return absl::AbortedError(absl::StrCat("another run is writing to ", path_,
                                               "; wait for it or choose another --output"));
      }
      return OutputError(absl::StrCat("lock ", lock_path), error);
    }
    struct stat ours, there;
    if (fstat(fd, &ours) == 0 && stat(lock_path.c_str(), &there) == 0 &&
        ours.st_ino == there.st_ino && ours.st_dev == there.st_dev) {
      lock_fd_ = fd;
      return absl::OkStatus();
    }
    close(fd);  // Locked, but meanwhile removed: somebody else may hold a new one.
  }
  return absl::AbortedError(absl::StrCat("cannot lock ", lock_path, ": it keeps vanishing"));
}

absl::Status OutputDirectory::RemoveMatching(
    const std::function<bool(const std::string&)>& matches) {
  DIR* directory = opendir(partial_path().c_str());
  if (directory == nullptr) return OutputError(absl::StrCat("read ", partial_path()), errno);
  absl::Status status;
  while (const dirent* entry = readdir(directory)) {
    if (!matches(entry->d_name)) continue;
    const std::string file = PartialPath(entry->d_name);
    if (unlink(file.c_str()) != 0 && errno != ENOENT) {
      status = OutputError(absl::StrCat("remove the older ", file), errno);
      break;
    }
  }
  closedir(directory);
  return status;
}

absl::Status OutputDirectory::RemovePartialFiles() { return RemoveMatching(IsOutputName); }

absl::StatusOr<std::unique_ptr<OutputFile>> OutputDirectory::CreateFile(const std::string& name,
                                                                        bool gzip) {
  // Found now, it costs nothing; found at the end, it costs the whole run.
  if (IsDirectory(FinishedPath(name))) {
    return OutputError(absl::StrCat("write ", FinishedPath(name)), EISDIR);
  }
  return OutputFile::Create(PartialPath(name), gzip);
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputDirectory::ContinueFile(const std::string& name,
                                                                          bool gzip, int64_t length,
                                                                          uint32_t generation) {
  if (IsDirectory(FinishedPath(name))) {
    return OutputError(absl::StrCat("write ", FinishedPath(name)), EISDIR);
  }
  const std::string aside = AsidePath(name, generation);
  if (rename(aside.c_str(), PartialPath(name).c_str()) != 0 && errno != ENOENT) {
    return OutputError(absl::StrCat("move ", aside, " back"), errno);
  }
  if (absl::Status status = RemoveSetAside(name); !status.ok()) return status;
  return OutputFile::Continue(PartialPath(name), gzip, length);
}

absl::Status OutputDirectory::SetAside(const std::string& name, uint32_t generation) {
  if (rename(PartialPath(name).c_str(), AsidePath(name, generation).c_str()) != 0) {
    return OutputError(absl::StrCat("move ", PartialPath(name), " aside"), errno);
  }
  return absl::OkStatus();
}

absl::Status OutputDirectory::RemoveSetAside(const std::string& name) {
  const std::string prefix = absl::StrCat(name, kAside);
  return RemoveMatching(
      [&prefix](const std::string& entry) { return absl::StartsWith(entry, prefix); });
}

absl::Status OutputDirectory::RemoveWorkFiles() {
  return RemoveMatching([](const std::string& entry) {
    const std::string name = entry.substr(0, entry.find(kAside));
    return absl::EndsWith(name, kKeyListExtension) || absl::EndsWith(name, kKeptExtension) ||
           absl::StrContains(name, absl::StrCat(kDeletedSuffix, "."));
  });
}

absl::Status OutputDirectory::SyncPartial() { return SyncDirectory(partial_path()); }

std::string OutputDirectory::AsidePath(const std::string& name, uint32_t generation) const {
  return absl::StrCat(PartialPath(name), kAside, generation);
}

absl::Status OutputDirectory::Commit(const std::vector<std::string>& names, bool some_moved) {
  bool kept = false;
  for (const std::string& name : names) {
    if (absl::EndsWith(name, kKeptExtension) && !kept) {
      if (absl::Status status = MakeDirectories(kept_path()); !status.ok()) return status;
      kept = true;
    }
    if (rename(PartialPath(name).c_str(), FinishedPath(name).c_str()) != 0) {
      if (errno == ENOENT && some_moved) continue;
      return OutputError(absl::StrCat("move ", PartialPath(name), " to ", FinishedPath(name)),
                         errno);
    }
  }
  if (kept) {
    if (absl::Status status = SyncDirectory(kept_path()); !status.ok()) return status;
  }
  return SyncDirectory(path_);
}

}  // namespace intercom_extractor

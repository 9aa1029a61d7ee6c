#ifndef CLIENTS_CLI_OUTPUT_DIRECTORY_H_
#define CLIENTS_CLI_OUTPUT_DIRECTORY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/cli/output_file.h"

namespace intercom_extractor {

// A directory of finished files. Files are written in its subdirectory
// `.partial` and moved into place when they are whole, so that a reader never
// sees a torn file and an older file stays until a newer one is whole.
//
// Holds the directory's lock for its lifetime: one run at a time. For one thread.
class OutputDirectory {
 public:
  // Creates the directory where it is missing, takes the lock and throws away
  // what a crashed run left in `.partial`. kAborted: another run holds the lock.
  // Other errors as in OutputError().
  static absl::StatusOr<std::unique_ptr<OutputDirectory>> Open(const std::string& path);

  // Releases the lock. Removes `.partial` when nothing is left in it.
  ~OutputDirectory();
  OutputDirectory(const OutputDirectory&) = delete;
  OutputDirectory& operator=(const OutputDirectory&) = delete;

  // Begins the file `.partial/<name>`. kFailedPrecondition: a directory stands
  // where the finished file is to go.
  absl::StatusOr<std::unique_ptr<OutputFile>> CreateFile(const std::string& name, bool gzip);

  // Moves closed files into place, over older ones, and makes that durable.
  absl::Status Commit(const std::vector<std::string>& names);

  // Where a finished and an unfinished file are.
  std::string FinishedPath(const std::string& name) const;
  std::string PartialPath(const std::string& name) const;

  const std::string& path() const { return path_; }

  // The directory of unfinished files.
  std::string partial_path() const;

 private:
  explicit OutputDirectory(const std::string& path);

  absl::Status TakeLock();
  absl::Status RemoveStaleFiles();

  const std::string path_;
  int lock_fd_ = -1;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_OUTPUT_DIRECTORY_H_

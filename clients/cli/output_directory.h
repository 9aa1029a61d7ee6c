#ifndef CLIENTS_CLI_OUTPUT_DIRECTORY_H_
#define CLIENTS_CLI_OUTPUT_DIRECTORY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/cli/output_file.h"

namespace intercom_extractor {

// Between a table's name and the extension of the file of an incremental run.
inline constexpr char kDeltaSuffix[] = ".delta";

// Between a table's name and the extension of the file that says which records are
// gone.
inline constexpr char kDeletedSuffix[] = ".deleted";
// Extension of an unfinished file that lists the keys of a run's records.
inline constexpr char kKeyListExtension[] = ".keys";
// Extension of an unfinished file that is to be kept for later runs: its finished
// name is the same without it, in a subdirectory of its own.
inline constexpr char kKeptExtension[] = ".ids";

// Whether a finished file in a directory has this name before its extension, of any
// format: "users.delta".
bool HasFinishedFile(const std::string& directory, const std::string& stem);

// A directory of finished files. Files are written in its subdirectory
// `.partial` and moved into place when they are whole, so that a reader never
// sees a torn file and an older file stays until a newer one is whole.
//
// Holds the directory's lock for its lifetime: one run at a time. For one thread.
class OutputDirectory {
 public:
  // Creates the directory where it is missing and takes the lock. What an earlier
  // run left in `.partial` stays. kAborted: another run holds the lock. Other
  // errors as in OutputError().
  static absl::StatusOr<std::unique_ptr<OutputDirectory>> Open(const std::string& path);

  // Releases the lock. Removes `.partial` when nothing is left in it.
  ~OutputDirectory();
  OutputDirectory(const OutputDirectory&) = delete;
  OutputDirectory& operator=(const OutputDirectory&) = delete;

  // Throws away the unfinished files of earlier runs.
  absl::Status RemovePartialFiles();

  // Begins the file `.partial/<name>`. kFailedPrecondition: a directory stands
  // where the finished file is to go.
  absl::StatusOr<std::unique_ptr<OutputFile>> CreateFile(const std::string& name, bool gzip);

  // Continues the file `.partial/<name>` that an earlier run, or this one, left
  // behind, after its first `length` bytes. `generation` is that of the rows in
  // them: a file that SetAside() kept of it is the one. Others are removed.
  // kDataLoss: the bytes are not there.
  absl::StatusOr<std::unique_ptr<OutputFile>> ContinueFile(const std::string& name, bool gzip,
                                                           int64_t length, uint32_t generation);

  // Puts the unfinished file of a table that begins anew out of the way: the last
  // saved state is of its rows. Whoever holds it open may go on writing to it.
  absl::Status SetAside(const std::string& name, uint32_t generation);

  // Removes what SetAside() kept of that name.
  absl::Status RemoveSetAside(const std::string& name);

  // Removes what is not the rows of a table: of use to a run that goes on alone.
  absl::Status RemoveWorkFiles();

  // Makes durable which unfinished files there are.
  absl::Status SyncPartial();

  // Moves closed files into place, over older ones, and makes that durable. Those
  // that are not in `.partial` are passed over when `some_moved` says that an
  // earlier run may have moved them.
  absl::Status Commit(const std::vector<std::string>& names, bool some_moved = false);

  // Where a finished and an unfinished file are.
  // Files that are kept for later runs are in `.intercom-extract.ids`.
  std::string FinishedPath(const std::string& name) const;
  std::string PartialPath(const std::string& name) const;

  const std::string& path() const { return path_; }

  // The directory of unfinished files.
  std::string partial_path() const;

 private:
  explicit OutputDirectory(const std::string& path);

  absl::Status TakeLock();
  std::string Below(const std::string& name) const;
  std::string kept_path() const;
  std::string AsidePath(const std::string& name, uint32_t generation) const;

  // Removes the entries of `.partial` that `matches` says.
  absl::Status RemoveMatching(const std::function<bool(const std::string&)>& matches);

  const std::string path_;
  int lock_fd_ = -1;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_OUTPUT_DIRECTORY_H_

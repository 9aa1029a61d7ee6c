#ifndef CLIENTS_CLI_RESTARTABLE_FILE_H_
#define CLIENTS_CLI_RESTARTABLE_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/output_file.h"

namespace intercom_extractor {

// An unfinished file of one table, which a state may name: whoever continues from
// that state finds it as it was then, also if the table has begun anew meanwhile.
//
// For one thread. Errors are those of OutputDirectory and OutputFile.
class RestartableFile {
 public:
  // A file of that name; open it with Create() or OpenAt(). `directory` must outlive
  // the object.
  RestartableFile(OutputDirectory* directory, std::string name, bool gzip)
      : directory_(directory), name_(std::move(name)), gzip_(gzip) {}

  // An open descriptor, which no state names; only file() is of use.
  explicit RestartableFile(std::unique_ptr<OutputFile> file)
      : directory_(nullptr), gzip_(false), file_(std::move(file)) {}

  absl::Status Create();

  // Opens it as the saved state has it: so many bytes of that generation. What was
  // written since is gone.
  absl::Status OpenAt(int64_t bytes, uint32_t generation);

  // The table begins anew: empties the file, or keeps it for the saved state and
  // begins another.
  absl::Status Restart(uint32_t generation);

  // Makes durable what was written out; adds to `names_changed` whether the names in
  // the directory are to be made durable, too.
  absl::Status Sync(bool* names_changed);

  // The state that is saved now names the file as it is.
  absl::Status OnSaved();

  // Removes what was kept for a state that nobody continues any more.
  absl::Status Forget();

  // Null before it is open and once it was dropped.
  OutputFile* file() const { return file_.get(); }
  void Drop() { file_.reset(); }

  const std::string& name() const { return name_; }
  uint32_t generation() const { return generation_; }

 private:
  OutputDirectory* const directory_;
  const std::string name_;
  const bool gzip_;
  std::unique_ptr<OutputFile> file_;
  uint32_t generation_ = 1;
  bool saved_ = false;         // The saved state is of this file, not of one set aside.
  bool set_aside_ = false;     // The saved state is of a file that was set aside.
  bool names_synced_ = false;  // Whether the directory's names are as on disk.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_RESTARTABLE_FILE_H_

#ifndef CLIENTS_CLI_ALIVE_FILE_H_
#define CLIENTS_CLI_ALIVE_FILE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace intercom_extractor {

// A file whose time of change says that somebody still works, for those who look after
// processes and have no other way to ask. For one thread.
class AliveFile {
 public:
  // How old it becomes at most while Touch() is called often.
  static constexpr absl::Duration kInterval = absl::Seconds(5);

  // Empty: no file; all calls do nothing.
  explicit AliveFile(std::string path) : path_(std::move(path)) {}
  // Removes it.
  ~AliveFile();
  AliveFile(const AliveFile&) = delete;
  AliveFile& operator=(const AliveFile&) = delete;

  // Makes it, or makes one that is there young. kFailedPrecondition where that fails.
  absl::Status Make(absl::Time now);

  // Makes it young again, unless that was done within the interval. An error shows in its
  // age alone.
  void Touch(absl::Time now);

 private:
  absl::Status Renew(absl::Time now);

  const std::string path_;
  absl::Time renewed_ = absl::InfinitePast();
  bool made_ = false;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_ALIVE_FILE_H_

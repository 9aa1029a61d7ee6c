#ifndef SERVER_PROCESS_STATS_H_
#define SERVER_PROCESS_STATS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace intercom_extractor {

// What the system says of this process, from /proc; 0 what it does not say.
struct ProcessStats {
  absl::Duration cpu;  // User and system.
  int64_t resident_bytes = 0;
  int64_t virtual_bytes = 0;
  int64_t open_fds = 0;
  int64_t max_fds = 0;
  absl::Time started_at = absl::UnixEpoch();
};

ProcessStats ReadProcessStats();

}  // namespace intercom_extractor

#endif  // SERVER_PROCESS_STATS_H_

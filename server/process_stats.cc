#include "server/process_stats.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {
namespace {

std::string FirstLine(const char* file) {
  std::string line;
  std::ifstream in(file);
  std::getline(in, line);
  return line;
}

// The fields of /proc/self/stat after the program's name, which may hold anything.
std::vector<std::string> StatFields() {
  const std::string line = FirstLine("/proc/self/stat");
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  return absl::StrSplit(line.substr(name_end + 1), ' ', absl::SkipEmpty());
}

// Of field `number` as proc(5) counts, of which the third is our first.
int64_t Field(const std::vector<std::string>& fields, size_t number) {
  int64_t value = 0;
  if (number - 3 >= fields.size() || !absl::SimpleAtoi(fields[number - 3], &value)) return 0;
  return value;
}

absl::Time BootTime() {
  std::ifstream in("/proc/stat");
  std::string line;
  while (std::getline(in, line)) {
    int64_t seconds = 0;
    if (absl::StartsWith(line, "btime ") && absl::SimpleAtoi(line.substr(6), &seconds)) {
      return absl::FromUnixSeconds(seconds);
    }
  }
  return absl::UnixEpoch();
}

int64_t CountOpenFds() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  int64_t count = 0;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(directory);
  // One was the directory's own.
  return count - 1;
}

}  // namespace

ProcessStats ReadProcessStats() {
  ProcessStats stats;
  const std::vector<std::string> fields = StatFields();
  const absl::Duration tick = absl::Seconds(1) / sysconf(_SC_CLK_TCK);
  stats.cpu = (Field(fields, 14) + Field(fields, 15)) * tick;
  stats.started_at = BootTime() + Field(fields, 22) * tick;
  stats.virtual_bytes = Field(fields, 23);
  stats.resident_bytes = Field(fields, 24) * sysconf(_SC_PAGESIZE);
  stats.open_fds = CountOpenFds();
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = static_cast<int64_t>(limit.rlim_cur);
  return stats;
}

}  // namespace intercom_extractor

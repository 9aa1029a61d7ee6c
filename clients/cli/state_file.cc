#include "clients/cli/state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/output_file.h"
#include "clients/cli/private_file.h"

namespace intercom_extractor {
namespace {

// A token has at most 64 KiB and there are 22 tables. What is larger is not ours.
constexpr size_t kMaxBytes = size_t{1} << 20;

constexpr char kWhat[] = "the state file";

}  // namespace

std::string DefaultStatePath(const std::string& output) {
  return absl::StrCat(output, absl::EndsWith(output, "/") ? "" : "/", ".intercom-extract.state");
}

absl::StatusOr<RunState> ReadStateFile(const std::string& path) {
  const std::string what = absl::StrCat("read ", kWhat, " ", path);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return OutputError(what, errno);
  const auto closed = absl::MakeCleanup([fd] { close(fd); });
  std::string text;
  std::array<char, 65536> piece;
  while (text.size() <= kMaxBytes) {
    const ssize_t got = read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return OutputError(what, errno);
    if (got == 0) break;
    text.append(piece.data(), static_cast<size_t>(got));
  }
  auto state = ParseRunState(text);
  if (state.ok()) return state;
  return absl::Status(state.status().code(),
                      absl::StrCat(kWhat, " ", path, " ", state.status().message()));
}

absl::Status WriteStateFile(const std::string& path, const RunState& state) {
  return ReplacePrivateFile(kWhat, path, FormatRunState(state));
}

absl::Status RemoveStateFile(const std::string& path) { return RemovePrivateFile(kWhat, path); }

absl::Status CheckStateFile(const std::string& path) { return CheckPrivateFile(kWhat, path); }

}  // namespace intercom_extractor

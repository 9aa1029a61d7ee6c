#include "clients/sinks/incremental_since.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"

namespace intercom_extractor {

absl::StatusOr<absl::Time> SinceLastRun(
    const sinks::SinkPosition& position, const std::vector<std::string>& tables,
    absl::Duration overlap, const std::function<v1::ExtractRequest(absl::Time)>& request) {
  // An unfinished run goes on with the time that it began with.
  v1::ExtractRequest stored;
  if (!position.complete() && stored.ParseFromString(position.request()) &&
      stored.has_updated_since()) {
    const absl::Time since = absl::FromUnixSeconds(stored.updated_since().seconds());
    if (stored.SerializeAsString() == request(since).SerializeAsString()) return since;
  }
  std::optional<int64_t> earliest;
  for (const std::string& table : tables) {
    const auto read = position.read_at().find(table);
    if (read == position.read_at().end()) return absl::NotFoundError(table);
    earliest = std::min(earliest.value_or(read->second), read->second);
  }
  return absl::FromUnixSeconds(*earliest - absl::ToInt64Seconds(overlap));
}

}  // namespace intercom_extractor

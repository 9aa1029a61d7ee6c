#ifndef CLIENTS_SINKS_INCREMENTAL_SINCE_H_
#define CLIENTS_SINKS_INCREMENTAL_SINCE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {

// Since when a run is to read that reads what changed since the last one, where the sink is
// at `position`: `overlap` before the earliest of the last complete reads of `tables`, or,
// where `request` with the time of an unfinished run is that run, since then. kNotFound: a
// table has never been read to its end; the message is its name.
absl::StatusOr<absl::Time> SinceLastRun(
    const sinks::SinkPosition& position, const std::vector<std::string>& tables,
    absl::Duration overlap, const std::function<v1::ExtractRequest(absl::Time)>& request);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_INCREMENTAL_SINCE_H_

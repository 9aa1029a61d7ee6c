#ifndef SERVER_STATUS_JSON_H_
#define SERVER_STATUS_JSON_H_

#include <string>

#include "absl/time/time.h"
#include "server/connections.h"
#include "server/running_extractions.h"
#include "server/status_history.h"

namespace intercom_extractor {

// What the status page is made of, at the moment it is asked for.
struct StatusSources {
  const RunningExtractions* extractions = nullptr;
  ConnectionSet connections;
  const StatusHistory* history = nullptr;
  absl::Time started_at;
  bool ready = false;
};

// The status page's /status.json: what runs, what has ended, and each connection's quota
// and last minutes. Names, numbers and codes; no token, no content, no ids of records.
std::string StatusJson(const StatusSources& sources);

}  // namespace intercom_extractor

#endif  // SERVER_STATUS_JSON_H_

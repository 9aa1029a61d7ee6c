#ifndef SERVER_METRICS_TEXT_H_
#define SERVER_METRICS_TEXT_H_

#include <string>

#include "server/call_counts.h"
#include "server/connections.h"
#include "server/running_extractions.h"

namespace intercom_extractor {

// What metrics are made of, at the moment they are asked for.
struct MetricSources {
  const RunningExtractions* extractions = nullptr;
  const CallCounts* calls = nullptr;
  ConnectionSet connections;
  bool ready = false;
};

// All of MetricList() with their present values, in Prometheus' text format.
std::string MetricsText(const MetricSources& sources);

}  // namespace intercom_extractor

#endif  // SERVER_METRICS_TEXT_H_

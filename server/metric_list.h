#ifndef SERVER_METRIC_LIST_H_
#define SERVER_METRIC_LIST_H_

#include <string>
#include <vector>

#include "prometheus/metric_type.h"

namespace intercom_extractor {

// Every metric of the server. The one place of their names, units and labels; docs/metrics.md
// is made from it.
enum class Metric {
  kBuildInfo,
  kReady,
  kExtractionsRunning,
  kExtractions,
  kRows,
  kRowBytes,
  kNotices,
  kTruncatedConversations,
  kTimeSpent,
  kCheckpoints,
  kCheckpointAge,
  kBufferedBytes,
  kRequests,
  kRequestDuration,
  kRetries,
  kReceivedBytes,
  kRequestsInFlight,
  kRequestsQueued,
  kRequestsPausing,
  kQuotaLimit,
  kQuotaUsable,
  kQuotaRemaining,
  kQuotaWindow,
  kQuotaWait,
  kCalls,
  kCallsRunning,
  kProcessCpu,
  kProcessResidentMemory,
  kProcessVirtualMemory,
  kProcessOpenFds,
  kProcessMaxFds,
  kProcessStartTime,
};

struct MetricInfo {
  Metric metric;
  std::string name;
  prometheus::MetricType type;
  // One sentence.
  std::string help;
  // All of them bounded: by the configuration, the tables, or what Intercom's API and gRPC
  // have. What a caller writes is in none.
  std::vector<std::string> labels;
};

// In the order of `Metric`.
const std::vector<MetricInfo>& MetricList();
const MetricInfo& InfoOf(Metric metric);

// The text of docs/metrics.md.
std::string MetricsDocument();

}  // namespace intercom_extractor

#endif  // SERVER_METRIC_LIST_H_

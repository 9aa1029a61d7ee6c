#include "server/metric_list.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace intercom_extractor {
namespace {

using prometheus::MetricType;

const char* TypeName(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    default:
      return "untyped";
  }
}

constexpr char kIntroduction[] = R"(# Metrics

What `GET /metrics` of the server gives ([watching.md](watching.md) says how to switch it on), in Prometheus' text format.
Made from [server/metric_list.cc](../server/metric_list.cc) by `bazel run //server:metrics_document`; a test compares the two.

Counters begin at 0 with the process. Those of extractions are read from the extractions themselves, at most a second old; nothing is
counted per row. Labels are bounded: by the connections of the configuration, the 22 tables, Intercom's operations, and codes.

| Label | Values |
| --- | --- |
| `cause` | `quota`, `intercom` (its answers, pauses before requests are tried again, another company scroll), `consumer` (the reader of the stream), `cpu` |
| `code` | of gRPC calls and extractions the name of a gRPC code, `OK`; of requests to Intercom the HTTP status, `none` where no answer came |
| `connection` | the name in the configuration |
| `endpoint` | the operation as a template, `GET /contacts/{id}/notes` |
| `method` | `intercom.extractor.v1.ExtractorService/Extract` |
| `reason` | the code of the notice, `PARTS_TRUNCATED`; [extractor_service.proto](../proto/intercom/extractor/v1/extractor_service.proto) has all |
| `table` | one of the 22 tables; empty for a notice that concerns none |

| Metric | Type | Labels | What it says |
| --- | --- | --- | --- |
)";

}  // namespace

const std::vector<MetricInfo>& MetricList() {
  const MetricType counter = MetricType::Counter;
  const MetricType gauge = MetricType::Gauge;
  static const std::vector<MetricInfo>& list = *new std::vector<MetricInfo>{
      {Metric::kBuildInfo, "intercom_extractor_build_info", gauge, "Always 1.", {"version"}},
      {Metric::kReady,
       "intercom_extractor_ready",
       gauge,
       "1 while the server takes calls, 0 once it is stopping.",
       {}},

      {Metric::kExtractionsRunning,
       "intercom_extractor_extractions_running",
       gauge,
       "Calls of Extract that run now.",
       {"connection"}},
      {Metric::kExtractions,
       "intercom_extractor_extractions_total",
       counter,
       "Calls of Extract that have ended, by their code.",
       {"connection", "code"}},
      {Metric::kRows,
       "intercom_extractor_rows_total",
       counter,
       "Rows streamed, also those that were void later because their table began anew.",
       {"connection", "table"}},
      {Metric::kRowBytes,
       "intercom_extractor_row_bytes_total",
       counter,
       "Bytes of these rows, as protobuf.",
       {"connection", "table"}},
      {Metric::kNotices,
       "intercom_extractor_notices_total",
       counter,
       "Notices, streamed or not.",
       {"connection", "table", "reason"}},
      {Metric::kTruncatedConversations,
       "intercom_extractor_truncated_conversations_total",
       counter,
       "Conversations with more than the 500 parts that Intercom gives.",
       {"connection"}},
      {Metric::kTimeSpent,
       "intercom_extractor_time_seconds_total",
       counter,
       "What the time of extractions was spent on; the causes add up to it.",
       {"connection", "cause"}},
      {Metric::kCheckpoints,
       "intercom_extractor_checkpoints_total",
       counter,
       "Checkpoints streamed.",
       {"connection"}},
      {Metric::kCheckpointAge,
       "intercom_extractor_checkpoint_age_seconds",
       gauge,
       "Since the last checkpoint, or the begin, of the running extraction where that is longest.",
       {"connection"}},
      {Metric::kBufferedBytes,
       "intercom_extractor_buffered_bytes",
       gauge,
       "Memory of events that wait for their readers.",
       {"connection"}},

      {Metric::kRequests,
       "intercom_extractor_intercom_requests_total",
       counter,
       "Requests to Intercom that have ended, tries included.",
       {"connection", "endpoint", "code"}},
      {Metric::kRequestDuration,
       "intercom_extractor_intercom_request_duration_seconds",
       MetricType::Histogram,
       "How long these took.",
       {"connection", "endpoint"}},
      {Metric::kRetries,
       "intercom_extractor_intercom_retries_total",
       counter,
       "Of these, those that were sent again after a failure.",
       {"connection", "endpoint"}},
      {Metric::kReceivedBytes,
       "intercom_extractor_intercom_received_bytes_total",
       counter,
       "Bytes of Intercom's answers after decompression.",
       {"connection"}},
      {Metric::kRequestsInFlight,
       "intercom_extractor_intercom_requests_in_flight",
       gauge,
       "Requests on the way to Intercom or back.",
       {"connection"}},
      {Metric::kRequestsQueued,
       "intercom_extractor_intercom_requests_queued",
       gauge,
       "Requests that wait for their turn.",
       {"connection"}},
      {Metric::kRequestsPausing,
       "intercom_extractor_intercom_requests_pausing",
       gauge,
       "Requests that wait to be tried again.",
       {"connection"}},

      {Metric::kQuotaLimit,
       "intercom_extractor_quota_limit_requests",
       gauge,
       "Requests that Intercom allows in a window, as it last said.",
       {"connection"}},
      {Metric::kQuotaUsable,
       "intercom_extractor_quota_usable_requests",
       gauge,
       "Of the limit, what the reserve for other apps leaves.",
       {"connection"}},
      {Metric::kQuotaRemaining,
       "intercom_extractor_quota_remaining_requests",
       gauge,
       "Requests left in the window, as Intercom last said.",
       {"connection"}},
      {Metric::kQuotaWindow,
       "intercom_extractor_quota_window_seconds",
       gauge,
       "How long a window is.",
       {"connection"}},
      {Metric::kQuotaWait,
       "intercom_extractor_quota_wait_seconds_total",
       counter,
       "For how long the quota has kept any request waiting.",
       {"connection"}},

      {Metric::kCalls,
       "intercom_extractor_grpc_calls_total",
       counter,
       "gRPC calls that have ended.",
       {"method", "code"}},
      {Metric::kCallsRunning,
       "intercom_extractor_grpc_calls_running",
       gauge,
       "gRPC calls that run now.",
       {"method"}},

      {Metric::kProcessCpu,
       "process_cpu_seconds_total",
       counter,
       "Processor time of the process, user and system.",
       {}},
      {Metric::kProcessResidentMemory,
       "process_resident_memory_bytes",
       gauge,
       "Memory of the process that is in RAM.",
       {}},
      {Metric::kProcessVirtualMemory,
       "process_virtual_memory_bytes",
       gauge,
       "Address space of the process.",
       {}},
      {Metric::kProcessOpenFds, "process_open_fds", gauge, "Open file descriptors.", {}},
      {Metric::kProcessMaxFds,
       "process_max_fds",
       gauge,
       "File descriptors that the process may open.",
       {}},
      {Metric::kProcessStartTime,
       "process_start_time_seconds",
       gauge,
       "When the process began, in Unix seconds.",
       {}},
  };
  return list;
}

const MetricInfo& InfoOf(Metric metric) { return MetricList()[static_cast<size_t>(metric)]; }

std::string MetricsDocument() {
  std::string text = kIntroduction;
  for (const MetricInfo& info : MetricList()) {
    absl::StrAppend(&text, "| `", info.name, "` | ", TypeName(info.type), " | ",
                    absl::StrJoin(info.labels, ", ",
                                  [](std::string* out, const std::string& label) {
                                    absl::StrAppend(out, "`", label, "`");
                                  }),
                    info.labels.empty() ? "" : " ", "| ", info.help, " |\n");
  }
  return text;
}

}  // namespace intercom_extractor

#include "server/metrics_text.h"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/intercom/traffic.h"
#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "release/build_info.h"
#include "server/metric_list.h"
#include "server/process_stats.h"

namespace intercom_extractor {
namespace {

using prometheus::ClientMetric;

// The families of MetricList(), filled value by value.
class Families {
 public:
  Families() {
    families_.reserve(MetricList().size());
    for (const MetricInfo& info : MetricList()) {
      prometheus::MetricFamily family;
      family.name = info.name;
      family.help = info.help;
      family.type = info.type;
      families_.push_back(std::move(family));
    }
  }

  // `labels` in the list's order. Numbers are exact up to 2^53.
  template <typename Number>
  void Set(Metric metric, std::initializer_list<std::string> labels, Number value) {
    ClientMetric entry = WithLabels(metric, labels);
    if (InfoOf(metric).type == prometheus::MetricType::Counter) {
      entry.counter.value = static_cast<double>(value);
    } else {
      entry.gauge.value = static_cast<double>(value);
    }
    families_[static_cast<size_t>(metric)].metric.push_back(std::move(entry));
  }
  void Set(Metric metric, std::initializer_list<std::string> labels, absl::Duration value) {
    Set(metric, labels, absl::ToDoubleSeconds(value));
  }
  void Set(Metric metric, std::initializer_list<std::string> labels,
           const LatencyHistogram& latency) {
    ClientMetric entry = WithLabels(metric, labels);
    uint64_t cumulative = 0;
    for (size_t i = 0; i < latency.counts().size(); ++i) {
      cumulative += static_cast<uint64_t>(latency.counts()[i]);
      const double bound = i < LatencyHistogram::kBounds.size()
                               ? LatencyHistogram::kBounds[i]
                               : std::numeric_limits<double>::infinity();
      entry.histogram.bucket.push_back({cumulative, bound});
    }
    entry.histogram.sample_count = cumulative;
    entry.histogram.sample_sum = latency.sum_seconds();
    families_[static_cast<size_t>(metric)].metric.push_back(std::move(entry));
  }

  std::string Text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  static ClientMetric WithLabels(Metric metric, std::initializer_list<std::string> labels) {
    ClientMetric entry;
    const std::vector<std::string>& names = InfoOf(metric).labels;
    size_t i = 0;
    for (const std::string& label : labels) entry.label.push_back({names.at(i++), label});
    return entry;
  }

  std::vector<prometheus::MetricFamily> families_;
};

void AddExtractions(const std::string& connection, const ConnectionTotals& totals,
                    Families* families) {
  families->Set(Metric::kExtractionsRunning, {connection}, totals.running);
  for (const auto& [code, count] : totals.ended) {
    families->Set(Metric::kExtractions, {connection, absl::StatusCodeToString(code)}, count);
  }
  for (const auto& [table, streamed] : totals.streamed) {
    families->Set(Metric::kRows, {connection, table}, streamed.rows);
    families->Set(Metric::kRowBytes, {connection, table}, streamed.bytes);
  }
  int64_t truncated = 0;
  for (const auto& [key, count] : totals.notices) {
    const auto& [table, code] = key;
    families->Set(Metric::kNotices,
                  {connection, table,
                   std::string(absl::StripPrefix(v1::NoticeCode_Name(code), "NOTICE_CODE_"))},
                  count);
    if (code == v1::NOTICE_CODE_PARTS_TRUNCATED) truncated += count;
  }
  families->Set(Metric::kTruncatedConversations, {connection}, truncated);
  families->Set(Metric::kTimeSpent, {connection, "quota"}, totals.spent.quota);
  families->Set(Metric::kTimeSpent, {connection, "intercom"}, totals.spent.intercom);
  families->Set(Metric::kTimeSpent, {connection, "consumer"}, totals.spent.consumer);
  families->Set(Metric::kTimeSpent, {connection, "cpu"}, totals.spent.cpu);
  families->Set(Metric::kCheckpoints, {connection}, totals.checkpoints);
  families->Set(Metric::kCheckpointAge, {connection}, totals.checkpoint_age);
  families->Set(Metric::kBufferedBytes, {connection}, totals.buffered_bytes);
}

void AddClient(const IntercomClient& client, Families* families) {
  const std::string& connection = client.connection().name;
  for (const auto& [endpoint, traffic] : client.Endpoints()) {
    for (const auto& [http_status, count] : traffic.answers) {
      families->Set(Metric::kRequests,
                    {connection, endpoint, http_status == 0 ? "none" : absl::StrCat(http_status)},
                    count);
    }
    families->Set(Metric::kRequestDuration, {connection, endpoint}, traffic.latency);
    families->Set(Metric::kRetries, {connection, endpoint}, traffic.retries);
  }
  const RequestCounters totals = client.Totals();
  families->Set(Metric::kReceivedBytes, {connection}, totals.bytes_received);
  families->Set(Metric::kRequestsInFlight, {connection}, totals.in_flight);
  families->Set(Metric::kRequestsQueued, {connection}, totals.queued);
  families->Set(Metric::kRequestsPausing, {connection}, totals.waiting_for_retry);
  families->Set(Metric::kQuotaWait, {connection}, totals.held_by_quota_for);
  if (const auto quota = client.Quota()) {
    families->Set(Metric::kQuotaLimit, {connection}, quota->limit);
    families->Set(Metric::kQuotaUsable, {connection}, quota->usable);
    families->Set(Metric::kQuotaRemaining, {connection}, quota->remaining);
    families->Set(Metric::kQuotaWindow, {connection}, quota->window);
  }
}

void AddProcess(Families* families) {
  const ProcessStats stats = ReadProcessStats();
  families->Set(Metric::kProcessCpu, {}, stats.cpu);
  families->Set(Metric::kProcessResidentMemory, {}, stats.resident_bytes);
  families->Set(Metric::kProcessVirtualMemory, {}, stats.virtual_bytes);
  families->Set(Metric::kProcessOpenFds, {}, stats.open_fds);
  families->Set(Metric::kProcessMaxFds, {}, stats.max_fds);
  families->Set(Metric::kProcessStartTime, {}, stats.started_at - absl::UnixEpoch());
}

}  // namespace

std::string MetricsText(const MetricSources& sources) {
  Families families;
  families.Set(Metric::kBuildInfo, {std::string(Version())}, 1);
  families.Set(Metric::kReady, {}, sources.ready ? 1 : 0);
  std::map<std::string, ConnectionTotals> extractions = sources.extractions->Totals();
  for (const auto& [name, client] : sources.connections) {
    AddClient(*client, &families);
    // From the start on: an alert cannot tell what is absent from what is broken.
    extractions.try_emplace(name);
  }
  for (const auto& [connection, totals] : extractions) {
    AddExtractions(connection, totals, &families);
  }
  for (const auto& [method, counts] : sources.calls->Get()) {
    families.Set(Metric::kCallsRunning, {method}, counts.running);
    for (const auto& [code, count] : counts.ended) {
      families.Set(Metric::kCalls, {method, CodeName(code)}, count);
    }
  }
  AddProcess(&families);
  return families.Text();
}

}  // namespace intercom_extractor

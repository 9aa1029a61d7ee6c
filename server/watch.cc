#include "server/watch.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "extractor/intercom/intercom_client.h"
#include "server/listen_address.h"
#include "server/metrics_text.h"
#include "server/status_json.h"

namespace intercom_extractor {

Watch::Watch(const Gate* gate, const Clock* clock)
    : gate_(gate),
      clock_(clock),
      started_at_(clock->Now()),
      extractions_(clock, [bits = std::make_unique<absl::BitGen>()] {
        return absl::Uniform<uint64_t>(*bits);
      }) {}

Watch::~Watch() {
  http_.reset();
  {
    MutexLock lock(&mu_);
    closing_ = true;
    changed_.SignalAll();
  }
  if (historian_.joinable()) historian_.join();
}

absl::Status Watch::Serve(const ServerConfig& config) {
  if (config.metrics_listen.empty()) return absl::OkStatus();
  const auto failed = [](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("metrics.listen: ", status.message()));
  };
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(config.metrics_listen);
  if (!address.ok()) return failed(address.status());
  if (!address->is_local && !config.metrics_allow_plaintext) {
    return failed(absl::InvalidArgumentError(absl::StrCat(
        "\"", config.metrics_listen,
        "\" can be reached from other machines, and this port has neither TLS nor tokens; listen "
        "on 127.0.0.1:PORT, or set metrics.allow_plaintext: true where a firewall or a proxy "
        "guards it")));
  }
  WatchHttp::Content content;
  content.metrics = [this] {
    return MetricsText({&extractions_, &calls_, gate_->connections(), ready_});
  };
  content.status_json = [this] {
    return StatusJson({&extractions_, gate_->connections(), &history_, started_at_, ready_});
  };
  content.ready = [this] { return ready_.load(); };
  absl::StatusOr<std::unique_ptr<WatchHttp>> http = WatchHttp::Start(*address, std::move(content));
  if (!http.ok()) return failed(http.status());
  http_ = *std::move(http);
  historian_ = std::thread([this] { KeepHistory(); });
  return absl::OkStatus();
}

void Watch::KeepHistory() {
  const int64_t looks_per_sample = StatusHistory::kInterval / StatusHistory::kLook;
  MutexLock lock(&mu_);
  absl::Time next = clock_->Now();
  int64_t looks = 0;
  while (!closing_) {
    const absl::Duration wait = next - clock_->Now();
    if (wait > absl::ZeroDuration()) {
      changed_.WaitWithTimeout(&mu_, wait);
      continue;
    }
    LookAtQuotas();
    if (looks++ % looks_per_sample == 0) TakeSample();
    next += StatusHistory::kLook;
  }
}

void Watch::LookAtQuotas() {
  for (const auto& [name, client] : gate_->connections()) {
    std::optional<int64_t> used;
    if (const auto quota = client->Quota()) used = quota->limit - quota->remaining;
    quota_uses_[name].Look(clock_->Now(), client->Totals().sent, used);
  }
}

void Watch::TakeSample() {
  StatusHistory::Readings readings;
  const std::map<std::string, ConnectionTotals> totals = extractions_.Totals();
  for (const auto& [name, client] : gate_->connections()) {
    StatusHistory::Reading& reading = readings[name];
    reading.quota_used = quota_uses_[name].TakePeak();
    if (const auto quota = client->Quota()) {
      reading.quota_limit = quota->limit;
      reading.quota_window = quota->window;
    }
    const auto found = totals.find(name);
    if (found != totals.end()) reading.spent = found->second.spent;
  }
  history_.Add(clock_->Now(), std::move(readings));
}

}  // namespace intercom_extractor

#include "server/status_history.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace intercom_extractor {
namespace {

// Of a plot of some hundred pixels nobody sees more.
double Round(double value) { return std::round(value * 1000) / 1000; }

SpentTime Since(const SpentTime& now, const SpentTime& before) {
  return {now.quota - before.quota, now.intercom - before.intercom, now.consumer - before.consumer,
          now.cpu - before.cpu};
}

}  // namespace

void QuotaUse::Look(absl::Time now, int64_t requests_sent, std::optional<int64_t> used) {
  if (requests_sent != requests_sent_) sent_at_ = now;
  requests_sent_ = requests_sent;
  // An answer comes some time after its request.
  if (now - sent_at_ > StatusHistory::kInterval || !used.has_value()) return;
  peak_ = std::max(peak_, *used);
}

int64_t QuotaUse::TakePeak() { return std::exchange(peak_, 0); }

void StatusHistory::Add(absl::Time now, Readings readings) {
  MutexLock lock(&mu_);
  samples_.push_back({now, std::move(readings)});
  if (samples_.size() > kSamples) samples_.pop_front();
}

int64_t StatusHistory::MostUsed(const std::string& connection, size_t sample,
                                absl::Duration window) const {
  int64_t most = 0;
  for (size_t i = sample + 1; i-- > 0;) {
    const auto reading = samples_[i].readings.find(connection);
    if (reading == samples_[i].readings.end()) break;
    most = std::max(most, reading->second.quota_used);
    // Samples are never taken quite on time.
    if (samples_[sample].time - samples_[i].time >= window - kInterval - kLook) break;
  }
  return most;
}

nlohmann::json StatusHistory::ToJson() const {
  MutexLock lock(&mu_);
  nlohmann::json connections = nlohmann::json::object();
  if (samples_.empty()) return connections;
  for (const auto& [connection, last] : samples_.back().readings) {
    nlohmann::json& lines = connections[connection];
    for (const char* line : {"time", "used", "limit", "quota", "intercom", "consumer", "cpu"}) {
      lines[line] = nlohmann::json::array();
    }
    for (size_t i = 1; i < samples_.size(); ++i) {
      const auto found = samples_[i].readings.find(connection);
      const auto before = samples_[i - 1].readings.find(connection);
      if (found == samples_[i].readings.end() || before == samples_[i - 1].readings.end()) {
        continue;
      }
      const Reading& reading = found->second;
      lines["time"].push_back(Round(absl::ToDoubleSeconds(samples_[i].time - absl::UnixEpoch())));
      lines["used"].push_back(MostUsed(connection, i, reading.quota_window));
      lines["limit"].push_back(reading.quota_limit.has_value()
                                   ? nlohmann::json(*reading.quota_limit)
                                   : nlohmann::json());
      // Of their sum, not of what the clock says: extractions tell their times once a second,
      // which is now before and now after a sample.
      const SpentTime spent = Since(reading.spent, before->second.spent);
      const absl::Duration all = spent.quota + spent.intercom + spent.consumer + spent.cpu;
      const auto share = [all](absl::Duration part) {
        return all > absl::ZeroDuration() ? Round(absl::FDivDuration(part, all)) : 0;
      };
      lines["quota"].push_back(share(spent.quota));
      lines["intercom"].push_back(share(spent.intercom));
      lines["consumer"].push_back(share(spent.consumer));
      lines["cpu"].push_back(share(spent.cpu));
    }
  }
  return connections;
}

}  // namespace intercom_extractor

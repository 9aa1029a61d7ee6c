#include "server/status_history.h"

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

void StatusHistory::Add(absl::Time now, Readings readings) {
  MutexLock lock(&mu_);
  samples_.push_back({now, std::move(readings)});
  if (samples_.size() > kSamples) samples_.pop_front();
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
    // The latest sample that is a window or more before the one looked at.
    size_t window_begin = 0;
    for (size_t i = 1; i < samples_.size(); ++i) {
      const auto found = samples_[i].readings.find(connection);
      const auto before = samples_[i - 1].readings.find(connection);
      if (found == samples_[i].readings.end() || before == samples_[i - 1].readings.end()) {
        window_begin = i;
        continue;
      }
      const Reading& reading = found->second;
      // Samples are never taken quite on time.
      const absl::Time begin = samples_[i].time - reading.quota_window + kInterval / 4;
      while (window_begin + 1 < i && samples_[window_begin + 1].time <= begin) {
        ++window_begin;
      }
      lines["time"].push_back(Round(absl::ToDoubleSeconds(samples_[i].time - absl::UnixEpoch())));
      lines["used"].push_back(reading.requests_sent -
                              samples_[window_begin].readings.at(connection).requests_sent);
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

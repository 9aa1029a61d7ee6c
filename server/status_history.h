#ifndef SERVER_STATUS_HISTORY_H_
#define SERVER_STATUS_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "extractor/sync/mutex.h"
#include "nlohmann/json.hpp"
#include "server/running_extractions.h"

namespace intercom_extractor {

// The last minutes of each connection, for the plots of the status page: a page that is
// opened when something is odd shows how it came to that.
//
// Thread-safe. Some 100 bytes for each connection and sample.
class StatusHistory {
 public:
  static constexpr absl::Duration kInterval = absl::Seconds(2);
  // Five minutes.
  static constexpr size_t kSamples = 150;

  // What one connection had done up to a moment, and its quota then.
  struct Reading {
    int64_t requests_sent = 0;
    SpentTime spent;
    // Nothing: Intercom has not stated a quota yet.
    std::optional<int64_t> quota_limit;
    absl::Duration quota_window;
  };
  using Readings = std::map<std::string, Reading>;

  // To be called every kInterval.
  void Add(absl::Time now, Readings readings) ABSL_LOCKS_EXCLUDED(mu_);

  // By connection: "time" (Unix seconds), and of each moment "used" (requests sent within
  // the quota's window up to it), "limit" (null while unknown), and "quota", "intercom",
  // "consumer" and "cpu", what share of their time extractions spent on each since the
  // moment before; all 0 where none ran.
  nlohmann::json ToJson() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Sample {
    absl::Time time;
    Readings readings;
  };

  mutable Mutex mu_;
  std::deque<Sample> samples_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // SERVER_STATUS_HISTORY_H_

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

// How much of its quota one connection uses, looked at more often than it is plotted:
// Intercom's windows are of 10 seconds, and what matters is how full each gets.
//
// Not thread-safe.
class QuotaUse {
 public:
  // What the client says at `now`: requests it has sent, and, once Intercom has stated a
  // quota, what that says is used of the window, by other apps too.
  void Look(absl::Time now, int64_t requests_sent, std::optional<int64_t> used);

  // The most since it was last taken. 0 while no requests are sent: what Intercom said last
  // is of a window long over.
  int64_t TakePeak();

 private:
  int64_t requests_sent_ = 0;
  absl::Time sent_at_ = absl::InfinitePast();
  int64_t peak_ = 0;
};

// The last minutes of each connection, for the plots of the status page: a page that is
// opened when something is odd shows how it came to that.
//
// Thread-safe. Some 100 bytes for each connection and sample.
class StatusHistory {
 public:
  static constexpr absl::Duration kInterval = absl::Seconds(2);
  // How often QuotaUse looks.
  static constexpr absl::Duration kLook = absl::Milliseconds(250);
  // Five minutes.
  static constexpr size_t kSamples = 150;

  // What one connection had done up to a moment, and its quota then.
  struct Reading {
    SpentTime spent;
    // Of QuotaUse, since the reading before.
    int64_t quota_used = 0;
    // Nothing: Intercom has not stated a quota yet.
    std::optional<int64_t> quota_limit;
    absl::Duration quota_window;
  };
  using Readings = std::map<std::string, Reading>;

  // To be called every kInterval.
  void Add(absl::Time now, Readings readings) ABSL_LOCKS_EXCLUDED(mu_);

  // By connection: "time" (Unix seconds), and of each moment "used" (the most of
  // the quota in a window's time up to it), "limit" (null while unknown), and "quota", "intercom",
  // "consumer" and "cpu", what share of their time extractions spent on each since the
  // moment before; all 0 where none ran.
  nlohmann::json ToJson() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Sample {
    absl::Time time;
    Readings readings;
  };

  int64_t MostUsed(const std::string& connection, size_t sample, absl::Duration window) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  std::deque<Sample> samples_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // SERVER_STATUS_HISTORY_H_

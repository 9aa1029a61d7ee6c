#ifndef EXTRACTOR_INTERCOM_TRAFFIC_H_
#define EXTRACTOR_INTERCOM_TRAFFIC_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace intercom_extractor {

// How long answers took, in buckets: what a monitoring system makes percentiles of.
class LatencyHistogram {
 public:
  // Upper bounds in seconds; a last bucket without one follows. Intercom's details take
  // some 100 ms, its searches up to 18 s and more.
  static constexpr std::array<double, 10> kBounds = {0.025, 0.05, 0.1, 0.25, 0.5,
                                                     1,     2.5,  5,   10,   30};

  void Add(absl::Duration latency);

  // Of each bucket alone.
  const std::array<int64_t, kBounds.size() + 1>& counts() const { return counts_; }
  int64_t count() const;
  double sum_seconds() const { return sum_seconds_; }

 private:
  std::array<int64_t, kBounds.size() + 1> counts_ = {};
  double sum_seconds_ = 0;
};

// The answers to one operation's requests since the process began.
struct EndpointTraffic {
  // By HTTP status; 0 where no answer came.
  std::map<int, int64_t> answers;
  // Of requests that were sent again after a failure.
  int64_t retries = 0;
  LatencyHistogram latency;
};

// By operation, "GET /contacts/{id}/notes": a few dozen.
using EndpointTraffics = std::map<std::string, EndpointTraffic>;

}  // namespace intercom_extractor

#endif  // EXTRACTOR_INTERCOM_TRAFFIC_H_

#include "extractor/intercom/traffic.h"

#include <algorithm>
#include <numeric>

namespace intercom_extractor {

void LatencyHistogram::Add(absl::Duration latency) {
  const double seconds = absl::ToDoubleSeconds(latency);
  // A bound belongs to its bucket.
  const auto* bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts_[static_cast<size_t>(bucket - kBounds.begin())];
  sum_seconds_ += seconds;
}

int64_t LatencyHistogram::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

}  // namespace intercom_extractor

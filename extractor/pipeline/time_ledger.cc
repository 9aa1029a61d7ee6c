#include "extractor/pipeline/time_ledger.h"

#include <algorithm>

#include "extractor/pipeline/proto_duration.h"

namespace intercom_extractor {
void TimeLedger::Advance(const Readings& readings) {
  // Each is cut to what the others leave: they are not read in one instant.
  absl::Duration left = readings.elapsed - last_.elapsed;
  const auto take = [&left](absl::Duration part) {
    const absl::Duration taken = std::clamp(part, absl::ZeroDuration(), left);
    left -= taken;
    return taken;
  };
  const absl::Duration consumer = take(readings.consumer - last_.consumer);
  const absl::Duration busy = readings.busy - last_.busy;
  consumer_ += consumer;
  cpu_ += take(busy - consumer);
  quota_ += take(readings.held_by_quota - last_.held_by_quota);
  intercom_ += left;
  last_ = readings;
}

void TimeLedger::Fill(v1::TimeSpent* time_spent) const {
  *time_spent->mutable_quota() = ToProto(quota_);
  *time_spent->mutable_intercom() = ToProto(intercom_);
  *time_spent->mutable_consumer() = ToProto(consumer_);
  *time_spent->mutable_cpu() = ToProto(cpu_);
}

}  // namespace intercom_extractor

#include "extractor/pipeline/live_progress.h"

#include <algorithm>

#include "extractor/pipeline/proto_duration.h"
#include "google/protobuf/util/time_util.h"

namespace intercom_extractor {
namespace {

// A reader that takes longer for an event is waited for; less is the queue's work.
constexpr absl::Duration kWorthNaming = absl::Milliseconds(100);

}  // namespace

void LiveProgress::Publish(const v1::Progress& progress, const RunReport& report, absl::Time now) {
  MutexLock lock(&mu_);
  snapshot_.progress = progress;
  waited_since_published_ = absl::ZeroDuration();
  TakeTotals(report);
  Sample sample;
  sample.time = now;
  for (const auto& [table, streamed] : snapshot_.streamed) sample.rows[table] = streamed.rows;
  samples_.push_back(std::move(sample));
  while (samples_.size() > 2 && now - samples_[1].time >= kRatePeriod) samples_.pop_front();
}

void LiveProgress::PublishTotals(const RunReport& report) {
  MutexLock lock(&mu_);
  TakeTotals(report);
}

void LiveProgress::TakeTotals(const RunReport& report) {
  for (const TableInfo* table : report.tables()) {
    const int64_t rows = report.rows_streamed(table->index);
    if (rows > 0) snapshot_.streamed[table->name()] = {rows, report.bytes_streamed(table->index)};
  }
  snapshot_.notices = report.stream_notices();
}

void LiveProgress::OnCheckpoint(absl::Time now) {
  MutexLock lock(&mu_);
  snapshot_.last_checkpoint = now;
  ++snapshot_.checkpoints;
}

void LiveProgress::BeginPush(absl::Time now) {
  MutexLock lock(&mu_);
  pushing_since_ = now;
}

void LiveProgress::EndPush(absl::Time now) {
  MutexLock lock(&mu_);
  const absl::Duration waited = now - pushing_since_.value_or(now);
  if (waited >= kWorthNaming) waited_since_published_ += waited;
  pushing_since_.reset();
}

LiveProgress::Snapshot LiveProgress::At(absl::Time now) const {
  MutexLock lock(&mu_);
  Snapshot snapshot = snapshot_;
  if (!samples_.empty()) {
    const Sample& oldest = samples_.front();
    // A second at least: the first rows of an extraction come all at once.
    const double seconds = std::max(1.0, absl::ToDoubleSeconds(now - oldest.time));
    for (const auto& [table, streamed] : snapshot.streamed) {
      const auto before = oldest.rows.find(table);
      const int64_t rows = streamed.rows - (before == oldest.rows.end() ? 0 : before->second);
      if (rows > 0) snapshot.rows_per_second[table] = static_cast<double>(rows) / seconds;
    }
  }
  v1::Progress& progress = snapshot.progress;
  if (!progress.has_elapsed()) return snapshot;
  *progress.mutable_time_spent()->mutable_consumer() += ToProto(waited_since_published_);
  const absl::Duration waited = now - pushing_since_.value_or(now);
  if (waited < kWorthNaming) return snapshot;
  // The run itself cannot say so now: it is what waits.
  progress.set_waiting_for(v1::WAIT_REASON_CONSUMER);
  const auto since_published =
      ToProto(samples_.empty() ? waited : std::max(waited, now - samples_.back().time));
  *progress.mutable_elapsed() += since_published;
  *progress.mutable_time_spent()->mutable_consumer() += ToProto(waited);
  return snapshot;
}

}  // namespace intercom_extractor

#include "clients/cli/progress_tracker.h"

#include <algorithm>

#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// Long enough that a quota window (10 s) does not make the rate jump.
constexpr absl::Duration kRateSpan = absl::Seconds(10);
constexpr absl::Duration kSampleDistance = absl::Milliseconds(250);

}  // namespace

ProgressTracker::ProgressTracker(const std::vector<std::string>& tables, absl::Time start)
    : start_(start) {
  for (const std::string& table : tables) {
    index_.emplace(table, state_.tables.size());
    state_.tables.emplace_back();
    state_.tables.back().name = table;
  }
  samples_.push_back({start - kSampleDistance, 0});
}

void ProgressTracker::OnRows(const std::string& table, int64_t rows, absl::Time now) {
  const auto found = index_.find(table);
  if (found == index_.end()) return;
  state_.tables[found->second].rows += rows;
  rows_received_ += rows;
  if (now - samples_.back().time < kSampleDistance) {
    samples_.back().rows_received = rows_received_;
    return;
  }
  samples_.push_back({now, rows_received_});
  // The first sample is the last one before the span.
  while (samples_[1].time <= now - kRateSpan) samples_.pop_front();
}

void ProgressTracker::OnRestart(const std::string& table) {
  const auto found = index_.find(table);
  if (found == index_.end()) return;
  state_.tables[found->second].rows = 0;
  state_.tables[found->second].done = false;
}

void ProgressTracker::SetRows(const std::string& table, int64_t rows) {
  const auto found = index_.find(table);
  if (found != index_.end()) state_.tables[found->second].rows = rows;
}

void ProgressTracker::OnProgress(const v1::Progress& progress) {
  for (const v1::TableProgress& table : progress.tables()) {
    const auto found = index_.find(table.table());
    if (found == index_.end()) continue;
    ProgressSnapshot::Table& state = state_.tables[found->second];
    if (table.has_rows_expected()) state.rows_expected = table.rows_expected();
    state.done = table.done();
  }
  state_.requests = progress.requests();
  state_.waiting_for = progress.waiting_for();
  if (progress.has_requests_planned()) {
    state_.requests_planned = progress.requests_planned().likely();
  }
  if (progress.has_remaining()) {
    state_.remaining = absl::Seconds(progress.remaining().seconds()) +
                       absl::Nanoseconds(progress.remaining().nanos());
  }
  if (progress.has_quota()) {
    state_.quota_limit = progress.quota().limit();
    state_.quota_remaining = progress.quota().remaining();
  }
}

ProgressSnapshot ProgressTracker::Snapshot(absl::Time now) const {
  ProgressSnapshot snapshot = state_;
  snapshot.elapsed = now - start_;
  double known = 0;
  double expected = 0;
  for (const ProgressSnapshot::Table& table : snapshot.tables) {
    snapshot.rows += table.rows;
    snapshot.tables_done += table.done ? 1 : 0;
    if (table.rows_expected < 0) continue;
    expected += static_cast<double>(table.rows_expected);
    // Totals are of the start: a table may well grow past its own.
    known += static_cast<double>(std::min(table.rows, table.rows_expected));
  }
  if (expected > 0) snapshot.fraction = known / expected;
  if (snapshot.requests_planned > 0) {
    const int64_t made = snapshot.requests.sent() - snapshot.requests.retries();
    snapshot.fraction =
        std::min(1.0, static_cast<double>(made) / static_cast<double>(snapshot.requests_planned));
  }
  // The tables without a total may take longer than all others.
  const bool all_done = snapshot.tables_done == static_cast<int>(snapshot.tables.size());
  if (!all_done) snapshot.fraction = std::min(snapshot.fraction, 0.99);

  // The newest sample that is older than the span, else the oldest one.
  Sample from = samples_.front();
  for (const Sample& sample : samples_) {
    if (sample.time > now - kRateSpan) break;
    from = sample;
  }
  // Never over less than a second: the first batch would look like a storm.
  const absl::Duration span = std::max(now - std::max(from.time, start_), absl::Seconds(1));
  snapshot.rows_per_second =
      static_cast<double>(rows_received_ - from.rows_received) / absl::ToDoubleSeconds(span);
  return snapshot;
}

}  // namespace intercom_extractor

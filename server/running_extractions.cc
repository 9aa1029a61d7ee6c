#include "server/running_extractions.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/proto_duration.h"
#include "google/protobuf/util/time_util.h"

namespace intercom_extractor {
namespace {

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  return google::protobuf::util::TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(time));
}

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void Add(const LiveProgress::Snapshot& snapshot, ConnectionTotals* totals) {
  for (const auto& [table, streamed] : snapshot.streamed) {
    totals->streamed[table].rows += streamed.rows;
    totals->streamed[table].bytes += streamed.bytes;
  }
  for (const auto& [key, count] : snapshot.notices) totals->notices[key] += count;
  const v1::TimeSpent& spent = snapshot.progress.time_spent();
  totals->spent.quota += FromProto(spent.quota());
  totals->spent.intercom += FromProto(spent.intercom());
  totals->spent.consumer += FromProto(spent.consumer());
  totals->spent.cpu += FromProto(spent.cpu());
  totals->checkpoints += snapshot.checkpoints;
}

}  // namespace

std::unique_ptr<RunningExtractions::Entry> RunningExtractions::Begin(Details details) {
  MutexLock lock(&mu_);
  Running running;
  running.id = absl::StrFormat("%016x", random_());
  running.started_at = clock_->Now();
  running.details = std::move(details);
  running_.push_back(std::move(running));
  return std::make_unique<Entry>(this, std::prev(running_.end()));
}

void RunningExtractions::End(std::list<Running>::iterator running, const absl::Status& status) {
  MutexLock lock(&mu_);
  const absl::Time now = clock_->Now();
  const LiveProgress::Snapshot snapshot = running->details.live->At(now);
  ConnectionTotals& totals = totals_[running->details.connection];
  Add(snapshot, &totals);
  ++totals.ended[status.code()];

  v1::ExtractionStatus ended = Describe(*running, snapshot, now);
  ended.clear_rates();
  ended.clear_buffered_bytes();
  *ended.mutable_ended_at() = ToTimestamp(now);
  ended.set_code(static_cast<int>(status.code()));
  ended.set_reason(ReasonOf(status));
  ended_.push_front(std::move(ended));
  if (ended_.size() > kRemembered) ended_.pop_back();
  running_.erase(running);
}

v1::ExtractionStatus RunningExtractions::Describe(const Running& running,
                                                  const LiveProgress::Snapshot& snapshot,
                                                  absl::Time now) {
  v1::ExtractionStatus status;
  status.set_id(running.id);
  status.set_connection(running.details.connection);
  status.set_caller(running.details.caller);
  *status.mutable_started_at() = ToTimestamp(running.started_at);
  if (snapshot.progress.has_elapsed()) *status.mutable_progress() = snapshot.progress;
  for (const auto& [table, rate] : snapshot.rows_per_second) {
    v1::TableRate* entry = status.add_rates();
    entry->set_table(table);
    entry->set_rows_per_second(rate);
  }
  if (snapshot.last_checkpoint.has_value()) {
    *status.mutable_checkpoint_age() = ToProto(now - *snapshot.last_checkpoint);
  }
  status.set_buffered_bytes(static_cast<int64_t>(running.details.events->bytes()));
  for (const auto& [key, count] : snapshot.notices) {
    v1::NoticeCount* entry = status.add_notices();
    entry->set_table(key.first);
    entry->set_code(key.second);
    entry->set_count(count);
  }
  return status;
}

v1::ListExtractionsResponse RunningExtractions::List(const std::string& connection) const {
  v1::ListExtractionsResponse response;
  MutexLock lock(&mu_);
  const absl::Time now = clock_->Now();
  *response.mutable_time() = ToTimestamp(now);
  for (const Running& running : running_) {
    if (!connection.empty() && running.details.connection != connection) continue;
    *response.add_running() = Describe(running, running.details.live->At(now), now);
  }
  for (const v1::ExtractionStatus& ended : ended_) {
    if (connection.empty() || ended.connection() == connection) *response.add_ended() = ended;
  }
  return response;
}

std::map<std::string, ConnectionTotals> RunningExtractions::Totals() const {
  MutexLock lock(&mu_);
  const absl::Time now = clock_->Now();
  std::map<std::string, ConnectionTotals> all = totals_;
  for (const Running& running : running_) {
    ConnectionTotals& totals = all[running.details.connection];
    const LiveProgress::Snapshot snapshot = running.details.live->At(now);
    Add(snapshot, &totals);
    ++totals.running;
    totals.buffered_bytes += static_cast<int64_t>(running.details.events->bytes());
    totals.checkpoint_age = std::max(totals.checkpoint_age,
                                     now - snapshot.last_checkpoint.value_or(running.started_at));
  }
  return all;
}

}  // namespace intercom_extractor

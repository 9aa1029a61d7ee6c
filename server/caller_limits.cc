#include "server/caller_limits.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "extractor/intercom/intercom_client.h"
#include "server/retry_delay.h"

namespace intercom_extractor {
namespace {

constexpr absl::Duration kMinute = absl::Minutes(1);
// What a stream that was paused may catch up with at once.
constexpr absl::Duration kBurst = absl::Seconds(1);
// Nobody knows when a stream will end.
constexpr absl::Duration kStreamRetryDelay = absl::Seconds(30);

absl::Status Exhausted(absl::string_view who, absl::string_view what, absl::Duration delay) {
  return WithRetryDelay(
      StatusWithReason(absl::StatusCode::kResourceExhausted, "CALLER_LIMIT",
                       absl::StrCat(who, " ", what, "; call again in ",
                                    absl::FormatDuration(absl::Ceil(delay, absl::Seconds(1))))),
      delay);
}

}  // namespace

CallerLimits::CallerLimits(std::string who, const UsageLimits& limits, const Clock* clock)
    : who_(std::move(who)), clock_(clock), limits_(limits) {}

void CallerLimits::Set(const UsageLimits& limits) {
  MutexLock lock(&mu_);
  limits_ = limits;
}

absl::Status CallerLimits::TakeRequest() {
  MutexLock lock(&mu_);
  if (limits_.max_requests_per_minute == 0) {
    requests_.clear();
    return absl::OkStatus();
  }
  const absl::Time now = clock_->Now();
  while (!requests_.empty() && requests_.front() <= now - kMinute) requests_.pop_front();
  const auto limit = static_cast<size_t>(limits_.max_requests_per_minute);
  if (requests_.size() >= limit) {
    // After a reload there may be more than the limit: the last `limit` count.
    const absl::Time oldest = requests_[requests_.size() - limit];
    return Exhausted(who_, absl::StrCat("has made its ", limit, " calls of this minute"),
                     oldest + kMinute - now);
  }
  requests_.push_back(now);
  return absl::OkStatus();
}

absl::Status CallerLimits::BeginStream() {
  MutexLock lock(&mu_);
  if (limits_.max_streams > 0 && streams_ >= limits_.max_streams) {
    return Exhausted(who_, absl::StrCat("has ", streams_, " streams already, as many as it may"),
                     kStreamRetryDelay);
  }
  ++streams_;
  return absl::OkStatus();
}

void CallerLimits::EndStream() {
  MutexLock lock(&mu_);
  --streams_;
}

absl::Time CallerLimits::ScheduleBytes(int64_t bytes) {
  MutexLock lock(&mu_);
  if (limits_.max_bytes_per_second == 0) return absl::InfinitePast();
  const absl::Time earliest = clock_->Now() - kBurst;
  bytes_paid_at_ = std::max(bytes_paid_at_, earliest);
  const absl::Time at = bytes_paid_at_;
  bytes_paid_at_ +=
      absl::Seconds(static_cast<double>(bytes) / static_cast<double>(limits_.max_bytes_per_second));
  return at;
}

absl::StatusOr<std::unique_ptr<StreamPass>> StreamPass::Create(
    std::shared_ptr<CallerLimits> caller, std::shared_ptr<CallerLimits> server) {
  // The caller first: who has too many does not even touch what all share.
  absl::Status begun = caller->BeginStream();
  if (!begun.ok()) return begun;
  begun = server->BeginStream();
  if (!begun.ok()) {
    caller->EndStream();
    return begun;
  }
  return std::unique_ptr<StreamPass>(new StreamPass(std::move(caller), std::move(server)));
}

StreamPass::~StreamPass() {
  caller_->EndStream();
  server_->EndStream();
}

}  // namespace intercom_extractor

#ifndef SERVER_CALLER_LIMITS_H_
#define SERVER_CALLER_LIMITS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"
#include "server/caller_config.h"

namespace intercom_extractor {

// Counts what one caller, or all of them together, use. It lives on through reloads of the
// configuration, so that these give nobody a fresh allowance. Thread-safe.
class CallerLimits {
 public:
  // `clock` must outlive it. `who` is what errors call the caller: "caller nightly".
  CallerLimits(std::string who, const UsageLimits& limits, const Clock* clock);

  // From now on. Streams that run go on, however many.
  void Set(const UsageLimits& limits) ABSL_LOCKS_EXCLUDED(mu_);

  // Counts a call. kResourceExhausted (CALLER_LIMIT) with a retry delay when there
  // were too many within the last minute; those that are refused do not count.
  absl::Status TakeRequest() ABSL_LOCKS_EXCLUDED(mu_);

  // Counts a stream until EndStream(). kResourceExhausted (CALLER_LIMIT) with a retry
  // delay when there are too many.
  absl::Status BeginStream() ABSL_LOCKS_EXCLUDED(mu_);
  void EndStream() ABSL_LOCKS_EXCLUDED(mu_);

  // Counts bytes that are about to be sent; they may be at the time that it gives. They
  // are sent in any case: a row above what a second allows only delays the next.
  absl::Time ScheduleBytes(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const std::string who_;
  const Clock* const clock_;

  Mutex mu_;
  UsageLimits limits_ ABSL_GUARDED_BY(mu_);
  int streams_ ABSL_GUARDED_BY(mu_) = 0;
  // When the calls of the last minute came; at most as many as the limit.
  std::deque<absl::Time> requests_ ABSL_GUARDED_BY(mu_);
  // When all bytes scheduled so far will have had their time at the permitted rate.
  absl::Time bytes_paid_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

// One stream, counted as its caller's and as the server's for as long as it exists.
// Thread-safe.
class StreamPass {
 public:
  // Error as BeginStream() of whichever has too many. Both are kept.
  static absl::StatusOr<std::unique_ptr<StreamPass>> Create(std::shared_ptr<CallerLimits> caller,
                                                            std::shared_ptr<CallerLimits> server);
  ~StreamPass();
  StreamPass(const StreamPass&) = delete;
  StreamPass& operator=(const StreamPass&) = delete;

  // As CallerLimits::ScheduleBytes() of the caller.
  absl::Time ScheduleBytes(int64_t bytes) { return caller_->ScheduleBytes(bytes); }

 private:
  StreamPass(std::shared_ptr<CallerLimits> caller, std::shared_ptr<CallerLimits> server)
      : caller_(std::move(caller)), server_(std::move(server)) {}

  const std::shared_ptr<CallerLimits> caller_;
  const std::shared_ptr<CallerLimits> server_;
};

}  // namespace intercom_extractor

#endif  // SERVER_CALLER_LIMITS_H_

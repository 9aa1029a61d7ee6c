#ifndef SERVER_RUNNING_EXTRACTIONS_H_
#define SERVER_RUNNING_EXTRACTIONS_H_

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/live_progress.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/sync/clock.h"
#include "extractor/sync/mutex.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Where the time of extractions went, as in v1::TimeSpent.
struct SpentTime {
  absl::Duration quota;
  absl::Duration intercom;
  absl::Duration consumer;
  absl::Duration cpu;
};

// What the extractions of one connection have done since the server began, those that
// run now included. Counts never fall.
struct ConnectionTotals {
  std::map<std::string, LiveProgress::Streamed> streamed;  // By table.
  RunReport::NoticeCounts notices;
  SpentTime spent;
  int64_t checkpoints = 0;
  std::map<absl::StatusCode, int64_t> ended;

  // Of those that run now.
  int64_t running = 0;
  int64_t buffered_bytes = 0;
  // Since the last checkpoint, or since the begin where there was none; the oldest.
  absl::Duration checkpoint_age;
};

// The extractions of a server, for `ListExtractions`, metrics and the status page. Reads
// what they are doing when somebody asks.
//
// Thread-safe.
class RunningExtractions {
 public:
  // Of those that have ended.
  static constexpr size_t kRemembered = 20;

  // `clock` must outlive this. `random` gives any number; never called at the same time.
  RunningExtractions(const Clock* clock, absl::AnyInvocable<uint64_t()> random)
      : clock_(clock), random_(std::move(random)) {}

  struct Details {
    std::string connection;
    std::string caller;
    std::shared_ptr<const LiveProgress> live;
    // Must outlive the entry.
    const EventQueue* events = nullptr;
  };

  // One that runs; goes when it has ended. Must not outlive the RunningExtractions.
  class Entry;
  std::unique_ptr<Entry> Begin(Details details) ABSL_LOCKS_EXCLUDED(mu_);

  // Those of the connection, or all when it is empty.
  v1::ListExtractionsResponse List(const std::string& connection) const ABSL_LOCKS_EXCLUDED(mu_);

  // By connection; those that never had an extraction are left out.
  std::map<std::string, ConnectionTotals> Totals() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Running {
    std::string id;
    absl::Time started_at;
    Details details;
  };

  void End(std::list<Running>::iterator running, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mu_);
  static v1::ExtractionStatus Describe(const Running& running,
                                       const LiveProgress::Snapshot& snapshot, absl::Time now);

  const Clock* const clock_;
  mutable Mutex mu_;
  absl::AnyInvocable<uint64_t()> random_ ABSL_GUARDED_BY(mu_);
  std::list<Running> running_ ABSL_GUARDED_BY(mu_);
  std::deque<v1::ExtractionStatus> ended_ ABSL_GUARDED_BY(mu_);
  // Of those that have ended.
  std::map<std::string, ConnectionTotals> totals_ ABSL_GUARDED_BY(mu_);
};

class RunningExtractions::Entry {
 public:
  Entry(RunningExtractions* all, std::list<Running>::iterator running)
      : all_(all), running_(running), id_(running->id) {}
  ~Entry() { all_->End(running_, status_); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  // Sixteen hexadecimal digits.
  const std::string& id() const { return id_; }
  void set_status(const absl::Status& status) { status_ = status; }

 private:
  RunningExtractions* const all_;
  const std::list<Running>::iterator running_;
  const std::string id_;
  absl::Status status_;
};

}  // namespace intercom_extractor

#endif  // SERVER_RUNNING_EXTRACTIONS_H_

#ifndef EXTRACTOR_PIPELINE_LIVE_PROGRESS_H_
#define EXTRACTOR_PIPELINE_LIVE_PROGRESS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/sync/mutex.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// How far one extraction is, for those who watch it. The extraction writes here once a
// second and whenever it waits for its reader, and never waits for those who look. Unlike
// the stream's progress this goes on while the reader takes nothing.
//
// Thread-safe.
class LiveProgress {
 public:
  struct Streamed {
    int64_t rows = 0;
    int64_t bytes = 0;
  };
  struct Snapshot {
    // As in the stream, but what is waited for and the time that the reader has taken are
    // those of the moment. Its `elapsed` is not set before the extraction has begun.
    v1::Progress progress;
    // By table, of those that have rows: since this stream began, also rows that were void
    // later. None ever falls.
    std::map<std::string, Streamed> streamed;
    // By table, of those that had rows lately.
    std::map<std::string, double> rows_per_second;
    RunReport::NoticeCounts notices;
    std::optional<absl::Time> last_checkpoint;
    int64_t checkpoints = 0;
  };

  // Rates are of so long.
  static constexpr absl::Duration kRatePeriod = absl::Seconds(10);

  // The extraction's own side. `progress` and `report` are of `now`.
  void Publish(const v1::Progress& progress, const RunReport& report, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Only what `report` says: at the end, when nothing else is there any more.
  void PublishTotals(const RunReport& report) ABSL_LOCKS_EXCLUDED(mu_);
  void OnCheckpoint(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);
  // An event is given to the reader's queue, which may block; until it was taken.
  void BeginPush(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);
  void EndPush(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

  // The watchers' side: how it is at `now`.
  Snapshot At(absl::Time now) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Sample {
    absl::Time time;
    std::map<std::string, int64_t> rows;
  };

  void TakeTotals(const RunReport& report) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  Snapshot snapshot_ ABSL_GUARDED_BY(mu_);
  // One a second, of the last kRatePeriod and one before.
  std::deque<Sample> samples_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Time> pushing_since_ ABSL_GUARDED_BY(mu_);
  // For how long the reader was waited for that the published progress does not count yet:
  // what was shown while it lasted must not be taken back.
  absl::Duration waited_since_published_ ABSL_GUARDED_BY(mu_);
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_LIVE_PROGRESS_H_

#ifndef CLIENTS_CLI_PROGRESS_TRACKER_H_
#define CLIENTS_CLI_PROGRESS_TRACKER_H_

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// How far an extraction is at one moment.
struct ProgressSnapshot {
  struct Table {
    std::string name;
    int64_t rows = 0;
    int64_t rows_expected = -1;  // -1: Intercom does not say.
    bool done = false;
  };

  absl::Duration elapsed;
  int64_t rows = 0;
  double rows_per_second = 0;  // Over the last seconds.
  // Share of the requests that were planned, in [0, 1]; while there is no plan, of
  // the rows of those tables whose total is known; -1 while no total is known.
  double fraction = -1;
  // How long it will go on; infinite while nobody knows.
  absl::Duration remaining = absl::InfiniteDuration();
  int64_t requests_planned = -1;  // -1: not known yet.
  int tables_done = 0;
  std::vector<Table> tables;
  v1::RequestCounts requests;
  v1::WaitReason waiting_for = v1::WAIT_REASON_UNSPECIFIED;
  int64_t quota_limit = -1;  // -1: not stated yet.
  int64_t quota_remaining = -1;
};

// Adds up what a stream says of its progress, and the rows that arrived in
// between. For one thread.
class ProgressTracker {
 public:
  // `tables` in the order of their display.
  ProgressTracker(const std::vector<std::string>& tables, absl::Time start);

  void OnRows(const std::string& table, int64_t rows, absl::Time now);
  void OnRestart(const std::string& table);

  // The table has so many rows, which did not all arrive just now.
  void SetRows(const std::string& table, int64_t rows);

  void OnProgress(const v1::Progress& progress);

  ProgressSnapshot Snapshot(absl::Time now) const;

 private:
  struct Sample {
    absl::Time time;
    int64_t rows_received;  // Until soon after `time`.
  };

  const absl::Time start_;
  ProgressSnapshot state_;  // elapsed, rows_per_second and fraction are not kept.
  std::unordered_map<std::string, size_t> index_;
  int64_t rows_received_ = 0;   // Of all generations: the rate never jumps.
  std::deque<Sample> samples_;  // Of the last seconds, at most a few per second.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_PROGRESS_TRACKER_H_

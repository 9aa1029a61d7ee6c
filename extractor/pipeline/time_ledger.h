#ifndef EXTRACTOR_PIPELINE_TIME_LEDGER_H_
#define EXTRACTOR_PIPELINE_TIME_LEDGER_H_

#include "absl/time/time.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Attributes every second of a run to the one thing that it was spent on. What the
// strand did not spend on work or on its consumer it waited; of that, what the
// quota can explain is the quota's, the rest is Intercom's.
//
// Not thread-safe: lives on the extraction's strand.
class TimeLedger {
 public:
  // Of each, how long since the run began; none ever falls.
  struct Readings {
    absl::Duration elapsed;
    // The strand was at work, the consumer's share included.
    absl::Duration busy;
    // It waited for the consumer.
    absl::Duration consumer;
    // The quota held back at least one request.
    absl::Duration held_by_quota;
  };

  // Attributes the time since the last call. The shorter the steps, the better: the
  // quota may have held back a request while there was other work.
  void Advance(const Readings& readings);

  void Fill(v1::TimeSpent* time_spent) const;

 private:
  Readings last_;
  absl::Duration quota_;
  absl::Duration intercom_;
  absl::Duration consumer_;
  absl::Duration cpu_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_TIME_LEDGER_H_

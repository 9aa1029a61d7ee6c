#ifndef EXTRACTOR_PIPELINE_EXTRACTION_H_
#define EXTRACTOR_PIPELINE_EXTRACTION_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/live_progress.h"
#include "extractor/pipeline/scroll_drain.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// One run of `ExtractorService.Extract`: plans the walks that the requested
// tables need, runs them on a thread of its own and pushes the stream's events.
//
// Thread-safe: Start() once, Cancel() from any thread at any time.
class Extraction {
 public:
  // `client` and `events` must outlive the extraction. kInvalidArgument when the
  // request names no table, or an unknown one; kFailedPrecondition for a resume
  // token that cannot be used (see the service's comments). `caller`: who asks, empty for
  // nobody in particular; resume tokens are good for the same one only. `live` gets how far
  // it is, for others to see.
  static absl::StatusOr<std::unique_ptr<Extraction>> Create(
      const v1::ExtractRequest& request, IntercomClient* client, EventQueue* events,
      const std::string& caller = "", const ScrollDrain::Options& scroll = {},
      std::shared_ptr<LiveProgress> live = std::make_shared<LiveProgress>());

  virtual ~Extraction() = default;

  // Begins. `events` gets batches, progress, notices and a summary, then the
  // final status: OK after a summary, else why nothing could be read (see the
  // service's comments), with the reason as a payload (`ReasonOf`).
  virtual void Start() = 0;

  // Ends soon, with a last checkpoint and kUnavailable (SERVER_STOPPING); what the
  // consumer has not taken yet comes before. Not to be waited for: a consumer may
  // take nothing.
  virtual void Drain() = 0;

  // Before Start(): ends like that, with the reason CONNECTION_AGE, once `age` has passed
  // since. What would begin anew in the next stream is read to its end first, for at
  // most `grace` more: tables that take longer than a stream would never end.
  virtual void DrainAfter(absl::Duration age, absl::Duration grace) = 0;

  // Stops: no new request to Intercom begins, those in flight are aborted,
  // `events` is cancelled. Returns at once. The destructor cancels too and waits
  // for the thread.
  virtual void Cancel() = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_EXTRACTION_H_

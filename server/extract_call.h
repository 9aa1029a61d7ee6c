#ifndef SERVER_EXTRACT_CALL_H_
#define SERVER_EXTRACT_CALL_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/event.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/extraction.h"
#include "extractor/sync/clock.h"
#include "grpcpp/alarm.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/active_calls.h"
#include "server/call_labels.h"
#include "server/caller_limits.h"
#include "server/event_pump.h"
#include "server/reaper.h"
#include "server/running_extractions.h"
#include "server/stream_tally.h"

namespace intercom_extractor {

// One running `Extract` call: writes an extraction's events to the client as
// they are, one at a time, and stops the extraction when the client goes.
//
// Owns itself. gRPC calls the reactions on any of its threads, or on the
// extraction's, whose pushes start writes. OnDone is the last and hands the call
// to the reaper, as destroying it joins the extraction's thread. That thread may
// still be on its way out of a push or of OnDone itself, so until it is joined
// nothing here is freed.
class ExtractCall : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // What a call keeps while it runs; each may be null.
  struct Kept {
    // Let go when the call is over in every respect.
    ActiveCalls::Token active;
    // Who is told when events may be sent; let go when the last has been.
    std::unique_ptr<StreamPass> pass;
    // The client that the extraction uses.
    std::shared_ptr<IntercomClient> client;
  };

  // `reaper` and `clock` must outlive the call; `events` is the queue that
  // `extraction` fills. `labels` are for errors and log lines. The call begins with Begin()
  // and must then not be touched any more.
  ExtractCall(CallLabels labels, std::unique_ptr<EventQueue> events,
              std::unique_ptr<Extraction> extraction, Kept kept, Reaper* reaper,
              const Clock* clock);

  // Logs how the call ended.
  ~ExtractCall() override;

  // Before Begin(), for those who watch: the call stands among those that run until it
  // has ended, and its log lines have the entry's id.
  void Show(std::unique_ptr<RunningExtractions::Entry> entry);

  void Begin();

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  void WriteNow();
  // Writes once the caller's limit allows it.
  void WriteAt(absl::Time at);
  void FinishNow();
  // Does what the pump decided. After it gRPC may have called OnDone.
  void Act(const EventPump::Step& step);

  // First, so that it goes last.
  Kept kept_;
  std::unique_ptr<ActiveCalls::Registration> on_drain_;
  CallLabels labels_;
  // Null where nobody watches.
  std::unique_ptr<RunningExtractions::Entry> shown_;
  Reaper* const reaper_;
  const Clock* const clock_;
  const absl::Time begun_;

  // Used by whoever acts on a step other than kNothing: the pump hands out one at
  // a time, and its lock orders them.
  grpc::ByteBuffer write_;
  grpc::WriteOptions write_options_;
  StreamTally tally_;
  absl::Status final_status_;
  grpc::Alarm before_finish_;
  // One for each wait: it may be set only once.
  std::unique_ptr<grpc::Alarm> before_write_;
  std::atomic<bool> cancelled_{false};

  std::unique_ptr<EventQueue> events_;
  EventPump pump_;
  // Last: its destructor joins the thread that uses everything above.
  std::unique_ptr<Extraction> extraction_;
};

// Wraps an event without copying; its pieces live until gRPC has sent them.
grpc::ByteBuffer ToByteBuffer(const Event& event);

}  // namespace intercom_extractor

#endif  // SERVER_EXTRACT_CALL_H_

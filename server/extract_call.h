#ifndef SERVER_EXTRACT_CALL_H_
#define SERVER_EXTRACT_CALL_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "extractor/pipeline/event.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/extraction.h"
#include "extractor/sync/clock.h"
#include "grpcpp/alarm.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/active_calls.h"
#include "server/event_pump.h"
#include "server/reaper.h"
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
  // `reaper` and `clock` must outlive the call; `events` is the queue that
  // `extraction` fills. `connection` is for errors and the log line at the end.
  // `active`, which may be null, is let go when the call is over in every respect.
  // The call begins with Begin() and must then not be touched any more.
  ExtractCall(std::string connection, std::unique_ptr<EventQueue> events,
              std::unique_ptr<Extraction> extraction, ActiveCalls::Token active, Reaper* reaper,
              const Clock* clock);

  // Logs how the call ended.
  ~ExtractCall() override;

  void Begin();

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  void FinishNow();
  // Does what the pump decided. After it gRPC may have called OnDone.
  void Act(const EventPump::Step& step);

  // First, so that it goes last.
  const ActiveCalls::Token active_;
  std::unique_ptr<ActiveCalls::Registration> on_drain_;
  const std::string connection_;
  Reaper* const reaper_;
  const Clock* const clock_;
  const absl::Time begun_;

  // Used by whoever acts on a step other than kNothing: the pump hands out one at
  // a time, and its lock orders them.
  grpc::ByteBuffer write_;
  StreamTally tally_;
  absl::Status final_status_;
  grpc::Alarm before_finish_;

  std::unique_ptr<EventQueue> events_;
  EventPump pump_;
  // Last: its destructor joins the thread that uses everything above.
  std::unique_ptr<Extraction> extraction_;
};

// Wraps an event without copying; its pieces live until gRPC has sent them.
grpc::ByteBuffer ToByteBuffer(const Event& event);

}  // namespace intercom_extractor

#endif  // SERVER_EXTRACT_CALL_H_

#include "server/extract_call.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "extractor/intercom/intercom_client.h"
#include "grpcpp/support/slice.h"
#include "server/event_log.h"
#include "server/log.h"
#include "server/status_details.h"

namespace intercom_extractor {
namespace {

// A connection that takes no more calls is closed as soon as its last one ends. If the
// client's last words (what it has read, say) have not been read by then, the system
// resets the connection, and what the client has not got yet is lost. After so long a
// silence there are none.
constexpr std::chrono::milliseconds kQuiet{200};

// How soon a stream that waits for its caller's limit sees that the client has gone.
constexpr absl::Duration kLongestNap = absl::Milliseconds(100);

// Small events that stand in a row, as before a checkpoint, go out together: gRPC holds
// what it is told will be followed by more, up to 64 KiB.
grpc::WriteOptions OptionsFor(const EventPump::Step& step) {
  grpc::WriteOptions options;
  if (step.more) options.set_buffer_hint();
  return options;
}

}  // namespace

grpc::ByteBuffer ToByteBuffer(const Event& event) {
  using Owner = std::shared_ptr<const void>;
  std::vector<grpc::Slice> slices;
  slices.reserve(event.pieces().size());
  for (const Event::Piece& piece : event.pieces()) {
    // gRPC only reads; its type has no const.
    slices.emplace_back(
        const_cast<char*>(piece.bytes.data()), piece.bytes.size(),  // NOLINT
        [](void* owner) { delete static_cast<Owner*>(owner); }, new Owner(piece.owner));
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

ExtractCall::ExtractCall(CallLabels labels, std::unique_ptr<EventQueue> events,
                         std::unique_ptr<Extraction> extraction, Kept kept, Reaper* reaper,
                         const Clock* clock)
    : kept_(std::move(kept)),
      labels_(std::move(labels)),
      reaper_(reaper),
      clock_(clock),
      begun_(clock->Now()),
      events_(std::move(events)),
      pump_(events_.get()),
      extraction_(std::move(extraction)) {}

ExtractCall::~ExtractCall() {
  // Nobody may drain what is going.
  on_drain_.reset();
  // Before the members that its thread uses are read.
  extraction_.reset();
  // While it can still be asked what waits.
  if (shown_ != nullptr) shown_->set_status(final_status_);
  shown_.reset();
  const bool ok = final_status_.ok();
  std::vector<LogField> fields = {
      {"tables", static_cast<int64_t>(tally_.tables())},
      {"rows", tally_.rows()},
      {"bytes", tally_.bytes()},
      {"duration", clock_->Now() - begun_},
      {"status", std::string(absl::StatusCodeToString(final_status_.code()))}};
  if (!ok) {
    fields.emplace_back("error", final_status_.message());
    const std::string request_id = RequestIdOf(final_status_);
    if (!request_id.empty()) fields.emplace_back("request_id", request_id);
  }
  Log(ok ? spdlog::level::info : spdlog::level::warn, "extract ended",
      labels_.With(std::move(fields)));
}

void ExtractCall::Show(std::unique_ptr<RunningExtractions::Entry> entry) {
  shown_ = std::move(entry);
  labels_.extraction_id = shown_->id();
}

void ExtractCall::Begin() {
  Log(spdlog::level::info, "extract begins", labels_.With({}));
  events_->OnReady([this] { Act(pump_.OnReady()); });
  // Before the thread starts: afterwards this may already be destroyed.
  // The queue calls OnReady for what comes after this has found it empty.
  Act(pump_.OnReady());
  if (kept_.active != nullptr) {
    on_drain_ =
        kept_.active.get()->OnDrain([extraction = extraction_.get()] { extraction->Drain(); });
  }
  extraction_->Start();
}

void ExtractCall::OnWriteDone(bool ok) {
  const EventPump::Step step = pump_.OnWriteDone(ok);
  // Nobody reads any more: stop asking Intercom. OnCancel does not come for
  // every broken stream.
  if (!ok) extraction_->Cancel();
  Act(step);
}

void ExtractCall::OnCancel() {
  cancelled_ = true;
  extraction_->Cancel();
}

void ExtractCall::OnDone() { reaper_->Destroy(std::unique_ptr<ExtractCall>(this)); }

void ExtractCall::Act(const EventPump::Step& step) {
  switch (step.kind) {
    case EventPump::Step::kNothing:
      break;
    case EventPump::Step::kWrite:
      tally_.Add(step.event);
      LogEvent(step.event, labels_);
      write_ = ToByteBuffer(step.event);
      write_options_ = OptionsFor(step);
      if (kept_.pass == nullptr) {
        WriteNow();
      } else {
        WriteAt(kept_.pass->ScheduleBytes(static_cast<int64_t>(step.event.size())));
      }
      break;
    case EventPump::Step::kFinish:
      final_status_ = step.status;
      if (ReasonOf(final_status_) != "CONNECTION_AGE") {
        FinishNow();
        break;
      }
      before_finish_.Set(std::chrono::system_clock::now() + kQuiet, [this](bool) { FinishNow(); });
      break;
  }
}

void ExtractCall::WriteNow() { StartWrite(&write_, write_options_); }

void ExtractCall::WriteAt(absl::Time at) {
  const absl::Duration wait = at - clock_->Now();
  // Nobody waits for a client that has gone: the write fails at once.
  if (wait <= absl::ZeroDuration() || cancelled_) {
    WriteNow();
    return;
  }
  before_write_ = std::make_unique<grpc::Alarm>();
  before_write_->Set(
      std::chrono::system_clock::now() + absl::ToChronoMilliseconds(std::min(wait, kLongestNap)),
      [this, at](bool) { WriteAt(at); });
}

void ExtractCall::FinishNow() {
  // The client may begin its next stream as soon as it has the status.
  kept_.pass.reset();
  Finish(ToGrpcStatus(final_status_, {labels_.connection, /*field=*/""}));
}

}  // namespace intercom_extractor

#include "server/extract_call.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "extractor/intercom/intercom_client.h"
#include "grpcpp/support/slice.h"
#include "server/log.h"
#include "server/status_details.h"

namespace intercom_extractor {
namespace {

// A connection that takes no more calls is closed as soon as its last one ends. If the
// client's last words (what it has read, say) have not been read by then, the system
// resets the connection, and what the client has not got yet is lost. After so long a
// silence there are none.
constexpr std::chrono::milliseconds kQuiet{200};

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

ExtractCall::ExtractCall(std::string connection, std::unique_ptr<EventQueue> events,
                         std::unique_ptr<Extraction> extraction, ActiveCalls::Token active,
                         Reaper* reaper, const Clock* clock)
    : active_(std::move(active)),
      connection_(std::move(connection)),
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
  const bool ok = final_status_.ok();
  std::vector<LogField> fields = {
      {"connection", connection_},
      {"tables", static_cast<int64_t>(tally_.tables())},
      {"rows", tally_.rows()},
      {"bytes", tally_.bytes()},
      {"duration", clock_->Now() - begun_},
      {"status", std::string(absl::StatusCodeToString(final_status_.code()))}};
  if (!ok) fields.emplace_back("error", final_status_.message());
  Log(ok ? spdlog::level::info : spdlog::level::warn, "extract ended", fields);
}

void ExtractCall::Begin() {
  events_->OnReady([this] { Act(pump_.OnReady()); });
  // Before the thread starts: afterwards this may already be destroyed.
  // The queue calls OnReady for what comes after this has found it empty.
  Act(pump_.OnReady());
  if (active_ != nullptr) {
    on_drain_ = active_.get()->OnDrain([extraction = extraction_.get()] { extraction->Drain(); });
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

void ExtractCall::OnCancel() { extraction_->Cancel(); }

void ExtractCall::OnDone() { reaper_->Destroy(std::unique_ptr<ExtractCall>(this)); }

void ExtractCall::Act(const EventPump::Step& step) {
  switch (step.kind) {
    case EventPump::Step::kNothing:
      break;
    case EventPump::Step::kWrite:
      tally_.Add(step.event);
      write_ = ToByteBuffer(step.event);
      StartWrite(&write_, OptionsFor(step));
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

void ExtractCall::FinishNow() { Finish(ToGrpcStatus(final_status_, {connection_, /*field=*/""})); }

}  // namespace intercom_extractor

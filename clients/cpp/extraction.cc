#include "clients/cpp/extraction.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "clients/cpp/errors.h"

namespace intercom_extractor {
namespace {

// Those held back between two checkpoints; what a burst of small batches needed beyond is
// given back.
constexpr size_t kMostFree = 64;

StreamPosition FirstPosition(const v1::ExtractRequest& request, const ExtractionOptions& options) {
  if (options.position.has_value()) return *options.position;
  StreamPosition position;
  position.others_unknown = !request.resume_token().empty();
  return position;
}

ExtractionTiming TimingOf(const ExtractionOptions& options, Cancellation* cancellation) {
  ExtractionTiming timing = options.timing;
  if (!timing.now) timing.now = absl::Now;
  if (!timing.wait) {
    timing.wait = [cancellation](absl::Duration duration) {
      return cancellation->WaitFor(duration);
    };
  }
  if (!timing.random) {
    timing.random = [] {
      absl::BitGen generator;
      return absl::Uniform(generator, 0.0, 1.0);
    };
  }
  return timing;
}

// The table whose restart makes the event void; empty for those that it does not.
absl::string_view VoidWith(const v1::ExtractResponse& event) {
  switch (event.event_case()) {
    case v1::ExtractResponse::kRowBatch:
      return event.row_batch().table();
    case v1::ExtractResponse::kLivingRecords:
      return event.living_records().table();
    case v1::ExtractResponse::kTableRestarted:
      return event.table_restarted().table();
    default:
      return "";
  }
}

// Puts what each call needs into its context.
grpc::ClientContext* Prepared(grpc::ClientContext* context, const Client& client,
                              absl::Time deadline) {
  client.Prepare(context);
  if (deadline != absl::InfiniteFuture()) context->set_deadline(absl::ToChronoTime(deadline));
  return context;
}

}  // namespace

Extraction::Call::Call(const Client& client, const v1::ExtractRequest& request, absl::Time deadline,
                       Cancellation* cancellation)
    : scope(cancellation, Prepared(&context, client, deadline)),
      stream(client.channel(), &context, request) {}

Extraction::Extraction(Client client, v1::ExtractRequest request, ExtractionOptions options)
    : client_(std::move(client)),
      request_(std::move(request)),
      options_(std::move(options)),
      cancellation_(options_.cancellation),
      timing_(TimingOf(options_, &cancellation_)),
      backoff_(timing_.random),
      covered_{request_.resume_token(), FirstPosition(request_, options_)},
      // Who kept a position has heard of the server before.
      heard_(covered_.position.checkpoint > 0),
      resume_token_(request_.resume_token()) {}

Extraction::~Extraction() = default;

const v1::ExtractResponse* Extraction::Next() {
  if (current_ != nullptr) GiveBack(std::move(current_));
  while (!ended_ && !EndedOutside()) {
    if (!ready_.empty()) return HandOut();
    Read();
  }
  return nullptr;
}

bool Extraction::EndedOutside() {
  if (cancellation_.cancelled()) {
    End(absl::CancelledError("the caller cancelled the extraction"));
  } else if (timing_.now() >= options_.deadline) {
    End(absl::DeadlineExceededError("the extraction's deadline has passed"));
  }
  return ended_;
}

const v1::ExtractResponse* Extraction::HandOut() {
  current_ = std::move(ready_.front());
  ready_.pop_front();
  const v1::ExtractResponse& event = current_->get();
  if (event.has_checkpoint()) resume_token_ = event.checkpoint().resume_token();
  return &event;
}

std::unique_ptr<ReceivedEvent> Extraction::TakeFree() {
  if (free_.empty()) {
    return std::make_unique<ReceivedEvent>(
        options_.serialized_rows ? ReceivedEvent::Rows::kSerialized : ReceivedEvent::Rows::kParsed);
  }
  std::unique_ptr<ReceivedEvent> event = std::move(free_.back());
  free_.pop_back();
  return event;
}

void Extraction::GiveBack(std::unique_ptr<ReceivedEvent> event) {
  if (free_.size() < kMostFree) free_.push_back(std::move(event));
}

void Extraction::Begin() {
  promises_.emplace(covered_.position,
                    /*allows_uncovered=*/options_.delivery == Delivery::kRollBack);
  holding_ = options_.delivery == Delivery::kOnce;
  held_.clear();
  request_.set_resume_token(covered_.token);
  call_ = std::make_unique<Call>(client_, request_, options_.deadline, &cancellation_);
}

void Extraction::Read() {
  if (call_ == nullptr) Begin();
  std::unique_ptr<ReceivedEvent> event = TakeFree();
  if (!call_->stream.Read(event.get())) {
    GiveBack(std::move(event));
    OnCallEnded();
    return;
  }
  heard_ = true;
  if (promises_->Accept(event->get(), event->row_count())) {
    Deliver(std::move(event));
  } else if (promises_->status().ok()) {
    GiveBack(std::move(event));
  } else {
    End(promises_->status());
  }
}

void Extraction::Deliver(std::unique_ptr<ReceivedEvent> event) {
  switch (event->get().event_case()) {
    case v1::ExtractResponse::kProgress:
    case v1::ExtractResponse::kNotice:
      ready_.push_back(std::move(event));
      return;
    case v1::ExtractResponse::kCheckpoint:
      backoff_.OnProgress();
      covered_ = {event->get().checkpoint().resume_token(), promises_->position()};
      holding_ = options_.delivery == Delivery::kOnce;
      break;
    case v1::ExtractResponse::kSummary:
      break;
    case v1::ExtractResponse::kTableRestarted:
      if (options_.delivery != Delivery::kRollBack) {
        // Until a checkpoint covers it, a lost connection may lead back to the generation
        // before.
        holding_ = true;
        DropHeld(event->get().table_restarted().table());
      }
      [[fallthrough]];
    default:
      (holding_ ? held_ : ready_).push_back(std::move(event));
      return;
  }
  ready_.swap(held_);
  ready_.push_back(std::move(event));
}

void Extraction::DropHeld(absl::string_view table) {
  held_.erase(std::remove_if(held_.begin(), held_.end(),
                             [table](const std::unique_ptr<ReceivedEvent>& event) {
                               return VoidWith(event->get()) == table;
                             }),
              held_.end());
}

void Extraction::OnCallEnded() {
  const absl::Status status = FromGrpc(call_->stream.Finish());
  if (status.ok()) {
    End(promises_->OnEnd());
  } else if (!EndedOutside()) {
    call_ = nullptr;
    if (absl::Status end = TryAgain(status); !end.ok()) End(std::move(end));
  }
}

absl::Status Extraction::TryAgain(const absl::Status& cause) {
  // A summary that came may come again for who rolls back, and for nobody else.
  const bool is_over = promises_->complete() && options_.delivery != Delivery::kRollBack;
  if (!heard_ || is_over || !IsLostConnection(cause)) return cause;
  const std::optional<absl::Duration> wait = backoff_.Next();
  if (!wait.has_value()) return cause;
  if (options_.deadline - timing_.now() <= *wait) {
    return absl::DeadlineExceededError(
        absl::StrCat("no time left to make the lost connection again (", cause.message(), ")"));
  }
  const Reconnect reconnect{covered_.position.checkpoint, *wait, backoff_.tries(), cause};
  if (options_.on_reconnect && !options_.on_reconnect(reconnect)) return cause;
  if (timing_.wait(*wait)) return absl::CancelledError("the caller cancelled the extraction");
  ++reconnects_;
  return absl::OkStatus();
}

void Extraction::End(absl::Status status) {
  ended_ = true;
  status_ = std::move(status);
  // Cancels what still runs.
  call_ = nullptr;
}

}  // namespace intercom_extractor

#include "clients/sinks/sink_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cpp/errors.h"
#include "clients/cpp/reconnect_backoff.h"

namespace intercom_extractor {
namespace {

// So many rows are worth a commit, however short ago the last one was.
constexpr int64_t kManyRows = 20'000;

constexpr absl::Duration kLongestWait = absl::Seconds(15);

bool IsOf(const sinks::SinkPosition& position, const v1::ExtractRequest& request) {
  return position.request() == request.SerializeAsString();
}

}  // namespace

SinkRun::SinkRun(Client client, Sink* sink, SinkRunOptions options)
    : client_(std::move(client)), sink_(sink), options_(std::move(options)) {}

absl::StatusOr<sinks::SinkPosition> SinkRun::Open() {
  auto position = sink_->Open();
  if (position.ok()) committed_ = *position;
  return position;
}

SinkRunResult SinkRun::Run(const v1::ExtractRequest& request) {
  request_ = request;
  const bool same = IsOf(committed_, request_);
  const bool unfinished = !committed_.complete() && !committed_.resume_token().empty();
  absl::Status begun;
  if (same && unfinished) {
    Note(absl::StrCat("goes on from checkpoint ", committed_.checkpoint(), " in ", sink_->name()));
    GoOnFrom(committed_);
  } else {
    if (unfinished) {
      Note("the sink holds an unfinished run that was asked for something else; begins anew");
    }
    begun = BeginAnew();
  }
  Step step = begun.ok() ? Step::kAgain : OnSinkError(begun);
  while (step == Step::kAgain) step = ReadOnce();
  result_.position = committed_;
  return std::move(result_);
}

absl::Status SinkRun::BeginAnew() {
  sinks::SinkPosition fresh;
  fresh.set_request(request_.SerializeAsString());
  *fresh.mutable_read_at() = committed_.read_at();
  GoOnFrom(std::move(fresh));
  return sink_->Begin(request_);
}

void SinkRun::GoOnFrom(sinks::SinkPosition position) {
  next_ = std::move(position);
  pending_ = false;
  covered_ = true;
  rows_ = 0;
  result_.summary.reset();
  if (options_.on_position) options_.on_position(next_);
}

ExtractionOptions SinkRun::OptionsOfExtraction() const {
  ExtractionOptions options;
  options.delivery = Delivery::kOnce;
  options.serialized_rows = true;
  options.cancellation = options_.cancellation;
  options.timing = options_.timing;
  options.position.emplace();
  options.position->checkpoint = next_.checkpoint();
  for (const auto& [table, generation] : next_.generations()) {
    options.position->generations[table] = generation;
  }
  options.on_reconnect = [this](const Reconnect& reconnect) {
    Note(absl::StrCat("lost the connection to the server (", reconnect.cause.message(),
                      "); goes on from checkpoint ", reconnect.checkpoint, " in ",
                      absl::FormatDuration(absl::Trunc(reconnect.wait, absl::Milliseconds(100))),
                      ", try ", reconnect.attempt, " of ", ReconnectBackoff::kMaxTries));
    return true;
  };
  return options;
}

SinkRun::Step SinkRun::ReadOnce() {
  v1::ExtractRequest request = request_;
  request.set_resume_token(next_.resume_token());
  Extraction extraction(client_, std::move(request), OptionsOfExtraction());
  if (absl::Status status = Pump(&extraction); !status.ok()) return OnSinkError(status);
  return OnServerEnd(extraction.status());
}

// Errors are the sink's.
absl::Status SinkRun::Pump(Extraction* extraction) {
  while (const v1::ExtractResponse* event = extraction->Next()) {
    const SerializedRows& rows = extraction->serialized_rows();
    if (absl::Status status = Handle(*event, rows); !status.ok()) return status;
    if (options_.on_event) options_.on_event(*event, rows.size());
  }
  // What came before the end must not be read again, however it ended.
  return CommitPending();
}

absl::Status SinkRun::Handle(const v1::ExtractResponse& event, const SerializedRows& rows) {
  switch (event.event_case()) {
    case v1::ExtractResponse::kRowBatch:
      covered_ = false;
      rows_ += static_cast<int64_t>(rows.size());
      return sink_->Write(event.row_batch(), rows);
    case v1::ExtractResponse::kDeletedRecords:
      covered_ = false;
      return sink_->Delete(event.deleted_records());
    case v1::ExtractResponse::kLivingRecords:
      covered_ = false;
      return sink_->Keep(event.living_records());
    case v1::ExtractResponse::kTableRestarted: {
      covered_ = false;
      const v1::TableRestarted& restarted = event.table_restarted();
      (*next_.mutable_generations())[restarted.table()] = restarted.generation();
      next_.mutable_rows()->erase(restarted.table());
      return sink_->Restart(restarted.table(), restarted.generation());
    }
    case v1::ExtractResponse::kCheckpoint:
      return OnCheckpoint(event.checkpoint());
    case v1::ExtractResponse::kNotice:
      if (event.notice().severity() >= v1::SEVERITY_WARNING) next_.set_saw_warning(true);
      return CommitWhenDue();
    case v1::ExtractResponse::kSummary:
      result_.summary = event.summary();
      return absl::OkStatus();
    default:
      return CommitWhenDue();
  }
}

// While nothing comes, what was put off is due.
absl::Status SinkRun::CommitWhenDue() {
  if (options_.timing.now() - last_commit_ < sink_->commit_interval()) return absl::OkStatus();
  return CommitPending();
}

absl::Status SinkRun::OnCheckpoint(const v1::Checkpoint& checkpoint) {
  next_.set_resume_token(checkpoint.resume_token());
  next_.set_checkpoint(checkpoint.number());
  for (const v1::TableRows& table : checkpoint.rows()) {
    (*next_.mutable_rows())[table.table()] += table.rows();
  }
  pending_ = true;
  covered_ = true;
  const bool soon = options_.timing.now() - last_commit_ < sink_->commit_interval();
  return soon && rows_ < kManyRows ? absl::OkStatus() : CommitPending();
}

absl::Status SinkRun::CommitPending() {
  if (!pending_ || !covered_) return absl::OkStatus();
  if (absl::Status status = sink_->Commit(next_); !status.ok()) return status;
  committed_ = next_;
  pending_ = false;
  rows_ = 0;
  last_commit_ = options_.timing.now();
  return absl::OkStatus();
}

SinkRun::Step SinkRun::OnServerEnd(const absl::Status& status) {
  if (!status.ok()) {
    if (RefusesResumeToken(status) && !next_.resume_token().empty() && !began_anew_) {
      began_anew_ = true;
      Note(absl::StrCat("the server no longer takes the sink's resume token (", status.message(),
                        "); begins anew"));
      const absl::Status begun = BeginAnew();
      return begun.ok() ? Step::kAgain : OnSinkError(begun);
    }
    result_.status = status;
    return Step::kEnd;
  }
  for (const v1::TableSummary& table : result_.summary->tables()) {
    if (table.status() != v1::TABLE_STATUS_COMPLETE) continue;
    (*next_.mutable_read_at())[table.table()] = result_.summary->started_at().seconds();
  }
  next_.set_complete(true);
  if (absl::Status finished = sink_->Finish(*result_.summary, next_); !finished.ok()) {
    return OnSinkError(finished);
  }
  committed_ = next_;
  return Step::kEnd;
}

SinkRun::Step SinkRun::OnSinkError(const absl::Status& status) {
  const std::optional<v1::Summary> summary = result_.summary;
  if (absl::Status opened = absl::IsUnavailable(status) ? OpenAgain(status) : status;
      !opened.ok()) {
    result_.status = opened;
    result_.of_sink = true;
    return Step::kEnd;
  }
  const bool ours = IsOf(committed_, request_);
  if (ours && committed_.complete() && summary.has_value()) {
    // It was lost once it had all, before it could say so.
    result_.summary = summary;
    return Step::kEnd;
  }
  if (ours && !committed_.complete() && !committed_.resume_token().empty()) {
    GoOnFrom(committed_);
    return Step::kAgain;
  }
  const absl::Status begun = BeginAnew();
  return begun.ok() ? Step::kAgain : OnSinkError(begun);
}

absl::Status SinkRun::OpenAgain(absl::Status cause) {
  const absl::Time until = options_.timing.now() + options_.patience;
  for (absl::Duration full = absl::Seconds(1);; full = std::min(2 * full, kLongestWait)) {
    const absl::Duration wait = full * (1 - options_.timing.random() / 2);
    if (options_.timing.now() + wait >= until) return cause;
    Note(absl::StrCat(cause.message(), "; tries again in ",
                      absl::FormatDuration(absl::Trunc(wait, absl::Milliseconds(100)))));
    if (options_.timing.wait(wait)) {
      return absl::CancelledError("the caller cancelled the extraction");
    }
    auto opened = sink_->Open();
    if (opened.ok()) {
      committed_ = *std::move(opened);
      return absl::OkStatus();
    }
    if (!absl::IsUnavailable(opened.status())) return opened.status();
    cause = opened.status();
  }
}

void SinkRun::Note(const std::string& text) const {
  if (options_.on_note) options_.on_note(text);
}

}  // namespace intercom_extractor

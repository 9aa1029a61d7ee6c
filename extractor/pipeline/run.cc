#include "extractor/pipeline/run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "extractor/pipeline/proto_duration.h"

namespace intercom_extractor {
namespace {

// A malformed answer is fetched this often before its healthy records are
// salvaged: most are accidents of one moment.
constexpr int kMalformedTries = 3;
// Rows wait no longer than this for their batch to fill, and a look at them every half
// of it finds those that have waited so long.
constexpr absl::Duration kMaxBatchAge = absl::Milliseconds(200);

const std::string& TableName(int table) { return TableCatalog::Get().tables()[table].name(); }

}  // namespace

struct Run::RowsFetch {
  ApiRequest request;
  Reading reading;
  std::function<void(absl::StatusOr<PageInfo>)> done;
  ApiAnswer answer;
  int malformed_tries = 0;
  bool salvage = false;
};

Run::Run(RunReport* report, IntercomClient* client, IntercomClient::GroupId group,
         EventQueue* events, LiveProgress* live, std::shared_ptr<Strand> strand)
    : report_(report),
      client_(client),
      group_(group),
      events_(events),
      live_(live),
      strand_(std::move(strand)),
      plan_(report->tables()),
      batcher_(
          report, [this](Event event) { Push(std::move(event)); },
          [this](int table, size_t bytes) {
            report_->SetPartial(table);
            Notify(table, v1::NOTICE_CODE_ROW_TOO_LARGE, v1::SEVERITY_WARNING, "",
                   absl::StrCat("a row of ", bytes,
                                " bytes exceeds what clients accept (64 MiB) "
                                "and was left out"));
          }),
      checkpointer_(report, &batcher_, client->clock()->Now(),
                    [this](const v1::ExtractResponse& event) {
                      Emit(event);
                      live_->OnCheckpoint(Now());
                    }),
      unit_(TableCatalog::Get().tables().size()),
      begun_(client->clock()->Now()) {}

void Run::Push(Event event) {
  const absl::Time before = Now();
  live_->BeginPush(before);
  if (!events_->Push(std::move(event))) cancelled_ = true;
  const absl::Time after = Now();
  live_->EndPush(after);
  waited_for_consumer_ += after - before;
}

void Run::Fetch(ApiRequest request, RequestPlan::Line* line, TableSet tables,
                std::function<void(ApiAnswer)> done) {
  if (cancelled_) return;
  report_->AddRequest(tables);
  if (!request.is_repeat) line->Ask();
  client_->Fetch(
      group_, std::move(request),
      [this, strand = strand_, done = std::move(done)](ApiAnswer answer) mutable {
        strand->Post([this, done = std::move(done), answer = std::move(answer)]() mutable {
          if (answer.status.ok()) answer.status = answer.body.Load();
          done(std::move(answer));
          NoteFirstEstimate();
        });
      });
}

void Run::NoteFirstEstimate() {
  if (!first_estimate_.has_value() && plan_.Known()) first_estimate_ = plan_.Total();
}

void Run::After(absl::Duration delay, std::function<void()> work) {
  strand_->PostAfter(delay, std::move(work));
}

void Run::FetchRows(const ApiRequest& request, const Reading& reading,
                    std::function<void(absl::StatusOr<PageInfo>)> done) {
  auto fetch = std::make_shared<RowsFetch>();
  fetch->request = request;
  fetch->reading = reading;
  fetch->done = std::move(done);
  Refetch(fetch);
}

void Run::AddAnswer(ApiAnswer answer, const Reading& reading,
                    std::function<void(absl::StatusOr<PageInfo>)> done) {
  auto fetch = std::make_shared<RowsFetch>();
  fetch->request.repeatable = false;
  fetch->reading = reading;
  fetch->done = std::move(done);
  fetch->answer = std::move(answer);
  fetch->salvage = reading.salvage || fetch->answer.body.in_file();
  Process(fetch);
}

void Run::Refetch(const std::shared_ptr<RowsFetch>& fetch) {
  ApiRequest request = fetch->request;
  request.is_repeat = fetch->malformed_tries > 0;
  Fetch(std::move(request), fetch->reading.line, fetch->reading.tables,
        [this, fetch](ApiAnswer answer) {
          if (!answer.status.ok()) {
            fetch->done(answer.status);
            return;
          }
          fetch->answer = std::move(answer);
          // Too large for memory: read in pieces from the start.
          fetch->salvage = fetch->reading.salvage || fetch->answer.body.in_file() ||
                           fetch->malformed_tries + 1 >= kMalformedTries;
          Process(fetch);
        });
}

void Run::Process(const std::shared_ptr<RowsFetch>& fetch) {
  if (!fetch->reading.before && !fetch->reading.wanted) {
    MakeRows(fetch);
    return;
  }
  const auto before = [&](const PageReader::Record& record) {
    if (fetch->reading.before) fetch->reading.before(record);
    return absl::OkStatus();
  };
  // Its errors come again below.
  absl::StatusOr<PageInfo> info = Read(fetch.get(), before, /*report=*/false);
  if (fetch->reading.wanted && info.ok() && info->complete && !fetch->reading.wanted(*info)) {
    fetch->answer.body = ResponseBody();
    fetch->done(std::move(info));
    return;
  }
  if (!fetch->reading.after) {
    MakeRows(fetch);
    return;
  }
  fetch->reading.after([this, fetch] { MakeRows(fetch); });
}

absl::StatusOr<PageInfo> Run::Read(RowsFetch* fetch, PageReader::OnRecord on_record, bool report) {
  if (!fetch->salvage) return fetch->reading.reader->Read(&fetch->answer.body, on_record);
  const auto on_malformed = [&](const std::string& what) {
    if (!report) return;
    for (const TableInfo* table : report_->tables()) {
      if (!fetch->reading.tables.test(table->index)) continue;
      report_->SetPartial(table->index);
      Notify(table->index, v1::NOTICE_CODE_RECORD_MALFORMED, v1::SEVERITY_WARNING, "",
             absl::StrCat(fetch->reading.operation, ": a record is missing: ", what),
             fetch->answer.request_id);
    }
  };
  return fetch->reading.reader->Salvage(&fetch->answer.body, on_record, on_malformed);
}

void Run::MakeRows(const std::shared_ptr<RowsFetch>& fetch) {
  unit_.Clear();
  batcher_.LendMemory(fetch->reading.tables, &unit_);
  if (fetch->reading.begin) fetch->reading.begin();
  const auto on_record = [&](const PageReader::Record& record) -> absl::Status {
    if (cancelled_) return absl::CancelledError("cancelled");
    fetch->reading.on_record(record, &unit_);
    if (!fetch->salvage) return absl::OkStatus();
    // An answer that is read in pieces is too large to be kept as a unit.
    size_t pending = 0;
    for (const auto& table : unit_.tables()) pending += table.bytes.size();
    if (pending > Batcher::kTargetBytes) Commit(*fetch);
    return absl::OkStatus();
  };
  absl::StatusOr<PageInfo> info = Read(fetch.get(), on_record, /*report=*/true);
  if (cancelled_) return;
  if (info.ok()) {
    Commit(*fetch);
    // Not needed any more, and `done` may keep `fetch` for long.
    fetch->answer.body = ResponseBody();
    if (!info->complete) {
      info = StatusWithReason(
          absl::StatusCode::kDataLoss, "ANSWER_MALFORMED",
          absl::StrCat(fetch->reading.operation, ": the answer ends early; its first ",
                       info->records, " records were kept"));
    }
    fetch->done(std::move(info));
    // Now the walk knows what comes next.
    checkpointer_.OnUnit(Now());
    return;
  }
  unit_.Clear();
  if (absl::IsDataLoss(info.status()) && !fetch->request.repeatable) {
    fetch->done(
        StatusWithReason(absl::StatusCode::kAborted, "SCROLL_BROKEN",
                         absl::StrCat(fetch->reading.operation, ": ", info.status().message())));
    return;
  }
  if (absl::IsDataLoss(info.status()) && !fetch->salvage) {
    ++fetch->malformed_tries;
    Refetch(fetch);
    return;
  }
  fetch->done(
      StatusWithReason(info.status().code(), "ANSWER_MALFORMED",
                       absl::StrCat(fetch->reading.operation, ": ", info.status().message())));
}

void Run::Commit(const RowsFetch& fetch) {
  for (const UnitRows::RowNotice& notice : unit_.notices()) {
    Notify(notice.table, notice.code, v1::SEVERITY_INFO, notice.record_id, notice.message);
  }
  AddToBatches(&unit_, fetch.answer.received_at);
  if (fetch.reading.on_commit) fetch.reading.on_commit();
}

void Run::AddToBatches(UnitRows* unit, absl::Time received_at) {
  batcher_.Add(unit, received_at);
  // Whoever looks at a new stream wants to see rows, not full batches.
  batcher_.FlushFirst();
  FlushSoon();
}

void Run::FlushSoon() {
  if (flush_planned_ || !batcher_.AnyWaits()) return;
  flush_planned_ = true;
  After(kMaxBatchAge / 2, [this] {
    flush_planned_ = false;
    batcher_.FlushOlderThan(kMaxBatchAge / 2, Now());
    FlushSoon();
  });
}

void Run::RestartTable(int table, const std::string& reason) {
  batcher_.Drop(table);
  v1::ExtractResponse event;
  v1::TableRestarted* restarted = event.mutable_table_restarted();
  restarted->set_table(TableName(table));
  restarted->set_generation(report_->Restart(table));
  restarted->set_reason(reason);
  Emit(event);
}

void Run::RestartTables(TableSet tables, const std::string& reason) {
  for (const TableInfo* table : report_->tables()) {
    if (tables.test(table->index) && !report_->Failed(table->index)) {
      RestartTable(table->index, reason);
    }
  }
}

void Run::Notify(int table, v1::NoticeCode code, v1::Severity severity,
                 const std::string& record_id, const std::string& message,
                 const std::string& request_id) {
  if (!report_->CountNotice(TableName(table), code)) return;
  v1::ExtractResponse event;
  v1::Notice* notice = event.mutable_notice();
  notice->set_code(code);
  notice->set_severity(severity);
  notice->set_table(TableName(table));
  notice->set_record_id(record_id);
  notice->set_message(message);
  notice->set_request_id(request_id);
  Emit(event);
}

void Run::NotifyOnce(TableSet tables, v1::NoticeCode code, v1::Severity severity,
                     const std::string& message) {
  for (const TableInfo* table : report_->tables()) {
    if (!tables.test(table->index)) continue;
    Notify(table->index, code, severity, "", message);
    return;
  }
}

void Run::FailTables(TableSet tables, const absl::Status& why) {
  for (const TableInfo* table : report_->tables()) {
    if (!tables.test(table->index) || !report_->Fail(table->index, why)) continue;
    Notify(table->index, v1::NOTICE_CODE_TABLE_FAILED, v1::SEVERITY_ERROR, "",
           std::string(why.message()), RequestIdOf(why));
  }
}

void Run::FailDetail(TableSet tables, const std::string& record_id, const absl::Status& why) {
  if (absl::IsPermissionDenied(why) || absl::IsUnauthenticated(why)) {
    FailTables(tables, why);
    return;
  }
  // One notice is enough for all tables that the record feeds.
  bool notified = false;
  for (const TableInfo* table : report_->tables()) {
    if (!tables.test(table->index)) continue;
    if (absl::IsNotFound(why)) {
      if (!notified) {
        Notify(table->index, v1::NOTICE_CODE_RECORD_GONE, v1::SEVERITY_INFO, record_id,
               absl::StrCat("it was deleted or merged after it was listed: ", why.message()),
               RequestIdOf(why));
      }
    } else {
      report_->SetPartial(table->index);
      if (!notified) {
        Notify(table->index, v1::NOTICE_CODE_DETAILS_FAILED, v1::SEVERITY_WARNING, record_id,
               absl::StrCat("its rows are missing: ", why.message()), RequestIdOf(why));
      }
    }
    notified = true;
  }
}

void Run::Tick() {
  v1::ExtractResponse event;
  v1::Progress* progress = event.mutable_progress();
  const RequestCounters counters = client_->Counters(group_);
  report_->Fill(progress, Now(), counters);
  AdvanceLedger(counters);
  ledger_.Fill(progress->mutable_time_spent());
  progress->set_waiting_for(WaitingFor(counters));
  if (const auto quota = client_->Quota()) {
    progress->mutable_quota()->set_limit(quota->limit);
    progress->mutable_quota()->set_remaining(quota->remaining);
  }
  FillForecast(counters, progress);
  // First: with a reader that takes nothing it is long until the event is in the queue.
  live_->Publish(*progress, *report_, Now());
  Emit(event);
  checkpointer_.OnTick(Now());
}

void Run::FillForecast(const RequestCounters& counters, v1::Progress* progress) const {
  if (!plan_.Known()) return;
  const Estimate total = plan_.Total();
  total.Fill(progress->mutable_requests_planned());
  const int64_t made = counters.sent - counters.retries;
  const int64_t left = std::max<int64_t>(0, total.likely - made);
  absl::Duration remaining;
  if (const auto quota = client_->Quota()) remaining = quota->TimeFor(left);
  if (made > 0) {
    remaining = std::max(remaining,
                         (Now() - begun_) * static_cast<double>(left) / static_cast<double>(made));
  }
  *progress->mutable_remaining() = ToProto(remaining);
}

void Run::Summarize() {
  v1::ExtractResponse event;
  const RequestCounters counters = client_->Counters(group_);
  report_->Fill(event.mutable_summary(), Now(), counters);
  AdvanceLedger(counters);
  ledger_.Fill(event.mutable_summary()->mutable_time_spent());
  plan_.Fill(event.mutable_summary()->mutable_plan());
  if (first_estimate_.has_value()) {
    first_estimate_->Fill(event.mutable_summary()->mutable_first_estimate());
  }
  event.mutable_summary()->mutable_started_at()->set_seconds(absl::ToUnixSeconds(started_at_));
  Emit(event);
}

void Run::AdvanceLedger(const RequestCounters& counters) {
  ledger_.Advance(
      {Now() - begun_, strand_->BusyFor(), waited_for_consumer_, counters.held_by_quota_for});
}

v1::WaitReason Run::WaitingFor(const RequestCounters& counters) const {
  if (events_->ProducerWaits()) return v1::WAIT_REASON_CONSUMER;
  if (counters.held_by_quota) return v1::WAIT_REASON_QUOTA;
  if (counters.in_flight > 0) return v1::WAIT_REASON_INTERCOM;
  if (counters.waiting_for_retry > 0) return v1::WAIT_REASON_RETRY;
  if (waiting_for_scroll_) return v1::WAIT_REASON_SCROLL;
  return v1::WAIT_REASON_UNSPECIFIED;
}

}  // namespace intercom_extractor

#ifndef EXTRACTOR_PIPELINE_RUN_H_
#define EXTRACTOR_PIPELINE_RUN_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/batcher.h"
#include "extractor/pipeline/checkpointer.h"
#include "extractor/pipeline/event.h"
#include "extractor/pipeline/event_queue.h"
#include "extractor/pipeline/live_progress.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/pipeline/time_ledger.h"
#include "extractor/plan/request_plan.h"
#include "extractor/sync/strand.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/unit_rows.h"

namespace intercom_extractor {

// What the walks of one extraction share: requests, rows, notices, failures.
// Everything happens on the strand; a slow consumer blocks it, which is how it
// slows the requests to Intercom.
class Run {
 public:
  // All must outlive the run.
  Run(RunReport* report, IntercomClient* client, IntercomClient::GroupId group, EventQueue* events,
      LiveProgress* live, std::shared_ptr<Strand> strand);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  RunReport& report() { return *report_; }
  Checkpointer& checkpointer() { return checkpointer_; }
  RequestPlan& plan() { return plan_; }
  absl::Time Now() const { return client_->clock()->Now(); }
  IntercomClient* client() { return client_; }
  IntercomClient::GroupId group() const { return group_; }
  // The consumer has gone; whatever is done now is in vain.
  bool cancelled() const { return cancelled_; }

  // Sends a request of the plan's `line` for these tables; `done` runs on the
  // strand.
  void Fetch(ApiRequest request, RequestPlan::Line* line, TableSet tables,
             std::function<void(ApiAnswer)> done);

  // How the records of an answer become rows.
  struct Reading {
    PageReader* reader = nullptr;
    // Called before rows are made, and again when the answer is read anew. May
    // be empty, like all below but `on_record`.
    std::function<void()> begin;
    // Appends the record's rows to `unit`. For an answer that is read in pieces
    // called once per piece.
    std::function<void(const PageReader::Record&, UnitRows*)> on_record;
    // Called whenever the rows made so far were committed: once, or for a large
    // answer several times, the last records maybe being cut off.
    std::function<void()> on_commit;
    // Reads the whole answer once before, without making rows; then `after`
    // calls its argument once the rows can be made. Both or neither.
    std::function<void(const PageReader::Record&)> before;
    std::function<void(std::function<void()>)> after;
    // Whether the answer's rows are wanted at all, as what is around its records
    // says. When not, none are made and `done` follows at once.
    std::function<bool(const PageInfo&)> wanted;
    // Takes the healthy records out of a malformed answer at once.
    bool salvage = false;
    // Tables that malformed records are reported for.
    TableSet tables;
    // Where the request is planned. Not needed for an answer that is here.
    RequestPlan::Line* line = nullptr;
    std::string operation;
  };

  // Fetches an answer and commits its rows as one unit. A malformed answer is
  // fetched again twice; then the healthy records are taken out of it and the
  // others reported. One that may not be fetched again is kAborted, unless
  // `salvage` is set. `done` gets kDataLoss when the answer's end is missing, and
  // ApiAnswer's errors.
  void FetchRows(const ApiRequest& request, const Reading& reading,
                 std::function<void(absl::StatusOr<PageInfo>)> done);

  // The same with an answer that is here already and cannot be had again.
  void AddAnswer(ApiAnswer answer, const Reading& reading,
                 std::function<void(absl::StatusOr<PageInfo>)> done);

  // Commits rows that were made before, leaving `unit` empty.
  void AddRows(UnitRows* unit) { AddToBatches(unit, Now()); }

  void After(absl::Duration delay, std::function<void()> work);
  // Runs `work` on the strand. To be called on any thread.
  void Post(std::function<void()> work) { strand_->Post(std::move(work)); }

  // A table begins anew: what has been streamed of it is void.
  void RestartTable(int table, const std::string& reason);
  // The same for those of the tables that have not failed.
  void RestartTables(TableSet tables, const std::string& reason);

  void Notify(int table, v1::NoticeCode code, v1::Severity severity, const std::string& record_id,
              const std::string& message, const std::string& request_id = "");
  // One notice for all tables that the same records feed, at the first of them.
  void NotifyOnce(TableSet tables, v1::NoticeCode code, v1::Severity severity,
                  const std::string& message);
  // Ends the tables with this error; the rest goes on.
  void FailTables(TableSet tables, const absl::Status& why);
  // A detail of a record could not be had: gone with its record (a notice),
  // forbidden (ends the tables) or failed (the tables are partial).
  void FailDetail(TableSet tables, const std::string& record_id, const absl::Status& why);

  // Whether the walks are to say how many rows each record has in the tables below it.
  void set_with_parents(bool with_parents) { with_parents_ = with_parents; }
  bool with_parents() const { return with_parents_; }

  // Emits what waits and how far it is, and tells those who watch.
  void Tick();
  // Emits the last event.
  void Summarize();
  // When the extraction began, on Intercom's clock, for the summary.
  void set_started_at(absl::Time time) { started_at_ = time; }
  void Emit(const v1::ExtractResponse& event) { Push(Event(event.SerializeAsString())); }

  // Walks that wait for a foreign company scroll say so here.
  void set_waiting_for_scroll(bool waiting) { waiting_for_scroll_ = waiting; }

 private:
  struct RowsFetch;

  void Push(Event event);
  void Process(const std::shared_ptr<RowsFetch>& fetch);
  void MakeRows(const std::shared_ptr<RowsFetch>& fetch);
  void Refetch(const std::shared_ptr<RowsFetch>& fetch);
  absl::StatusOr<PageInfo> Read(RowsFetch* fetch, PageReader::OnRecord on_record, bool report);
  void Commit(const RowsFetch& fetch);
  void AddToBatches(UnitRows* unit, absl::Time received_at);
  void FlushSoon();
  void AdvanceLedger(const RequestCounters& counters);
  void NoteFirstEstimate();
  void FillForecast(const RequestCounters& counters, v1::Progress* progress) const;
  v1::WaitReason WaitingFor(const RequestCounters& counters) const;

  RunReport* const report_;
  IntercomClient* const client_;
  const IntercomClient::GroupId group_;
  EventQueue* const events_;
  LiveProgress* const live_;
  const std::shared_ptr<Strand> strand_;
  RequestPlan plan_;
  // Once every line was known.
  std::optional<Estimate> first_estimate_;
  Batcher batcher_;
  Checkpointer checkpointer_;
  UnitRows unit_;
  const absl::Time begun_;
  absl::Time started_at_;
  TimeLedger ledger_;
  absl::Duration waited_for_consumer_;
  bool with_parents_ = false;
  bool flush_planned_ = false;
  bool cancelled_ = false;
  bool waiting_for_scroll_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_RUN_H_

#include "extractor/pipeline/extraction.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "extractor/checkpoint/resume_token.h"
#include "extractor/pipeline/company_walk.h"
#include "extractor/pipeline/contact_walk.h"
#include "extractor/pipeline/conversation_walk.h"
#include "extractor/pipeline/incremental.h"
#include "extractor/pipeline/list_walk.h"
#include "extractor/pipeline/live_progress.h"
#include "extractor/pipeline/resume_point.h"
#include "extractor/pipeline/role_resolver.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/pipeline/segment_list.h"
#include "extractor/pipeline/walk.h"
#include "extractor/pipeline/workspace.h"
#include "extractor/sync/strand.h"
#include "extractor/tables/request_tables.h"
#include "extractor/tables/table_catalog.h"

namespace intercom_extractor {
namespace {

// Users watch the progress bar; the promise to clients is every 10 s.
constexpr absl::Duration kTick = absl::Seconds(1);
// What is waited for takes minutes.
constexpr absl::Duration kAgeCheck = absl::Milliseconds(100);
// A host that does not answer should be told within seconds.
constexpr int kFirstRequestAttempts = 3;

class ExtractionImpl final : public Extraction {
 public:
  ExtractionImpl(RequestTables tables, v1::BodyFormat body_format, const Incremental& incremental,
                 bool with_parents, ResumePoint resume_point, IntercomClient* client,
                 EventQueue* events, const ScrollDrain::Options& scroll,
                 std::shared_ptr<LiveProgress> live)
      : tables_(std::move(tables)),
        body_format_(body_format),
        incremental_(incremental),
        resume_point_(std::move(resume_point)),
        scroll_(scroll),
        client_(client),
        group_(client->NewGroup()),
        events_(events),
        live_(std::move(live)),
        strand_(std::make_shared<Strand>(client->clock())),
        report_(tables_.tables(), client->clock()->Now()),
        run_(&report_, client, group_, events, live_.get(), strand_),
        roles_(&run_) {
    run_.set_with_parents(with_parents);
    if (resume_point_.earlier().has_value()) report_.Restore(*resume_point_.earlier());
  }

  ~ExtractionImpl() override {
    ExtractionImpl::Cancel();
    // Waits for the strand's thread; whatever the HTTP loop posts later is dropped.
    strand_->Join();
    live_->PublishTotals(report_);
  }

  void Start() override {
    strand_->Start();
    strand_->Post([this] { CheckToken(); });
  }

  void Drain() override {
    strand_->Post([this] { EndEarly("SERVER_STOPPING", "this server is stopping"); });
  }

  void DrainAfter(absl::Duration age, absl::Duration grace) override {
    strand_->PostAfter(age, [this, end = run_.Now() + age + grace] { EndByAge(end); });
  }

  void Cancel() override {
    // First, or the requests that end now would end the tables and the run.
    strand_->Stop();
    client_->CancelGroup(group_);
    events_->Cancel();
  }

 private:
  // At the latest at `end`.
  void EndByAge(absl::Time end) {
    const bool begins_anew = std::any_of(walks_.begin(), walks_.end(),
                                         [](const auto& walk) { return walk.first->BeginsAnew(); });
    if (begins_anew && run_.Now() < end) {
      strand_->PostAfter(kAgeCheck, [this, end] { EndByAge(end); });
      return;
    }
    EndEarly("CONNECTION_AGE", "this stream has reached the server's limit");
  }

  // Not because anything failed: another call goes on where this one ends.
  void EndEarly(absl::string_view reason, absl::string_view why) {
    run_.checkpointer().Finish(run_.Now());
    client_->CancelGroup(group_);
    events_->Finish(StatusWithReason(
        absl::StatusCode::kUnavailable, reason,
        absl::StrCat(why, "; call again, with the resume token of the last checkpoint")));
    strand_->Stop();
  }

  // One request before all others: a wrong token or host ends the run with one
  // error instead of one per table, and its answer teaches the quota.
  void CheckToken() {
    Tick();
    ApiRequest request;
    request.operation = "GET /me";
    request.path_and_query = "/me";
    request.priority = Priority::kPage;
    request.max_attempts = kFirstRequestAttempts;
    RequestPlan::Line* line = run_.plan().AddLine(request.operation, v1::READ_WAY_LIST, TableSet());
    line->Explain("says what workspace it is, its time zone and the quota");
    line->End();
    run_.Fetch(std::move(request), line, TableSet(), [this](ApiAnswer answer) {
      const std::string reason = ReasonOf(answer.status);
      if (reason == "TOKEN_INVALID" || reason == "INTERCOM_UNREACHABLE") {
        events_->Finish(answer.status);
        strand_->Stop();
        return;
      }
      // Anything else is for the tables' own requests to find out.
      ContactWalk::Workspace workspace;
      if (answer.status.ok()) workspace.time_zone = ReadWorkspace(&answer.body).time_zone();
      workspace.start = resume_point_.start().value_or(answer.server_time.value_or(run_.Now()));
      workspace.incremental = incremental_;
      run_.set_started_at(workspace.start);
      // Not before: until the walks are there, the token that came stays the last.
      run_.checkpointer().Enable(resume_point_.number(), [this, workspace](int64_t number) {
        return resume_point_.MakeToken(number, workspace.start, run_.Now(), report_, Walks());
      });
      StartWalks(workspace);
    });
  }

  void StartWalks(const ContactWalk::Workspace& workspace) {
    const TableSet contacts = ContactWalk::TablesOf(report_.tables());
    const TableSet conversations = ConversationWalk::TablesOf(report_.tables());
    // The scroll first: it is the only walk that cannot wait.
    for (const TableInfo* table : report_.tables()) {
      if (table->name() == "companies") {
        Add([&] { return std::make_unique<CompanyWalk>(&run_, table, scroll_); }, {table});
      }
    }
    for (const TableInfo* table : report_.tables()) {
      const std::vector<ListWalk::List> lists = ListWalk::ListsOf(*table);
      if (lists.empty()) continue;
      Add([&] { return std::make_unique<ListWalk>(&run_, table, lists, &segments_); }, {table});
    }
    if (contacts.any()) {
      RoleResolver* const roles = conversations.any() ? &roles_ : nullptr;
      Add(
          [&] {
            return std::make_unique<ContactWalk>(&run_, report_.tables(), roles, &segments_,
                                                 workspace);
          },
          Those(contacts));
    }
    if (conversations.any()) {
      Add(
          [&] {
            return std::make_unique<ConversationWalk>(&run_, report_.tables(), &roles_,
                                                      body_format_, workspace.start, incremental_);
          },
          Those(conversations));
    }
    if (resume_point_.earlier().has_value()) {
      for (auto& [walk, tables] : walks_) walk->Restore(*resume_point_.earlier());
    }
    // All but one may end before the next begins.
    walks_left_ = walks_.size() + 1;
    for (auto& [walk, tables] : walks_) {
      walk->Start([this, tables = tables] {
        report_.SetDone(tables);
        OnWalkEnd();
      });
    }
    OnWalkEnd();
  }

  void OnWalkEnd() {
    // Not at once: a walk may call this while it is still at work.
    if (--walks_left_ == 0) strand_->Post([this] { End(); });
  }

  // Nothing for tables that an earlier stream gave to their end.
  void Add(const std::function<std::unique_ptr<Walk>()>& make,
           const std::vector<const TableInfo*>& tables) {
    TableSet set;
    for (const TableInfo* table : tables) set.set(table->index);
    if (!report_.Done(set)) walks_.emplace_back(make(), set);
  }

  std::vector<const Walk*> Walks() const {
    std::vector<const Walk*> walks;
    walks.reserve(walks_.size());
    for (const auto& [walk, tables] : walks_) walks.push_back(walk.get());
    return walks;
  }

  std::vector<const TableInfo*> Those(TableSet set) const {
    std::vector<const TableInfo*> result;
    for (const TableInfo* table : report_.tables()) {
      if (set.test(table->index)) result.push_back(table);
    }
    return result;
  }

  void Tick() {
    run_.Tick();
    strand_->PostAfter(kTick, [this] { Tick(); });
  }

  void End() {
    const absl::Status status = report_.OverallStatus();
    if (status.ok()) {
      run_.checkpointer().Finish(run_.Now());
      // The last progress shows every table at its end.
      run_.Tick();
      run_.Summarize();
    }
    events_->Finish(status);
    strand_->Stop();
  }

  // First: all others read these tables.
  const RequestTables tables_;
  const v1::BodyFormat body_format_;
  const Incremental incremental_;
  const ResumePoint resume_point_;
  const ScrollDrain::Options scroll_;
  IntercomClient* const client_;
  const IntercomClient::GroupId group_;
  EventQueue* const events_;
  const std::shared_ptr<LiveProgress> live_;
  const std::shared_ptr<Strand> strand_;

  // On the strand.
  RunReport report_;
  Run run_;
  RoleResolver roles_;
  SegmentList segments_;
  std::vector<std::pair<std::unique_ptr<Walk>, TableSet>> walks_;
  size_t walks_left_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Extraction>> Extraction::Create(const v1::ExtractRequest& request,
                                                               IntercomClient* client,
                                                               EventQueue* events,
                                                               const std::string& caller,
                                                               const ScrollDrain::Options& scroll,
                                                               std::shared_ptr<LiveProgress> live) {
  auto tables = TableCatalog::Get().Select(
      request.template_(),
      std::vector<std::string>(request.tables().begin(), request.tables().end()));
  if (!tables.ok()) {
    return StatusWithReason(tables.status().code(), "BAD_REQUEST", tables.status().message());
  }
  absl::StatusOr<RequestTables> treated = RequestTables::Create(
      *tables, std::vector<std::string>(request.columns().begin(), request.columns().end()),
      client->connection().privacy);
  if (!treated.ok()) {
    return StatusWithReason(treated.status().code(), "BAD_REQUEST", treated.status().message());
  }
  const absl::Time now = client->clock()->Now();
  const absl::StatusOr<Incremental> incremental = IncrementalOf(request, now);
  if (!incremental.ok()) return incremental.status();
  absl::StatusOr<ResumePoint> resume_point = ResumePoint::Create(
      request, treated->tables(), *incremental, client->connection(), caller, now);
  if (!resume_point.ok()) return resume_point.status();
  return std::unique_ptr<Extraction>(new ExtractionImpl(
      *std::move(treated), request.body_format(), *incremental, request.with_parents(),
      *std::move(resume_point), client, events, scroll, std::move(live)));
}

}  // namespace intercom_extractor

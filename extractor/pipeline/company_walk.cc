#include "extractor/pipeline/company_walk.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

// POST /companies/list gives no more than this, 60 a page.
constexpr int64_t kListLimit = 10000;
constexpr int kListPerPage = 60;
constexpr int64_t kScrollPage = 100;

}  // namespace

CompanyWalk::CompanyWalk(Run* run, const TableInfo* table, const ScrollDrain::Options& scroll)
    : run_(run),
      table_(table->index),
      converter_(v1::SOURCE_RECORD_COMPANY, {table}),
      id_(converter_.shape()->AddValue(-1, "id")),
      reader_({"data", "companies"}, "", converter_.shape()),
      count_reader_({"data", "companies"}, "", converter_.shape()),
      drain_(std::make_unique<ScrollDrain>(run->client(), run->group(), table, scroll,
                                           [this] { run_->Post([this] { TakeNext(); }); })) {
  tables_.set(table_);
  RequestPlan& plan = run_->plan();
  count_line_ = plan.AddLine("GET /companies", v1::READ_WAY_LIST, tables_);
  count_line_->Explain("counts the companies; the scroll does not say how many there are");
  count_line_->Expect(Estimate::Exactly(1));
  scroll_line_ = plan.AddLine("GET /companies/scroll", v1::READ_WAY_SCROLL, tables_);
  scroll_line_->Explain("Intercom's count leaves out companies without users");
  list_line_ = plan.AddLine("POST /companies/list", v1::READ_WAY_LIST, tables_);
  list_line_->End();
}

Estimate ScrollPages(int64_t companies_with_users) {
  // That companies without users are no more than the others is a guess.
  const int64_t pages = (companies_with_users + kScrollPage - 1) / kScrollPage + 1;
  return {pages, pages, 2 * pages};
}

void CompanyWalk::Start(std::function<void()> done) {
  done_ = std::move(done);
  drain_->Start();
  Count();
}

void CompanyWalk::Restore(const resume::State& /*state*/) {
  if (run_->report().Rows(table_) == 0) return;
  run_->RestartTable(table_,
                     "the company scroll cannot be continued after an interruption; companies are "
                     "read anew");
}

void CompanyWalk::Count() {
  ApiRequest request;
  request.operation = "GET /companies";
  request.path_and_query = "/companies?per_page=1";
  request.priority = Priority::kPage;
  Run::Reading reading;
  reading.operation = request.operation;
  reading.reader = &count_reader_;
  reading.line = count_line_;
  reading.on_record = [](const PageReader::Record&, UnitRows*) {};
  run_->FetchRows(request, reading, [this](const absl::StatusOr<PageInfo>& info) {
    if (drain_ == nullptr) return;
    Estimate further = ScrollPages(info.ok() ? info->total_count.value_or(0) : 0);
    const int64_t asked = scroll_line_->asked();
    for (int64_t* bound : {&further.min, &further.likely, &further.max}) {
      *bound = std::max<int64_t>(0, *bound - asked);
    }
    scroll_line_->Expect(further);
    if (info.ok() && info->total_count.has_value()) {
      run_->report().SetExpected(table_, *info->total_count);
    }
  });
}

Run::Reading CompanyWalk::MakeReading(const std::string& operation) {
  Run::Reading reading;
  reading.operation = operation;
  reading.reader = &reader_;
  reading.tables = tables_;
  reading.begin = [this] { watch_.BeginPage(); };
  reading.on_record = [this](const PageReader::Record& record, UnitRows* unit) {
    const std::string_view id = record.values->Get(*converter_.shape(), id_, 0).text;
    watch_.AddRecord(absl::string_view(id.data(), id.size()));
    converter_.Convert(*record.values, RecordContext(), unit);
  };
  return reading;
}

void CompanyWalk::TakeNext() {
  // The walk may have ended before the drain did.
  if (drain_ == nullptr) return;
  std::optional<ScrollDrain::Event> event = drain_->Take();
  for (int64_t left = drain_->TakeRequests(); left > 0; --left) {
    run_->report().AddRequest(tables_);
    scroll_line_->Ask();
  }
  if (event.has_value()) OnEvent(*std::move(event));
}

void CompanyWalk::OnEvent(ScrollDrain::Event event) {
  using Kind = ScrollDrain::Event::Kind;
  run_->set_waiting_for_scroll(event.kind == Kind::kBusy);
  switch (event.kind) {
    case Kind::kPage:
      OnPage(std::move(event.page), event.salvage);
      return;
    case Kind::kEnded:
      OnEnded(event.status);
      return;
    case Kind::kBusy:
      run_->Notify(table_, v1::NOTICE_CODE_SCROLL_BUSY, v1::SEVERITY_INFO, "", event.message);
      break;
    case Kind::kPaused:
      run_->Notify(table_, v1::NOTICE_CODE_SCROLL_PAUSED, v1::SEVERITY_INFO, "", event.message);
      break;
    case Kind::kRestarted:
      run_->RestartTable(table_, event.message);
      break;
  }
  run_->Post([this] { TakeNext(); });
}

void CompanyWalk::OnPage(ApiAnswer page, bool salvage) {
  Run::Reading reading = MakeReading("GET /companies/scroll");
  reading.salvage = salvage;
  run_->AddAnswer(std::move(page), reading, [this](const absl::StatusOr<PageInfo>& info) {
    if (!info.ok()) {
      End(info.status());
      return;
    }
    if (info->total_count.has_value()) run_->report().SetExpected(table_, *info->total_count);
    // Others' answers come in between.
    run_->Post([this] { TakeNext(); });
  });
}

void CompanyWalk::OnEnded(const absl::Status& status) {
  if (ReasonOf(status) != "SCROLL_BUSY") {
    End(status);
    return;
  }
  watch_ = ProgressWatch();
  scroll_line_->End();
  ReadListPage(1);
}

void CompanyWalk::ReadListPage(int64_t page) {
  ApiRequest request;
  request.operation = "POST /companies/list";
  request.method = "POST";
  request.path_and_query = absl::StrCat("/companies/list?page=", page, "&per_page=", kListPerPage);
  request.body = "{}";
  request.priority = Priority::kPage;
  Run::Reading reading = MakeReading(request.operation);
  reading.line = list_line_;
  run_->FetchRows(request, reading, [this, page](const absl::StatusOr<PageInfo>& info) {
    if (!info.ok()) {
      End(StatusWithReason(
          absl::StatusCode::kUnavailable, "SCROLL_BUSY",
          absl::StrCat("another app keeps the workspace's company scroll open, and the list "
                       "cannot serve instead (",
                       info.status().message(), "); run again when the other app is done")));
      return;
    }
    if (info->total_count.value_or(0) > kListLimit) {
      End(StatusWithReason(
          absl::StatusCode::kUnavailable, "SCROLL_BUSY",
          absl::StrCat("another app keeps the workspace's company scroll open, and the list "
                       "gives only ",
                       kListLimit, " of ", *info->total_count,
                       " companies; run again when the other app is done")));
      return;
    }
    const bool fresh = watch_.EndPage();
    const bool more = !NextPageParameter(*info, page).empty();
    if (more && fresh) {
      ReadListPage(page + 1);
      return;
    }
    run_->report().SetPartial(table_);
    run_->Notify(table_, v1::NOTICE_CODE_COMPANIES_WITHOUT_USERS_NOT_LISTED, v1::SEVERITY_WARNING,
                 "",
                 "the company scroll was taken by another app; the list served instead, "
                 "which leaves out companies without users");
    End(absl::OkStatus());
  });
}

void CompanyWalk::End(const absl::Status& status) {
  drain_.reset();
  scroll_line_->End();
  if (!status.ok()) run_->FailTables(tables_, status);
  done_();
}

}  // namespace intercom_extractor

#include "extractor/pipeline/company_walk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

constexpr int kMaxRestarts = 5;
// A page that is still malformed after this many restarts will stay so.
constexpr int kRestartsBeforeSalvage = 2;
// A scroll expires after a minute without a request, also one of our own from
// before a crash: waiting a little longer tells it from one that is in use.
constexpr absl::Duration kScrollPatience = absl::Seconds(75);
constexpr absl::Duration kLongestPoll = absl::Seconds(5);
// POST /companies/list gives no more than this, 60 a page.
constexpr int64_t kListLimit = 10000;
constexpr int kListPerPage = 60;

}  // namespace

CompanyWalk::CompanyWalk(Run* run, const TableInfo* table)
    : run_(run),
      table_(table->index),
      converter_(v1::SOURCE_RECORD_COMPANY, {table}),
      id_(converter_.shape()->AddValue(-1, "id")),
      reader_({"data", "companies"}, "", converter_.shape()) {
  tables_.set(table_);
}

void CompanyWalk::Start(std::function<void()> done) {
  done_ = std::move(done);
  Scroll("");
}

Run::Reading CompanyWalk::MakeReading(const std::string& operation) {
  Run::Reading reading;
  reading.operation = operation;
  reading.reader = &reader_;
  reading.tables = tables_;
  reading.salvage = restarts_ >= kRestartsBeforeSalvage;
  reading.begin = [this] { watch_.BeginPage(); };
  reading.on_record = [this](const PageReader::Record& record, UnitRows* unit) {
    const std::string_view id = record.values->Get(*converter_.shape(), id_, 0).text;
    watch_.AddRecord(absl::string_view(id.data(), id.size()));
    converter_.Convert(*record.values, RecordContext(), unit);
  };
  return reading;
}

void CompanyWalk::Scroll(const std::string& scroll_param) {
  ApiRequest request;
  request.operation = "GET /companies/scroll";
  request.path_and_query = "/companies/scroll";
  if (!scroll_param.empty()) {
    absl::StrAppend(&request.path_and_query, "?scroll_param=", UrlEncode(scroll_param));
  }
  request.priority = Priority::kScroll;
  request.repeatable = scroll_param.empty();
  run_->FetchRows(request, MakeReading(request.operation),
                  [this, scroll_param](const absl::StatusOr<PageInfo>& info) {
                    run_->set_waiting_for_scroll(false);
                    if (info.ok()) {
                      OnPage(*info, scroll_param);
                    } else {
                      OnError(info.status(), scroll_param.empty());
                    }
                  });
}

void CompanyWalk::OnPage(const PageInfo& info, const std::string& scroll_param) {
  waiting_since_ = absl::InfiniteFuture();
  if (info.total_count.has_value()) run_->report().SetExpected(table_, *info.total_count);
  if (info.records == 0 && info.malformed == 0) {
    End(absl::OkStatus());
    return;
  }
  if (!watch_.EndPage()) {
    End(StatusWithReason(
        absl::StatusCode::kDataLoss, "NO_PROGRESS",
        absl::StrCat("GET /companies/scroll (page ", page_,
                     "): Intercom sent the companies of an earlier page again; stopped, as the "
                     "scroll would never end")));
    return;
  }
  ++page_;
  // Some answers name the parameter only once.
  const std::string next = info.scroll_param.value_or(scroll_param);
  if (next.empty()) {
    End(StatusWithReason(absl::StatusCode::kDataLoss, "ANSWER_MALFORMED",
                         "GET /companies/scroll: the answer has no scroll_param to go on with"));
    return;
  }
  Scroll(next);
}

void CompanyWalk::OnError(const absl::Status& status, bool first_page) {
  const std::string reason = ReasonOf(status);
  if (reason == "SCROLL_BUSY") {
    WaitForOtherScroll(status);
  } else if (reason == "SCROLL_BROKEN" || (absl::IsNotFound(status) && !first_page)) {
    if (restarts_++ < kMaxRestarts) {
      Restart(std::string(status.message()));
    } else {
      End(status);
    }
  } else {
    End(status);
  }
}

void CompanyWalk::Restart(const std::string& reason) {
  run_->RestartTable(table_, absl::StrCat("the company scroll broke and cannot go on: ", reason));
  watch_ = ProgressWatch();
  page_ = 1;
  Scroll("");
}

void CompanyWalk::WaitForOtherScroll(const absl::Status& status) {
  if (waiting_since_ == absl::InfiniteFuture()) {
    waiting_since_ = run_->Now();
    run_->Notify(table_, v1::NOTICE_CODE_SCROLL_BUSY, v1::SEVERITY_INFO, "",
                 absl::StrCat("another company scroll of this workspace is open; waiting up to ",
                              absl::FormatDuration(kScrollPatience), " for it to end"));
  }
  if (run_->Now() - waiting_since_ >= kScrollPatience) {
    ReadList();
    return;
  }
  // A scroll of ours may have lost its place to another one.
  if (run_->report().Rows(table_) > 0) {
    run_->RestartTable(table_, absl::StrCat("another company scroll began: ", status.message()));
    watch_ = ProgressWatch();
    page_ = 1;
  }
  run_->set_waiting_for_scroll(true);
  // Soon at first: a scroll of our own may be about to expire.
  const absl::Duration waited = run_->Now() - waiting_since_;
  run_->After(std::clamp(waited, absl::Seconds(1), kLongestPoll), [this] { Scroll(""); });
}

void CompanyWalk::ReadList() {
  watch_ = ProgressWatch();
  ReadListPage(1);
}

void CompanyWalk::ReadListPage(int64_t page) {
  ApiRequest request;
  request.operation = "POST /companies/list";
  request.method = "POST";
  request.path_and_query = absl::StrCat("/companies/list?page=", page, "&per_page=", kListPerPage);
  request.body = "{}";
  request.priority = Priority::kPage;
  run_->FetchRows(
      request, MakeReading(request.operation), [this, page](const absl::StatusOr<PageInfo>& info) {
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
        run_->Notify(table_, v1::NOTICE_CODE_COMPANIES_WITHOUT_USERS_NOT_LISTED,
                     v1::SEVERITY_WARNING, "",
                     "the company scroll was taken by another app; the list served instead, "
                     "which leaves out companies without users");
        End(absl::OkStatus());
      });
}

void CompanyWalk::End(const absl::Status& status) {
  if (!status.ok()) run_->FailTables(tables_, status);
  done_();
}

}  // namespace intercom_extractor

#include "extractor/pipeline/scroll_drain.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

constexpr char kOperation[] = "GET /companies/scroll";
constexpr int kMaxRestarts = 5;
// A page that is still malformed after this many restarts will stay so.
constexpr int kRestartsBeforeSalvage = 2;
// Our own scroll from before a crash is gone by then.
constexpr absl::Duration kOwnScrollGone = absl::Seconds(75);

absl::Status SpillError(const absl::Status& status) {
  return StatusWithReason(
      absl::StatusCode::kResourceExhausted, "LOCAL_RESOURCES",
      absl::StrCat(kOperation,
                   ": companies that wait for the consumer were lost: ", status.message()));
}

}  // namespace

absl::Duration ScrollDrain::PauseBeforePoll(absl::Duration waited) {
  if (waited >= kOwnScrollGone) return absl::Seconds(15);
  return std::clamp(waited, absl::Seconds(1), absl::Seconds(5));
}

ScrollDrain::ScrollDrain(IntercomClient* client, IntercomClient::GroupId group,
                         const TableInfo* table, const Options& options,
                         std::function<void()> on_event)
    : client_(client),
      group_(group),
      options_(options),
      on_event_(std::move(on_event)),
      strand_(std::make_shared<Strand>(client->clock())),
      converter_(v1::SOURCE_RECORD_COMPANY, {table}),
      id_(converter_.shape()->AddValue(-1, "id")),
      reader_({"data", "companies"}, "", converter_.shape()),
      spill_(options.spill) {}

ScrollDrain::~ScrollDrain() {
  strand_->Stop();
  strand_->Join();
  // Also when it still stands in line.
  client_->scroll_turn().Leave(group_);
}

void ScrollDrain::Start() {
  strand_->Start();
  strand_->Post([this] { Begin(); });
}

void ScrollDrain::Begin() {
  if (!has_turn_) {
    has_turn_ = client_->scroll_turn().Enter(group_, [this, strand = strand_] {
      strand->Post([this] {
        has_turn_ = true;
        Ask();
      });
    });
  }
  if (has_turn_) {
    Ask();
    return;
  }
  Event event;
  event.kind = Event::Kind::kBusy;
  event.message =
      "another extraction of this connection scrolls the workspace's companies; waiting for it to "
      "end";
  Push(std::move(event));
}

void ScrollDrain::Ask() {
  ApiRequest request;
  request.operation = kOperation;
  request.path_and_query = "/companies/scroll";
  if (!scroll_param_.empty()) {
    absl::StrAppend(&request.path_and_query, "?scroll_param=", UrlEncode(scroll_param_));
  }
  request.priority = Priority::kScroll;
  request.repeatable = scroll_param_.empty();
  {
    MutexLock lock(&mu_);
    ++requests_;
  }
  client_->Fetch(group_, std::move(request),
                 [this, strand = strand_, attempt = attempt_](ApiAnswer answer) mutable {
                   strand->Post([this, attempt, answer = std::move(answer)]() mutable {
                     if (attempt == attempt_) OnAnswer(std::move(answer));
                   });
                 });
}

void ScrollDrain::OnAnswer(ApiAnswer answer) {
  if (!answer.status.ok()) {
    OnError(std::move(answer.status));
    return;
  }
  waiting_since_ = absl::InfiniteFuture();
  // Too large for memory: read in pieces.
  const bool salvage = restarts_ >= kRestartsBeforeSalvage || answer.body.in_file();
  const absl::StatusOr<PageInfo> info = Scan(&answer.body, salvage);
  if (!info.ok()) {
    Broken(StatusWithReason(absl::StatusCode::kAborted, "SCROLL_BROKEN",
                            absl::StrCat(kOperation, ": ", info.status().message())));
    return;
  }
  if (info->complete && info->records == 0 && info->malformed == 0) {
    End(absl::OkStatus());
    return;
  }
  if (!watch_.EndPage()) {
    End(StatusWithReason(
        absl::StatusCode::kDataLoss, "NO_PROGRESS",
        absl::StrCat(kOperation, " (page ", page_,
                     "): Intercom sent the companies of an earlier page again; stopped, as the "
                     "scroll would never end")));
    return;
  }
  // Some answers name the parameter only once.
  scroll_param_ = info->scroll_param.value_or(scroll_param_);
  const bool last = !info->complete || scroll_param_.empty();
  ++page_;
  absl::StatusOr<bool> pause = PushPage(std::move(answer), salvage, last);
  if (!pause.ok()) {
    Broken(std::move(pause).status());
  } else if (last) {
    End(StatusWithReason(
        absl::StatusCode::kDataLoss, "ANSWER_MALFORMED",
        absl::StrCat(kOperation, info->complete ? ": the answer has no scroll_param to go on with"
                                                : ": the answer ends early")));
  } else if (*pause) {
    Pause();
  } else {
    Ask();
  }
}

absl::StatusOr<PageInfo> ScrollDrain::Scan(ResponseBody* body, bool salvage) {
  watch_.BeginPage();
  const auto on_record = [this](const PageReader::Record& record) {
    const std::string_view id = record.values->Get(*converter_.shape(), id_, 0).text;
    watch_.AddRecord(absl::string_view(id.data(), id.size()));
    return absl::OkStatus();
  };
  // Whoever makes the rows reports what is malformed.
  if (salvage) return reader_.Salvage(body, on_record, [](const std::string&) {});
  return reader_.Read(body, on_record);
}

void ScrollDrain::OnError(absl::Status status) {
  const bool first_page = scroll_param_.empty();
  const std::string reason = ReasonOf(status);
  if (reason == "SCROLL_BUSY" && first_page) {
    WaitForOtherScroll(std::move(status));
  } else if (reason == "SCROLL_BROKEN" || reason == "SCROLL_BUSY" ||
             (absl::IsNotFound(status) && !first_page)) {
    Broken(std::move(status));
  } else {
    End(std::move(status));
  }
}

void ScrollDrain::Broken(absl::Status status) {
  if (restarts_++ < kMaxRestarts) {
    BeginAnew(absl::StrCat("the company scroll broke and cannot go on: ", status.message()));
  } else {
    End(std::move(status));
  }
}

void ScrollDrain::BeginAnew(const std::string& reason) {
  ++attempt_;
  watch_ = ProgressWatch();
  scroll_param_.clear();
  page_ = 1;
  paused_said_ = false;
  {
    MutexLock lock(&mu_);
    DropPages();
  }
  Event event;
  event.kind = Event::Kind::kRestarted;
  event.message = reason;
  Push(std::move(event));
  Begin();
}

void ScrollDrain::WaitForOtherScroll(absl::Status status) {
  const absl::Time now = client_->clock()->Now();
  if (waiting_since_ == absl::InfiniteFuture()) {
    waiting_since_ = now;
    Event event;
    event.kind = Event::Kind::kBusy;
    event.message = absl::StrCat("another company scroll of this workspace is open; waiting up to ",
                                 absl::FormatDuration(options_.patience), " for it to end");
    Push(std::move(event));
  }
  const absl::Duration waited = now - waiting_since_;
  if (waited >= options_.patience) {
    End(std::move(status));
    return;
  }
  strand_->PostAfter(options_.pause_before_poll(waited), [this, attempt = attempt_] {
    if (attempt == attempt_) Ask();
  });
}

void ScrollDrain::Pause() {
  if (!paused_said_) {
    paused_said_ = true;
    Event event;
    event.kind = Event::Kind::kPaused;
    event.message = absl::StrCat(
        "the company scroll waits: ", options_.spill.quota,
        " bytes of companies have not been taken yet; it begins anew when that lasts a minute");
    Push(std::move(event));
  }
  // Then Intercom has forgotten the scroll, and others need not wait for us.
  strand_->PostAfter(options_.scroll_life, [this, attempt = attempt_, page = page_] {
    if (attempt != attempt_ || page != page_) return;
    MutexLock lock(&mu_);
    if (paused_) LeaveTurn();
  });
}

void ScrollDrain::GoOn() {
  if (has_turn_) {
    Ask();
  } else {
    Broken(StatusWithReason(absl::StatusCode::kAborted, "SCROLL_BROKEN",
                            "it expired while what it gave was not taken"));
  }
}

void ScrollDrain::LeaveTurn() {
  has_turn_ = false;
  client_->scroll_turn().Leave(group_);
}

void ScrollDrain::End(absl::Status status) {
  LeaveTurn();
  Event event;
  event.kind = Event::Kind::kEnded;
  event.status = std::move(status);
  Push(std::move(event));
}

std::optional<ScrollDrain::Event> ScrollDrain::Take() {
  MutexLock lock(&mu_);
  if (events_.empty()) {
    awaited_ = true;
    return std::nullopt;
  }
  Event event = std::move(events_.front());
  events_.pop_front();
  if (event.kind == Event::Kind::kPage) {
    absl::StatusOr<ResponseBody> body = spill_.Take();
    if (!body.ok()) {
      DropPages();
      lost_ = true;
      awaited_ = true;
      strand_->Post([this, status = std::move(body).status()] { OnSpillLost(status); });
      return std::nullopt;
    }
    event.page.body = *std::move(body);
  }
  if (paused_ && !spill_.full()) {
    paused_ = false;
    strand_->Post([this] { GoOn(); });
  }
  return event;
}

int64_t ScrollDrain::TakeRequests() {
  MutexLock lock(&mu_);
  return std::exchange(requests_, 0);
}

void ScrollDrain::OnSpillLost(const absl::Status& status) {
  {
    MutexLock lock(&mu_);
    lost_ = false;
  }
  Broken(SpillError(status));
}

absl::StatusOr<bool> ScrollDrain::PushPage(ApiAnswer answer, bool salvage, bool last) {
  Event event;
  event.kind = Event::Kind::kPage;
  event.salvage = salvage;
  ResponseBody body = std::move(answer.body);
  event.page = std::move(answer);
  bool pause = false;
  bool tell = false;
  {
    MutexLock lock(&mu_);
    if (lost_) return false;
    if (absl::Status status = spill_.Put(std::move(body)); !status.ok()) {
      DropPages();
      return SpillError(status);
    }
    pause = paused_ = spill_.full() && !last;
    tell = Add(std::move(event));
  }
  if (tell) on_event_();
  return pause;
}

void ScrollDrain::Push(Event event) {
  bool tell = false;
  {
    MutexLock lock(&mu_);
    // The end of what is lost is none.
    if (lost_ && event.kind == Event::Kind::kEnded) return;
    tell = Add(std::move(event));
  }
  if (tell) on_event_();
}

bool ScrollDrain::Add(Event event) {
  events_.push_back(std::move(event));
  return std::exchange(awaited_, false);
}

void ScrollDrain::DropPages() {
  spill_.Clear();
  paused_ = false;
  events_.erase(std::remove_if(events_.begin(), events_.end(),
                               [](const Event& event) {
                                 return event.kind == Event::Kind::kPage ||
                                        event.kind == Event::Kind::kEnded;
                               }),
                events_.end());
}

}  // namespace intercom_extractor

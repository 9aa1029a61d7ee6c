#include "extractor/pipeline/search_windows.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "extractor/pipeline/contact_search.h"
#include "extractor/pipeline/conversation_search.h"
#include "extractor/pipeline/day_calendar.h"
#include "extractor/tables/record_reader.h"

namespace intercom_extractor {
namespace {

// Fewer tries than elsewhere: the plain list can serve instead, above all when
// not even the first search succeeds.
constexpr int kFirstAttempts = 3;
constexpr int kAttempts = 4;
constexpr int64_t kDay = 86400;

}  // namespace

SearchWindows::Search SearchWindows::Search::Contacts(const std::string& time_zone,
                                                      absl::Time start,
                                                      const std::string& segment_id) {
  auto axis = std::make_shared<DayAxis>(DayCalendar(time_zone));
  Search search;
  search.operation = "POST /contacts/search";
  search.path = "/contacts/search";
  // The days of an unknown time zone may be ahead of ours.
  search.end = absl::ToUnixSeconds(start) + 1 + (axis->exact() ? 0 : kDay);
  search.body = [axis, segment_id](const WindowFilter& filter, int per_page,
                                   absl::string_view starting_after) {
    ContactFilter days = axis->InDays(filter);
    days.segment_id = segment_id;
    return ContactSearchBody(days, axis->calendar(), per_page, starting_after);
  };
  search.axis = std::move(axis);
  return search;
}

SearchWindows::Search SearchWindows::Search::Conversations(absl::Time start) {
  Search search;
  search.operation = "POST /conversations/search";
  search.path = "/conversations/search";
  search.end = absl::ToUnixSeconds(start) + 1;
  search.body = ConversationSearchBody;
  search.axis = std::make_shared<SecondAxis>();
  return search;
}

std::shared_ptr<SearchWindows> SearchWindows::Create(Run* run, const Shape* shape,
                                                     Options options) {
  WindowPlan plan(options.search.axis.get(), options.search.end, options.plan);
  return std::shared_ptr<SearchWindows>(
      new SearchWindows(run, shape, std::move(options), std::move(plan)));
}

std::shared_ptr<SearchWindows> SearchWindows::Resume(Run* run, const Shape* shape, Options options,
                                                     Saved saved) {
  WindowPlan plan(options.search.axis.get(), std::move(saved.plan), options.plan);
  std::shared_ptr<SearchWindows> windows(
      new SearchWindows(run, shape, std::move(options), std::move(plan)));
  windows->given_ = saved.given;
  for (const std::string& id : saved.undated) windows->exact_.Insert(RecordId(id));
  windows->undated_ = std::move(saved.undated);
  for (size_t i = 0; i < saved.cursors.size(); ++i) {
    windows->chains_[i].starting_after = std::move(saved.cursors[i]);
  }
  return windows;
}

SearchWindows::SearchWindows(Run* run, const Shape* shape, Options options, WindowPlan plan)
    : run_(run), shape_(shape), options_(std::move(options)), plan_(std::move(plan)) {
  options_.reading.operation = options_.search.operation;
}

SearchWindows::Saved SearchWindows::Save() const {
  Saved saved;
  saved.plan = plan_.Save();
  saved.given = given_;
  saved.undated = undated_;
  for (const size_t window : plan_.open()) {
    const auto chain = chains_.find(window);
    saved.cursors.push_back(chain == chains_.end() ? "" : chain->second.starting_after);
  }
  return saved;
}

void SearchWindows::Pump() {
  if (ended_) return;
  for (const size_t window : plan_.TakeNew()) waiting_.push_back(window);
  while (!waiting_.empty() && options_.has_room(in_flight_)) {
    // The longest first: a long one that is left at the end is read page after page.
    const auto next =
        std::max_element(waiting_.begin(), waiting_.end(), [this](size_t left, size_t right) {
          return plan_.Remaining(left) < plan_.Remaining(right);
        });
    const size_t window = *next;
    waiting_.erase(next);
    // Its work may have been given to others while it waited.
    if (plan_.IsOpen(window)) {
      Fetch(window);
    } else {
      chains_.erase(window);
    }
  }
  const auto asked = static_cast<int64_t>(in_flight_);
  options_.reading.line->Expect(
      Estimate::Exactly(std::max<int64_t>(0, plan_.ExpectedPages() - asked)));
  if (plan_.open().empty() && in_flight_ == 0) End(absl::OkStatus());
}

void SearchWindows::Fetch(size_t window) {
  ++in_flight_;
  Chain* chain = &chains_[window];
  ApiRequest request;
  request.operation = options_.search.operation;
  request.method = "POST";
  request.path_and_query = options_.search.path;
  request.set_page_size = [filter = plan_.filter(window), body = options_.search.body,
                           cursor = chain->starting_after](int page_size, ApiRequest* page) {
    page->body = body(filter, page_size, cursor);
  };
  request.priority = Priority::kPage;
  request.max_attempts = plan_.size() == 1 && chain->pages == 0 ? kFirstAttempts : kAttempts;

  Run::Reading reading = options_.reading;
  if (options_.prepare) options_.prepare(&reading);
  reading.begin = [self = shared_from_this(), chain, begin = std::move(reading.begin)] {
    chain->watch.BeginPage();
    chain->page.Clear();
    chain->exact.clear();
    if (begin) begin();
  };
  reading.on_record = [self = shared_from_this(), window, chain,
                       on_record = std::move(reading.on_record)](const PageReader::Record& record,
                                                                 UnitRows* unit) {
    if (self->ended_) return;
    const std::string_view id = record.values->Get(*self->shape_, self->options_.id, 0).text;
    chain->watch.AddRecord(absl::string_view(id.data(), id.size()));
    if (self->Add(window, *record.values, &chain->page, &chain->exact)) on_record(record, unit);
  };
  if (reading.before) {
    reading.before =
        [self = shared_from_this(), window, page = WindowPlan::Page(), exact = std::vector<Exact>(),
         before = std::move(reading.before)](const PageReader::Record& record) mutable {
          if (!self->ended_ && self->Add(window, *record.values, &page, &exact)) before(record);
        };
  }
  run_->FetchRows(request, reading,
                  [self = shared_from_this(), window](const absl::StatusOr<PageInfo>& info) {
                    --self->in_flight_;
                    if (!self->ended_) self->OnPage(window, info);
                  });
}

bool SearchWindows::Add(size_t window, const RecordValues& values, WindowPlan::Page* page,
                        std::vector<Exact>* exact) const {
  const std::string_view id = values.Get(*shape_, options_.id, 0).text;
  const WindowPlan::Record record = {absl::string_view(id.data(), id.size()),
                                     IntegerOf(values.Get(*shape_, options_.created_at, 0)),
                                     IntegerOf(values.Get(*shape_, options_.updated_at, 0))};
  if (!plan_.Add(window, record, page)) return false;
  const WindowFilter& filter = plan_.filter(window);
  // What is updated meanwhile comes into what all windows ask for, never out of it.
  const bool moves =
      filter.updated_from != options_.plan.updated_from || filter.updated_before.has_value();
  const bool dated = page->records.back().created_at.has_value();
  if (!moves && dated) return true;
  if (exact_.Contains(record.id)) {
    --page->wanted;
    return false;
  }
  exact->push_back({std::string(record.id), dated});
  return true;
}

void SearchWindows::OnPage(size_t window, const absl::StatusOr<PageInfo>& info) {
  const auto chain = chains_.find(window);
  if (absl::IsInvalidArgument(info.status()) && !chain->second.starting_after.empty() &&
      plan_.Restart(window).ok()) {
    // The cursor has expired, say.
    chains_.erase(chain);
    Pump();
    return;
  }
  const absl::Status status = info.ok() ? Advance(window, *info) : info.status();
  if (!status.ok()) {
    End(status);
    return;
  }
  if (plan_.IsOpen(window)) {
    waiting_.push_back(window);
  } else {
    chains_.erase(window);
  }
  Pump();
}

absl::Status SearchWindows::Advance(size_t window, const PageInfo& info) {
  Chain& chain = chains_[window];
  const std::string next = info.next_starting_after.value_or("");
  chain.page.total_count = info.total_count;
  chain.page.malformed = static_cast<int64_t>(info.malformed);
  chain.page.last = next.empty() || info.records + info.malformed == 0;
  given_ += chain.page.wanted;
  for (const auto& [id, dated] : chain.exact) {
    if (exact_.size() < kMaxExact) exact_.Insert(RecordId(id));
    if (!dated && undated_.size() < kMaxUndated) undated_.push_back(id);
  }
  if (!chain.watch.EndPage() && !chain.page.last) {
    return absl::DataLossError("the records of an earlier page came again");
  }
  if (plan_.size() == 1 && chain.pages == 0 && info.total_count.has_value()) {
    if (absl::Status status = options_.on_total(*info.total_count); !status.ok()) {
      return status;
    }
  }
  ++chain.pages;
  chain.starting_after = next;
  return plan_.OnPage(window, chain.page);
}

void SearchWindows::Stop() {
  ended_ = true;
  options_.reading.line->End();
}

void SearchWindows::End(const absl::Status& status) {
  Stop();
  options_.on_end(status, status.ok() ? plan_.Shortfall() : 0);
}

}  // namespace intercom_extractor

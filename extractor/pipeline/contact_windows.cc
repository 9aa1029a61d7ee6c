#include "extractor/pipeline/contact_windows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/contact_search.h"
#include "extractor/tables/json_number.h"

namespace intercom_extractor {
namespace {

constexpr char kOperation[] = "POST /contacts/search";
// Fewer tries than elsewhere: the plain list can serve instead, above all when
// not even the first search succeeds.
constexpr int kFirstAttempts = 3;
constexpr int kAttempts = 4;

std::optional<int64_t> Seconds(const JsonValue& value) {
  if (value.kind != JsonValue::Kind::kNumber) return std::nullopt;
  return ParseInt64(value.text);
}

}  // namespace

std::shared_ptr<ContactWindows> ContactWindows::Create(Run* run, const Shape* shape,
                                                       Options options) {
  return std::shared_ptr<ContactWindows>(new ContactWindows(run, shape, std::move(options)));
}

ContactWindows::ContactWindows(Run* run, const Shape* shape, Options options)
    : run_(run),
      shape_(shape),
      options_(std::move(options)),
      calendar_(options_.time_zone),
      // The days of an unknown time zone may be ahead of ours.
      plan_(&calendar_,
            calendar_.DayOf(absl::ToUnixSeconds(options_.start)) + (calendar_.known() ? 1 : 2),
            options_.plan) {
  options_.reading.operation = kOperation;
}

void ContactWindows::Pump() {
  if (ended_) return;
  for (const size_t window : plan_.TakeNew()) waiting_.push_back(window);
  while (!waiting_.empty() && options_.has_room(in_flight_)) {
    const size_t window = waiting_.front();
    waiting_.pop_front();
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
  if (plan_.open() == 0 && in_flight_ == 0) End(absl::OkStatus());
}

void ContactWindows::Fetch(size_t window) {
  ++in_flight_;
  Chain* chain = &chains_[window];
  ApiRequest request;
  request.operation = kOperation;
  request.method = "POST";
  request.path_and_query = "/contacts/search";
  request.set_page_size = [filter = plan_.filter(window), calendar = calendar_,
                           cursor = chain->starting_after](int page_size, ApiRequest* page) {
    page->body = ContactSearchBody(filter, calendar, page_size, cursor);
  };
  request.priority = Priority::kPage;
  request.max_attempts = plan_.size() == 1 && chain->pages == 0 ? kFirstAttempts : kAttempts;

  Run::Reading reading = options_.reading;
  reading.begin = [self = shared_from_this(), chain] {
    chain->watch.BeginPage();
    chain->page = WindowPlan::Page();
    if (self->options_.reading.begin) self->options_.reading.begin();
  };
  reading.on_record = [self = shared_from_this(), chain](const PageReader::Record& record,
                                                         UnitRows* unit) {
    if (self->ended_) return;
    self->Add(*record.values, chain);
    self->options_.reading.on_record(record, unit);
  };
  run_->FetchRows(request, reading,
                  [self = shared_from_this(), window](const absl::StatusOr<PageInfo>& info) {
                    --self->in_flight_;
                    if (!self->ended_) self->OnPage(window, info);
                  });
}

void ContactWindows::Add(const RecordValues& values, Chain* chain) {
  const std::string_view id = values.Get(*shape_, options_.id, 0).text;
  chain->watch.AddRecord(absl::string_view(id.data(), id.size()));
  chain->page.records.push_back({Seconds(values.Get(*shape_, options_.created_at, 0)),
                                 Seconds(values.Get(*shape_, options_.updated_at, 0))});
}

void ContactWindows::OnPage(size_t window, const absl::StatusOr<PageInfo>& info) {
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

absl::Status ContactWindows::Advance(size_t window, const PageInfo& info) {
  Chain& chain = chains_[window];
  const std::string next = info.next_starting_after.value_or("");
  chain.page.total_count = info.total_count;
  chain.page.malformed = static_cast<int64_t>(info.malformed);
  chain.page.last = next.empty() || info.records + info.malformed == 0;
  if (!chain.watch.EndPage() && !chain.page.last) {
    return absl::DataLossError("the contacts of an earlier page came again");
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

void ContactWindows::Stop() {
  ended_ = true;
  options_.reading.line->End();
}

void ContactWindows::End(const absl::Status& status) {
  ended_ = true;
  options_.reading.line->End();
  options_.on_end(status, status.ok() ? plan_.Shortfall() : 0);
}

}  // namespace intercom_extractor

#include "extractor/pipeline/windowed_list.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/saved_windows.h"
#include "extractor/pipeline/window_plan.h"
#include "extractor/tables/record_reader.h"

namespace intercom_extractor {
namespace {

// The list serves when more than a thousandth is missing.
constexpr int64_t kToleratedPart = 1000;
// A search for what changed leaves it to the next run, which overlaps with this one, to
// find what the index did not have yet: listing all records would cost far more.
constexpr int64_t kToleratedChanges = 10;
// A list that is refused again and again has another reason than an old cursor.
constexpr int kMaxRefusals = 3;
// Each finds what jumped while the one before was read: the last ones find nothing.
constexpr int kMaxFronts = 5;
// Few records change while a list is read.
constexpr int kFrontPerPage = 50;

bool CountsMany(const PageInfo& first_page) {
  return first_page.next_starting_after.has_value() &&
         WindowPlan::IsWorthwhile(first_page.total_count.value_or(0));
}

}  // namespace

WindowedList::WindowedList(Run* run, const Shape* shape, Options options)
    : run_(run),
      shape_(shape),
      options_(std::move(options)),
      order_(std::make_unique<LatestFirst>(options_.start)) {
  if (!SearchesChanges()) return;
  undecided_ = false;
  SearchWindows::Options& windows = options_.windows;
  windows.plan.updated_from = windows.search.axis->LastCut(*options_.incremental.since);
}

void WindowedList::ReadList() {
  PagedList::Options list = options_.list;
  list.prepare = [this](Run::Reading* reading) {
    Prepare(reading);
    if (undecided_) reading->wanted = [](const PageInfo& info) { return !CountsMany(info); };
  };
  list.on_page = [this](const PageInfo& info, std::function<void()> next) {
    OnListPage(info, std::move(next));
  };
  if (!position_.parameter().empty()) list.from = position_;
  list.on_position = [this](const resume::ListPosition& position) { position_ = position; };
  list.on_end = [this](const absl::Status& status) { OnListEnd(status); };
  PagedList::Walk(run_, shape_, std::move(list));
}

void WindowedList::OnListEnd(const absl::Status& status) {
  if (absl::IsInvalidArgument(status) && !position_.parameter().empty() &&
      refused_++ < kMaxRefusals) {
    // The cursor has expired, say; nothing else tells where a list goes on.
    anew_ = true;
    options_.when_idle([this] {
      BeginAnew(absl::StrCat("Intercom refused to go on with ", options_.list.operation));
    });
    return;
  }
  if (status.ok() && windows_ == nullptr && order_->MayMiss()) {
    ReadFront();
  } else {
    End(status);
  }
}

void WindowedList::End(const absl::Status& status) {
  options_.list.reading.line->End();
  ended_ = true;
  options_.on_end(status);
}

void WindowedList::ReadFront() {
  if (!order_->CanFind()) {
    run_->NotifyOnce(
        options_.tables, v1::NOTICE_CODE_COUNT_DIFFERS, v1::SEVERITY_WARNING,
        absl::StrCat(options_.list.operation, " has what changed last first: ", options_.records,
                     " that changed while it was read may be "
                     "missing; the next run has them"));
    End(absl::OkStatus());
    return;
  }
  ++fronts_;
  order_->BeginFront();
  PagedList::Options list = options_.list;
  list.plan_pages = false;
  list.per_page = kFrontPerPage;
  list.reading.line->Expect(Estimate::Exactly(1));
  list.prepare = [this](Run::Reading* reading) { Prepare(reading); };
  list.on_page = [this](const PageInfo& info, std::function<void()> next) {
    if (!order_->PageChanged()) next = [this] { OnFrontEnd(absl::OkStatus()); };
    options_.list.on_page(info, std::move(next));
  };
  list.on_end = [this](const absl::Status& status) { OnFrontEnd(status); };
  PagedList::Walk(run_, shape_, std::move(list));
}

void WindowedList::OnFrontEnd(const absl::Status& status) {
  if (status.ok() && order_->found() > 0 && fronts_ < kMaxFronts) {
    ReadFront();
  } else {
    End(status);
  }
}

void WindowedList::OnListPage(const PageInfo& info, std::function<void()> next) {
  if (info.total_count.has_value() && !SearchesChanges()) {
    total_ = info.total_count;
    options_.on_total(*total_);
  }
  if (std::exchange(undecided_, false) && CountsMany(info)) {
    next = [this] { ReadWindows(); };
  }
  options_.list.on_page(info, std::move(next));
}

void WindowedList::ReadWindows() {
  options_.list.reading.line->End();
  given_ = std::make_unique<RecordIds>();
  windows_ = SearchWindows::Create(run_, shape_, WindowOptions());
  windows_->Start();
}

void WindowedList::Start(const resume::RecordList& saved) {
  if (saved.has_total()) {
    total_ = saved.total();
    options_.on_total(*total_);
  }
  if (saved.way() != resume::RecordList::WAY_UNSPECIFIED) undecided_ = false;
  switch (saved.way()) {
    case resume::RecordList::WAY_LIST:
      position_ = saved.position();
      order_->Restore(saved.listed_ids(), saved.listed_otherwise());
      break;
    case resume::RecordList::WAY_FRONT:
      order_->Restore(saved.listed_ids(), saved.listed_otherwise());
      ReadFront();
      return;
    case resume::RecordList::WAY_WINDOWS:
      if (absl::StatusOr<SearchWindows::Saved> windows = FromState(saved.windows()); windows.ok()) {
        options_.list.reading.line->End();
        windows_ = SearchWindows::Resume(run_, shape_, WindowOptions(), *std::move(windows));
        windows_->Start();
        return;
      }
      [[fallthrough]];
    case resume::RecordList::WAY_ANEW:
      BeginAnew("which rows came before the interruption is not known");
      return;
    case resume::RecordList::WAY_DONE:
      End(absl::OkStatus());
      return;
    default:
      if (!SearchesChanges()) break;
      ReadWindows();
      return;
  }
  ReadList();
}

resume::RecordList WindowedList::Save() const {
  resume::RecordList saved;
  if (total_.has_value()) saved.set_total(*total_);
  if (ended_) {
    saved.set_way(resume::RecordList::WAY_DONE);
  } else if (windows_ != nullptr && !windows_ended_) {
    saved.set_way(resume::RecordList::WAY_WINDOWS);
    *saved.mutable_windows() = ToState(windows_->Save());
  } else if (windows_ == nullptr && !anew_ && order_->at_front()) {
    saved.set_way(resume::RecordList::WAY_FRONT);
    saved.set_listed_ids(order_->Save());
    saved.set_listed_otherwise(order_->sorted_otherwise());
  } else if (given_ == nullptr && !anew_ && !position_.parameter().empty()) {
    saved.set_way(resume::RecordList::WAY_LIST);
    *saved.mutable_position() = position_;
    saved.set_listed_ids(order_->Save());
    saved.set_listed_otherwise(order_->sorted_otherwise());
  } else if (!undecided_) {
    // What the list leaves out does not fit into a token, or it begins anew just now.
    saved.set_way(resume::RecordList::WAY_ANEW);
  }
  return saved;
}

void WindowedList::Pump() {
  if (windows_ != nullptr) windows_->Pump();
}

SearchWindows::Options WindowedList::WindowOptions() {
  SearchWindows::Options windows = options_.windows;
  windows.prepare = [this](Run::Reading* reading) { Prepare(reading); };
  windows.on_total = [this](int64_t total) {
    if (SearchesChanges()) {
      total_ = total;
      options_.on_total(total);
      return absl::OkStatus();
    }
    const int64_t listed = total_.value_or(0);
    if (listed - total <= listed / kToleratedPart) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat("it finds ", total, " ", options_.records, ", the list has ", listed));
  };
  windows.on_end = [this](const absl::Status& status, int64_t shortfall) {
    OnWindowsEnd(status, shortfall);
  };
  return windows;
}

void WindowedList::LeaveOut(Run::Reading* reading) {
  const auto reads = [this](const PageReader::Record& record) {
    return options_.incremental.Reads(
        IntegerOf(record.values->Get(*shape_, options_.windows.updated_at, 0)));
  };
  reading->on_record = [this, reads, on_record = std::move(reading->on_record)](
                           const PageReader::Record& record, UnitRows* unit) {
    if (reads(record)) {
      on_record(record, unit);
    } else if (options_.on_unchanged) {
      options_.on_unchanged(record, unit);
    }
  };
  if (!reading->before) return;
  reading->before = [reads, before = std::move(reading->before)](const PageReader::Record& record) {
    if (reads(record)) before(record);
  };
}

void WindowedList::Follow(Run::Reading* reading) {
  const auto id_of = [this](const PageReader::Record& record) {
    const std::string_view id = record.values->Get(*shape_, options_.list.id, 0).text;
    return absl::string_view(id.data(), id.size());
  };
  reading->begin = [this, begin = std::move(reading->begin)] {
    order_->BeginPage();
    if (begin) begin();
  };
  reading->on_record = [this, id_of, on_record = std::move(reading->on_record)](
                           const PageReader::Record& record, UnitRows* unit) {
    const auto updated_at = IntegerOf(record.values->Get(*shape_, options_.windows.updated_at, 0));
    if (order_->Add(id_of(record), updated_at)) on_record(record, unit);
  };
  if (reading->before) {
    reading->before = [this, id_of,
                       before = std::move(reading->before)](const PageReader::Record& record) {
      if (!order_->WasRead(id_of(record))) before(record);
    };
  }
  reading->on_commit = [this, on_commit = std::move(reading->on_commit)] {
    order_->CommitPage();
    if (on_commit) on_commit();
  };
}

void WindowedList::Prepare(Run::Reading* reading) {
  if (options_.prepare) options_.prepare(reading);
  if (options_.incremental.since.has_value()) LeaveOut(reading);
  if (windows_ == nullptr) Follow(reading);
  if (given_ == nullptr) return;
  const auto id_of = [this](const PageReader::Record& record) {
    const std::string_view id = record.values->Get(*shape_, options_.list.id, 0).text;
    return absl::string_view(id.data(), id.size());
  };
  if (windows_ended_) {
    // The list after the windows.
    reading->on_record = [this, id_of, on_record = std::move(reading->on_record)](
                             const PageReader::Record& record, UnitRows* unit) {
      if (!given_->Contains(id_of(record))) on_record(record, unit);
    };
    if (!reading->before) return;
    reading->before = [this, id_of,
                       before = std::move(reading->before)](const PageReader::Record& record) {
      if (!given_->Contains(id_of(record))) before(record);
    };
    return;
  }
  auto ids = std::make_shared<std::vector<RecordId>>();
  reading->begin = [ids, begin = std::move(reading->begin)] {
    ids->clear();
    if (begin) begin();
  };
  reading->on_record = [ids, id_of, on_record = std::move(reading->on_record)](
                           const PageReader::Record& record, UnitRows* unit) {
    ids->emplace_back(id_of(record));
    on_record(record, unit);
  };
  reading->on_commit = [this, ids, on_commit = std::move(reading->on_commit)] {
    for (const RecordId& id : *ids) Remember(id);
    ids->clear();
    if (on_commit) on_commit();
  };
}

void WindowedList::Remember(const RecordId& id) {
  if (given_ == nullptr) return;
  given_->Insert(id);
  // Half a set would be none, and memory is bounded.
  if (given_->size() > options_.max_remembered) given_ = nullptr;
}

void WindowedList::OnWindowsEnd(const absl::Status& status, int64_t shortfall) {
  windows_ended_ = true;
  const int64_t total = total_.value_or(0);
  const int64_t missing = std::max({int64_t{0}, shortfall, total - windows_->given()});
  const int64_t tolerated =
      std::max(total / kToleratedPart, SearchesChanges() ? kToleratedChanges : 0);
  if (status.ok() && missing <= tolerated) {
    ended_ = true;
    if (missing > 0) {
      run_->NotifyOnce(
          options_.tables, v1::NOTICE_CODE_COUNT_DIFFERS, v1::SEVERITY_WARNING,
          absl::StrCat(options_.windows.search.operation, " gave ", missing, " fewer than the ",
                       total, " ", options_.records,
                       " that Intercom counted; they are too new for its index, or changed "
                       "during the run"));
    }
    options_.on_end(absl::OkStatus());
    return;
  }
  run_->NotifyOnce(
      options_.tables, v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH, v1::SEVERITY_INFO,
      absl::StrCat(options_.records, " come from the plain list, one page after the other, as ",
                   options_.windows.search.operation, " cannot be relied on: ",
                   status.ok()
                       ? absl::StrCat(missing, " of ", total, " ", options_.records, " are missing")
                       : std::string(status.message())));
  if (given_ != nullptr || windows_->given() == 0) {
    // From its start: a cursor may have expired meanwhile.
    position_.Clear();
    ReadList();
  } else {
    anew_ = true;
    options_.when_idle([this] {
      BeginAnew(absl::StrCat("windows of ", options_.windows.search.operation,
                             " were incomplete, and which rows they gave is not known"));
    });
  }
}

void WindowedList::BeginAnew(const std::string& why) {
  anew_ = false;
  position_.Clear();
  order_ = std::make_unique<LatestFirst>(options_.start);
  run_->RestartTables(options_.tables, why);
  ReadList();
}

}  // namespace intercom_extractor

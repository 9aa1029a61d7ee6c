#include "extractor/pipeline/segment_search.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/segment_choice.h"
#include "extractor/pipeline/window_plan.h"

namespace intercom_extractor {
namespace {

// Pages that are asked for at a time.
constexpr size_t kMaxWindows = 64;
// Of these: for one segment, so that a second large one can be read beside it.
constexpr size_t kWindowsOfLargeSegment = 32;
// A segment may lack a thousandth of its members, or as few as are deleted while it is
// read: asking each contact instead takes a request for each.
constexpr int64_t kToleratedPart = 1000;
constexpr int64_t kToleratedFew = 3;
// A count may be older than the search, but hardly wrong by more than half.
constexpr int64_t kMaxFactor = 2;

}  // namespace

struct SegmentSearch::Members {
  SegmentList::Segment segment;
  size_t windows = 1;
  RequestPlan::Line* line = nullptr;
  // The record that becomes a row for each member.
  RecordValues record;
  // As the search counts them.
  int64_t total = 0;
  std::shared_ptr<SearchWindows> search;
};

SegmentSearch::SegmentSearch(Run* run, std::vector<SegmentList::Segment> segments, Options options)
    : run_(run),
      options_(std::move(options)),
      id_(shape_.AddValue(-1, "id")),
      role_(shape_.AddValue(-1, "role")),
      created_at_(shape_.AddValue(-1, "created_at")),
      updated_at_(shape_.AddValue(-1, "updated_at")),
      reader_({"data"}, "", &shape_) {
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return *a.members < *b.members; });
  const Shape& shape = *options_.child->converter.shape();
  for (SegmentList::Segment& segment : segments) {
    auto members = std::make_unique<Members>();
    members->segment = std::move(segment);
    const int64_t count = *members->segment.members;
    if (WindowPlan::IsWorthwhile(count)) members->windows = kWindowsOfLargeSegment;
    members->line = options_.line->AddPart();
    members->line->Expect(SegmentChoice::PagesFor(count));
    members->record.slots.resize(static_cast<size_t>(shape.record_slots()));
    members->record.lists.resize(shape.lists().size());
    JsonValue& id = members->record.slots[static_cast<size_t>(options_.child->id.slot)];
    id.kind = JsonValue::Kind::kString;
    id.text = members->segment.id;
    waiting_.push_back(members.get());
    all_.push_back(std::move(members));
  }
}

SegmentSearch::~SegmentSearch() = default;

void SegmentSearch::Start() { Pump(); }

void SegmentSearch::Pump() {
  // The first search goes alone: one that is refused is refused only once.
  while (!ended_ && !waiting_.empty() && (answered_ || reading_.empty()) &&
         windows_ + waiting_.back()->windows <= kMaxWindows) {
    Members* const members = waiting_.back();
    waiting_.pop_back();
    windows_ += members->windows;
    reading_.insert(members);
    Read(members);
  }
  if (!ended_ && waiting_.empty() && reading_.empty()) End(absl::OkStatus());
}

void SegmentSearch::Read(Members* members) {
  SearchWindows::Options options;
  options.search =
      SearchWindows::Search::Contacts(options_.time_zone, options_.start, members->segment.id);
  options.plan.role = options_.role;
  options.plan.estimate = *members->segment.members;
  options.plan.max_open = members->windows;
  options.id = id_;
  options.created_at = created_at_;
  options.updated_at = updated_at_;
  options.reading.reader = &reader_;
  options.reading.tables = options_.tables;
  options.reading.line = members->line;
  options.reading.on_record = [this, members](const PageReader::Record& record, UnitRows* unit) {
    Add(*record.values, *members, unit);
  };
  options.has_room = [](size_t /*in_flight*/) { return true; };
  options.on_total = [this, members](int64_t total) { return OnTotal(total, members); };
  options.on_end = [this, members](const absl::Status& status, int64_t shortfall) {
    OnEnd(members, status, shortfall);
  };
  members->search = SearchWindows::Create(run_, &shape_, std::move(options));
  members->search->Start();
}

void SegmentSearch::Add(const RecordValues& values, const Members& members, UnitRows* unit) const {
  if (IntegerOf(values.Get(shape_, created_at_, 0)).value_or(0) > options_.created_until) return;
  const std::string_view id = values.Get(shape_, id_, 0).text;
  const std::string_view role = values.Get(shape_, role_, 0).text;
  RecordContext context;
  context.parent_id = absl::string_view(id.data(), id.size());
  context.parent_role = ContactRoleOf(absl::string_view(role.data(), role.size()));
  if (context.parent_role == v1::CONTACT_ROLE_UNSPECIFIED) return;
  options_.child->converter.Convert(members.record, context, unit);
}

absl::Status SegmentSearch::OnTotal(int64_t total, Members* members) {
  members->total = total;
  const int64_t count = *members->segment.members;
  // Of one role there may be none.
  const bool too_few = options_.role == ContactFilter::Role::kAny &&
                       count > kMaxFactor * total + SegmentChoice::kPageSize;
  if (too_few || total > kMaxFactor * count + SegmentChoice::kPageSize) {
    return absl::DataLossError(absl::StrCat("it finds ", total, " members of segment ",
                                            members->segment.id, ", the segment has ", count));
  }
  if (!std::exchange(answered_, true)) {
    run_->Post([this] { Pump(); });
  }
  return absl::OkStatus();
}

void SegmentSearch::OnEnd(Members* members, const absl::Status& status, int64_t shortfall) {
  if (ended_) return;
  if (!status.ok()) {
    End(status);
    return;
  }
  const int64_t missing =
      std::max({int64_t{0}, shortfall, members->total - members->search->given()});
  if (missing > std::max(kToleratedFew, members->total / kToleratedPart)) {
    End(absl::DataLossError(absl::StrCat(missing, " of ", members->total, " members of segment ",
                                         members->segment.id, " are missing")));
    return;
  }
  members_ += members->total;
  missing_ += missing;
  windows_ -= members->windows;
  reading_.erase(members);
  // What it remembers of its members is not needed any more.
  members->search = nullptr;
  Pump();
}

void SegmentSearch::Stop() {
  ended_ = true;
  for (Members* members : reading_) members->search->Stop();
  options_.line->End();
}

void SegmentSearch::End(const absl::Status& status) {
  Stop();
  options_.on_end(status, members_, missing_);
}

}  // namespace intercom_extractor

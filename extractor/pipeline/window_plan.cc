#include "extractor/pipeline/window_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

// Splitting by days goes step by step: where the contacts are shows with each.
constexpr int64_t kMaxPieces = 4;
// Hence 4 % more requests than a list, or a few for workspaces that have not many.
constexpr int64_t kPagesPerWindow = 13;
constexpr int64_t kMinWindows = 8;
// Contacts this far outside of what was asked for may be a matter of time zones.
constexpr int kToleratedDays = 2;
// A window this many times longer than the others need not wait for a place.
constexpr int64_t kFarTooLong = 3;
// A day is read anew only while what was read of it is little beside the rest,
// and beside all contacts.
constexpr int64_t kMaxReadShare = 4;
constexpr int64_t kMaxWaste = 50;
// Times beyond are damaged (the year 10000), and days of them may overflow.
constexpr int64_t kLatestSecond = 253402300800;

std::optional<int64_t> Usable(std::optional<int64_t> second) {
  const int64_t value = second.value_or(-1);
  if (value < 0 || value >= kLatestSecond) return std::nullopt;
  return value;
}

}  // namespace

WindowPlan::WindowPlan(const DayCalendar* calendar, absl::CivilDay end, const Options& options)
    : calendar_(*calendar), options_(options) {
  ContactFilter everything;
  everything.created_before = calendar_.NextCut(end);
  everything.segment_id = options_.segment_id;
  everything.role = options_.role;
  windows_.emplace_back();
  windows_[0].estimate = options_.estimate;
  windows_[0].filter = everything;
  windows_[0].before = everything.created_before;
  open_.insert(0);
  new_.push_back(0);
}

std::vector<size_t> WindowPlan::TakeNew() { return std::exchange(new_, {}); }

absl::Status WindowPlan::OnPage(size_t index, const Page& page) {
  // Its work was given to others while the page was on its way.
  if (!IsOpen(index)) return absl::OkStatus();
  Window& window = windows_[index];
  if (!window.total.has_value()) {
    if (!page.total_count.has_value()) return absl::DataLossError("a page has no total_count");
    window.total = page.total_count;
  }
  if (absl::Status status = Check(window, page); !status.ok()) return status;
  if (Count(page, &window) || page.last) open_.erase(index);
  SplitLargest();
  return absl::OkStatus();
}

absl::Status WindowPlan::Check(const Window& window, const Page& page) const {
  std::optional<absl::CivilDay> last = window.last_day;
  for (const Times& times : page.records) {
    const std::optional<int64_t> created_at = Usable(times.created_at);
    if (!created_at.has_value()) continue;
    const absl::CivilDay day = calendar_.DayOf(*created_at);
    if (last.has_value() && day < *last) {
      return absl::DataLossError("contacts are not sorted by created_at");
    }
    last = day;
    if ((window.filter.created_from.has_value() &&
         day < *window.filter.created_from - kToleratedDays) ||
        day > window.filter.created_before + kToleratedDays) {
      return absl::DataLossError("contacts came that were not asked for");
    }
  }
  return absl::OkStatus();
}

bool WindowPlan::Count(const Page& page, Window* window) {
  const int64_t end = calendar_.Start(window->before);
  bool reached = false;
  window->updated_at.clear();
  for (const Times& times : page.records) {
    if (const std::optional<int64_t> created_at = Usable(times.created_at)) {
      const absl::CivilDay day = calendar_.DayOf(*created_at);
      // What lies behind belongs to another window, which reads it as well.
      reached = window->before < window->filter.created_before && *created_at >= end;
      if (reached) break;
      if (!window->last_day.has_value()) window->first_second = *created_at;
      if (window->last_day != day) window->read_on_last_day = 0;
      window->last_day = day;
      window->last_second = *created_at;
    }
    ++window->read;
    ++window->read_on_last_day;
    if (const std::optional<int64_t> updated_at = Usable(times.updated_at)) {
      window->updated_at.push_back(*updated_at);
    }
  }
  window->read += page.malformed;
  return reached;
}

int64_t WindowPlan::Size(size_t index) const {
  return windows_[index].total.value_or(windows_[index].estimate);
}

bool WindowPlan::IsCounted(size_t index) const {
  const Window& window = windows_[index];
  return window.total.has_value() &&
         std::all_of(window.parts.begin(), window.parts.end(),
                     [this](size_t part) { return windows_[part].total.has_value(); });
}

int64_t WindowPlan::Remaining(size_t index) const {
  const Window& window = windows_[index];
  int64_t remaining = Size(index) - window.read;
  for (const size_t part : window.parts) remaining -= Size(part);
  return std::max<int64_t>(0, remaining);
}

Estimate WindowPlan::PagesFor(int64_t contacts, int64_t page_size) {
  const int64_t pages = PagesOf(contacts, page_size);
  const int64_t windows = std::max(kMinWindows, pages / kPagesPerWindow);
  // The last page of a window is half full.
  return {pages, pages + windows / 2, pages + windows};
}

int64_t WindowPlan::ExpectedPages() const {
  int64_t pages = 0;
  // One at least: only its last page tells that a window is at its end.
  for (const size_t index : open_) pages += PagesOf(Remaining(index), options_.page_size);
  return pages;
}

int64_t WindowPlan::Shortfall() const {
  if (!calendar_.known()) return 0;
  int64_t shortfall = 0;
  for (size_t i = 0; i < windows_.size(); ++i) shortfall += Remaining(i);
  return shortfall;
}

void WindowPlan::SplitLargest() {
  if (!windows_[0].total.has_value()) return;
  const int64_t page = options_.page_size;
  const auto max_windows =
      static_cast<size_t>(std::max(kMinWindows, Size(0) / page / kPagesPerWindow));
  while (open_.size() < options_.max_open && windows_.size() < max_windows) {
    int64_t left = 0;
    int64_t largest = 0;
    size_t candidate = 0;
    for (const size_t index : open_) {
      const int64_t remaining = Remaining(index);
      left += remaining;
      // How long a window is shows its first page, and those of its parts.
      if (windows_[index].unsplittable || !IsCounted(index)) continue;
      if (remaining > largest) {
        largest = remaining;
        candidate = index;
      }
    }
    // What each window would read if all were equal. One that is half as long
    // again is worth splitting, unless the end is near.
    const int64_t least = options_.min_pages * page;
    const int64_t target = std::max(least, left / static_cast<int64_t>(options_.max_open));
    if (largest < 2 * least || 2 * largest < 3 * target) return;
    const int64_t wanted = std::max<int64_t>(2, (largest + target / 2) / target);
    // The last places are for windows that turn out to be far too long.
    const size_t places = largest >= kFarTooLong * target ? options_.max_open : Ordinary();
    if (open_.size() >= places) return;
    const auto slots =
        static_cast<int64_t>(std::min(places - open_.size(), max_windows - windows_.size())) + 1;
    if (!Split(candidate, std::min(wanted, slots))) {
      windows_[candidate].unsplittable = true;
    }
  }
}

bool WindowPlan::Split(size_t index, int64_t pieces) {
  // Without a position nobody knows which days are read.
  const std::optional<absl::CivilDay> position = windows_[index].last_day;
  if (pieces < 2 || !position.has_value()) return false;
  const auto most = windows_.size() == 1 ? static_cast<int64_t>(Ordinary()) : kMaxPieces;
  return SplitByCreation(index, *position, std::min(pieces, most)) ||
         SplitDay(index, *position, pieces);
}

bool WindowPlan::SplitByCreation(size_t index, absl::CivilDay position, int64_t pieces) {
  const int64_t remaining = Remaining(index);
  const std::vector<absl::CivilDay> cuts =
      CreationCuts(windows_[index], position, remaining, pieces);
  if (cuts.empty()) return false;
  ContactFilter filter = windows_[index].filter;
  const absl::CivilDay end = windows_[index].before;
  windows_[index].before = cuts.front();
  const int64_t estimate = remaining / (static_cast<int64_t>(cuts.size()) + 1);
  for (size_t i = 0; i < cuts.size(); ++i) {
    filter.created_from = cuts[i];
    filter.created_before = i + 1 < cuts.size() ? cuts[i + 1] : end;
    Add(filter, estimate, index);
  }
  return true;
}

std::vector<absl::CivilDay> WindowPlan::CreationCuts(const Window& window, absl::CivilDay position,
                                                     int64_t remaining, int64_t pieces) const {
  std::vector<absl::CivilDay> cuts;
  const auto add = [&](absl::CivilDay day) {
    day = calendar_.NextCut(std::max(day, position + 1));
    if (day < window.before && (cuts.empty() || day > cuts.back())) cuts.push_back(day);
  };
  // Where the rest ends if it goes on like this. Well before the window's end: an
  // import, and what is behind it is probably little.
  const int64_t seconds = window.last_second - window.first_second;
  const double needed = static_cast<double>(seconds) * static_cast<double>(remaining) /
                        static_cast<double>(std::max<int64_t>(1, window.read));
  const int64_t end = calendar_.Start(window.before);
  if (needed < static_cast<double>(end - window.last_second) / 2) {
    add(calendar_.DayOf(window.last_second + static_cast<int64_t>(needed)) + 1);
    return cuts;
  }
  const int64_t days = window.before - position;
  for (int64_t i = 1; i < pieces; ++i) add(position + days * i / pieces);
  return cuts;
}

bool WindowPlan::SplitDay(size_t index, absl::CivilDay day, int64_t pieces) {
  const Window& window = windows_[index];
  if (calendar_.NextCut(day) != day) return false;
  // The days before are read; this one is read anew, in parts.
  const int64_t waste = window.read_on_last_day;
  if (waste * kMaxReadShare > Remaining(index)) return false;
  if (waste > options_.page_size && (wasted_ + waste) * kMaxWaste > Size(0)) return false;
  ContactFilter filter = window.filter;
  if (!filter.created_from.has_value() || *filter.created_from < day) filter.created_from = day;
  filter.created_before = window.before;
  const int64_t whole = Remaining(index) + waste;

  std::vector<ContactFilter> parts;
  if (filter.role == ContactFilter::Role::kAny) {
    filter.role = ContactFilter::Role::kUser;
    parts.push_back(filter);
    filter.role = ContactFilter::Role::kNotUser;
    parts.push_back(filter);
  } else {
    for (const absl::CivilDay cut : UpdateCuts(window, pieces)) {
      ContactFilter part = filter;
      part.updated_before = cut;
      parts.push_back(part);
      filter.updated_from = cut;
    }
    if (parts.empty()) return false;
    parts.push_back(filter);
  }
  wasted_ += waste;
  windows_[index].before = day;
  windows_[index].read -= waste;
  open_.erase(index);
  for (const ContactFilter& part : parts) {
    Add(part, whole / static_cast<int64_t>(parts.size()), index);
  }
  return true;
}

std::vector<absl::CivilDay> WindowPlan::UpdateCuts(const Window& window, int64_t pieces) const {
  std::vector<int64_t> sample = window.updated_at;
  std::sort(sample.begin(), sample.end());
  std::vector<absl::CivilDay> cuts;
  const auto add = [&](absl::CivilDay day) {
    day = calendar_.NextCut(day);
    if (window.filter.updated_from.has_value() && day <= *window.filter.updated_from) return;
    if (window.filter.updated_before.has_value() && day >= *window.filter.updated_before) return;
    if (cuts.empty() || day > cuts.back()) cuts.push_back(day);
  };
  if (sample.empty()) return cuts;
  for (int64_t i = 1; i < pieces; ++i) {
    add(calendar_.DayOf(
        sample[sample.size() * static_cast<size_t>(i) / static_cast<size_t>(pieces)]));
  }
  // Most were updated on one day, say that of the import itself: the others are
  // read beside it.
  if (cuts.empty()) add(calendar_.DayOf(sample[sample.size() / 2]) + 1);
  return cuts;
}

void WindowPlan::Add(const ContactFilter& filter, int64_t estimate, size_t whole) {
  const size_t index = windows_.size();
  windows_.emplace_back();
  windows_[index].filter = filter;
  windows_[index].before = filter.created_before;
  windows_[index].estimate = estimate;
  windows_[whole].parts.push_back(index);
  open_.insert(index);
  new_.push_back(index);
}

}  // namespace intercom_extractor

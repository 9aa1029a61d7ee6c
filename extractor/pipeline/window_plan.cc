#include "extractor/pipeline/window_plan.h"

#include <algorithm>
#include <utility>

namespace intercom_extractor {
namespace {

// Splitting goes step by step: where the records are shows with each.
constexpr int64_t kMaxPieces = 4;
// Hence 4 % more requests than a list, or a few for workspaces that have not many.
constexpr int64_t kPagesPerWindow = 13;
constexpr int64_t kMinWindows = 8;
// A window this many times longer than the others need not wait for a place.
constexpr int64_t kFarTooLong = 3;
// A day is read anew only while what was read of it is little beside the rest,
// and beside all records.
constexpr int64_t kMaxReadShare = 4;
constexpr int64_t kMaxWaste = 50;
// In a row: reading a day anew takes many pages, and its cursor may be refused, too.
constexpr int kMaxRestarts = 3;
// Times beyond are damaged (the year 10000), and days of them may overflow.
constexpr int64_t kLatestSecond = 253402300800;

std::optional<int64_t> Usable(std::optional<int64_t> second) {
  const int64_t value = second.value_or(-1);
  if (value < 0 || value >= kLatestSecond) return std::nullopt;
  return value;
}

}  // namespace

WindowPlan::WindowPlan(const WindowAxis* axis, int64_t end, const Options& options)
    : axis_(*axis), options_(options) {
  windows_.emplace_back();
  windows_[0].filter.created_before = axis_.NextCut(end);
  windows_[0].filter.role = options_.role;
  windows_[0].filter.updated_from = options_.updated_from;
  windows_[0].before = windows_[0].filter.created_before;
  windows_[0].estimate = options_.estimate;
  open_.insert(0);
  new_.push_back(0);
}

WindowPlan::WindowPlan(const WindowAxis* axis, Saved saved, const Options& options)
    : axis_(*axis),
      options_(options),
      total_(saved.total),
      shortfall_(saved.shortfall),
      wasted_(saved.wasted),
      closed_(saved.closed) {
  for (Saved::Window& window : saved.windows) {
    const size_t index = windows_.size();
    windows_.emplace_back();
    static_cast<Saved::Window&>(windows_[index]) = std::move(window);
    if (const auto second = windows_[index].last_second) {
      windows_[index].last_cut = axis_.LastCut(*second);
      windows_[index].next_cut = axis_.NextCut(*second + 1);
    }
    open_.insert(index);
    new_.push_back(index);
  }
}

WindowPlan::Saved WindowPlan::Save() const {
  Saved saved;
  saved.total = total_;
  saved.shortfall = shortfall_;
  saved.wasted = wasted_;
  saved.closed = closed_ + static_cast<int64_t>(windows_.size() - open_.size());
  for (size_t i = 0; i < windows_.size(); ++i) {
    if (!IsOpen(i)) {
      // Where a part was not counted nobody will know what was missing.
      if (IsCounted(i)) saved.shortfall += Remaining(i);
      continue;
    }
    Saved::Window window = windows_[i];
    for (const size_t part : windows_[i].parts) window.given_away += Size(part);
    window.counted = !window.total.has_value() || IsCounted(i);
    saved.windows.push_back(std::move(window));
  }
  return saved;
}

std::vector<size_t> WindowPlan::TakeNew() { return std::exchange(new_, {}); }

bool WindowPlan::Add(size_t index, const Record& record, Page* page) const {
  const std::optional<int64_t> created_at = Usable(record.created_at);
  page->records.push_back({created_at, Usable(record.updated_at)});
  // Its work was given to others while the page was on its way.
  if (!IsOpen(index)) return false;
  const Window& window = windows_[index];
  if (created_at.has_value()) {
    const int64_t from = window.filter.created_from.value_or(0);
    if (*created_at < from || *created_at >= window.before) return false;
    const Watermark& given = window.given;
    if (given.second.has_value() && *created_at <= *given.second &&
        (*created_at < *given.second || given.ids.contains(record.id))) {
      return false;
    }
    if (page->last_second != created_at) {
      // Nearly every record's second is another one: one string's memory serves for all.
      page->last_second = created_at;
      page->ids.resize(1);
      page->ids[0].assign(record.id.data(), record.id.size());
    } else {
      page->ids.emplace_back(record.id);
    }
  }
  ++page->wanted;
  return true;
}

absl::Status WindowPlan::OnPage(size_t index, const Page& page) {
  if (!IsOpen(index)) return absl::OkStatus();
  Window& window = windows_[index];
  if (!window.total.has_value()) {
    if (!page.total_count.has_value()) return absl::DataLossError("a page has no total_count");
    window.total = page.total_count;
    if (!total_.has_value()) total_ = page.total_count;
  }
  if (absl::Status status = Check(window, page); !status.ok()) return status;
  const bool reached = Count(page, &window);
  if (page.wanted > 0) window.restarts = 0;
  if (page.last_second.has_value()) {
    Watermark& given = window.given;
    if (given.second != page.last_second) given = {page.last_second, {}, false};
    given.ids.insert(page.ids.begin(), page.ids.end());
    if (given.overflow || given.ids.size() > kMaxIds) given = {given.second, {}, true};
  }
  if (reached || page.last) Close(index);
  SplitLargest();
  return absl::OkStatus();
}

absl::Status WindowPlan::Check(const Window& window, const Page& page) const {
  std::optional<int64_t> last = window.last_second;
  for (const Page::Times& times : page.records) {
    if (!times.created_at.has_value()) continue;
    const int64_t second = *times.created_at;
    if (last.has_value() && second < *last) {
      return absl::DataLossError("records are not sorted by created_at");
    }
    last = second;
    if ((window.filter.created_from.has_value() &&
         second < *window.filter.created_from - axis_.tolerance()) ||
        second > window.filter.created_before + axis_.tolerance()) {
      return absl::DataLossError("records came that were not asked for");
    }
  }
  return absl::OkStatus();
}

bool WindowPlan::Count(const Page& page, Window* window) const {
  window->updated_at.clear();
  for (const Page::Times& times : page.records) {
    if (times.created_at.has_value()) {
      const int64_t second = *times.created_at;
      if (second >= window->before &&
          (window->before < window->filter.created_before || !axis_.exact())) {
        // What lies behind belongs to another window, which reads it as well.
        return true;
      }
      if (second >= window->filter.created_from.value_or(0) && second < window->before) {
        MoveTo(second, window);
      }
    }
    ++window->read;
    ++window->read_since_cut;
    if (times.updated_at.has_value()) window->updated_at.push_back(*times.updated_at);
  }
  window->read += page.malformed;
  return false;
}

void WindowPlan::MoveTo(int64_t second, Window* window) const {
  if (!window->last_second.has_value()) window->first_second = second;
  if (!window->last_second.has_value() || second >= window->next_cut) {
    window->read_since_cut = 0;
    window->last_cut = axis_.LastCut(second);
    window->next_cut = axis_.NextCut(second + 1);
  }
  window->last_second = second;
}

int64_t WindowPlan::Size(size_t index) const {
  return windows_[index].total.value_or(windows_[index].estimate);
}

bool WindowPlan::IsCounted(size_t index) const {
  const Window& window = windows_[index];
  return window.counted && window.total.has_value() &&
         std::all_of(window.parts.begin(), window.parts.end(),
                     [this](size_t part) { return windows_[part].total.has_value(); });
}

int64_t WindowPlan::Remaining(size_t index) const {
  const Window& window = windows_[index];
  int64_t remaining = Size(index) - window.given_away - window.read;
  for (const size_t part : window.parts) remaining -= Size(part);
  return std::max<int64_t>(0, remaining);
}

Estimate WindowPlan::PagesFor(int64_t records, int64_t page_size) {
  const int64_t pages = PagesOf(records, page_size);
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
  if (!axis_.exact()) return 0;
  int64_t shortfall = shortfall_;
  for (size_t i = 0; i < windows_.size(); ++i) {
    if (windows_[i].counted) shortfall += Remaining(i);
  }
  return shortfall;
}

void WindowPlan::SplitLargest() {
  if (!total_.has_value()) return;
  const int64_t page = options_.page_size;
  const auto max_windows =
      static_cast<size_t>(std::max(kMinWindows, *total_ / page / kPagesPerWindow));
  while (open_.size() < options_.max_open && size() < max_windows) {
    int64_t left = 0;
    int64_t largest = 0;
    size_t candidate = 0;
    for (const size_t index : open_) {
      const int64_t remaining = Remaining(index);
      left += remaining;
      // How long a window is shows its first page, and those of its parts.
      if (windows_[index].unsplittable || !windows_[index].total.has_value() ||
          (windows_[index].counted && !IsCounted(index))) {
        continue;
      }
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
        static_cast<int64_t>(std::min(places - open_.size(), max_windows - size())) + 1;
    if (!Split(candidate, std::min(wanted, slots))) {
      windows_[candidate].unsplittable = true;
    }
  }
}

bool WindowPlan::Split(size_t index, int64_t pieces) {
  // Without a position nobody knows what is read.
  if (pieces < 2 || !windows_[index].last_second.has_value()) return false;
  const auto most = size() == 1 ? static_cast<int64_t>(Ordinary()) : kMaxPieces;
  return SplitByCreation(index, std::min(pieces, most)) || SplitBetweenCuts(index, pieces);
}

bool WindowPlan::SplitByCreation(size_t index, int64_t pieces) {
  const int64_t remaining = Remaining(index);
  const std::vector<int64_t> cuts = CreationCuts(windows_[index], remaining, pieces);
  if (cuts.empty()) return false;
  WindowFilter filter = windows_[index].filter;
  const int64_t end = windows_[index].before;
  windows_[index].before = cuts.front();
  const int64_t estimate = remaining / (static_cast<int64_t>(cuts.size()) + 1);
  for (size_t i = 0; i < cuts.size(); ++i) {
    filter.created_from = cuts[i];
    filter.created_before = i + 1 < cuts.size() ? cuts[i + 1] : end;
    AddWindow(filter, estimate, index);
  }
  return true;
}

std::vector<int64_t> WindowPlan::CreationCuts(const Window& window, int64_t remaining,
                                              int64_t pieces) const {
  std::vector<int64_t> cuts;
  const int64_t position = *window.last_second;
  const auto add = [&](int64_t second) {
    const int64_t cut = axis_.NextCut(std::max(second, position + 1));
    if (cut < window.before && (cuts.empty() || cut > cuts.back())) cuts.push_back(cut);
  };
  // Where the rest ends if it goes on like this. Well before the window's end: an
  // import, and what is behind it is probably little.
  const int64_t seconds = position - *window.first_second;
  const double needed = static_cast<double>(seconds) * static_cast<double>(remaining) /
                        static_cast<double>(std::max<int64_t>(1, window.read));
  if (needed < static_cast<double>(window.before - position) / 2) {
    // Where "or equal" is compared, the cut's window gives the second before it as well.
    add(position + static_cast<int64_t>(needed) + 2);
    return cuts;
  }
  const int64_t rest = window.before - position;
  for (int64_t i = 1; i < pieces; ++i) add(position + rest * i / pieces);
  return cuts;
}

bool WindowPlan::SplitBetweenCuts(size_t index, int64_t pieces) {
  if (!axis_.has_roles()) return false;
  const Window& window = windows_[index];
  // What was given of the day cannot be told from the rest.
  if (window.given.overflow) return false;
  // What is read since the cut is read anew, in parts.
  const int64_t waste = window.read_since_cut;
  if (waste * kMaxReadShare > Remaining(index)) return false;
  if (waste > options_.page_size && (wasted_ + waste) * kMaxWaste > *total_) return false;
  const std::vector<WindowFilter> parts = Parts(window, RestOf(window), pieces);
  if (parts.empty()) return false;
  HandOver(index, parts);
  return true;
}

std::vector<WindowFilter> WindowPlan::Parts(const Window& window, WindowFilter rest,
                                            int64_t pieces) const {
  std::vector<WindowFilter> parts;
  if (rest.role == ContactFilter::Role::kAny) {
    rest.role = ContactFilter::Role::kUser;
    parts.push_back(rest);
    rest.role = ContactFilter::Role::kNotUser;
    parts.push_back(rest);
    return parts;
  }
  for (const int64_t cut : UpdateCuts(window, pieces)) {
    WindowFilter part = rest;
    part.updated_before = cut;
    parts.push_back(part);
    rest.updated_from = cut;
  }
  if (!parts.empty()) parts.push_back(rest);
  return parts;
}

std::vector<int64_t> WindowPlan::UpdateCuts(const Window& window, int64_t pieces) const {
  std::vector<int64_t> sample = window.updated_at;
  std::sort(sample.begin(), sample.end());
  std::vector<int64_t> cuts;
  const auto add = [&](int64_t cut) {
    if (window.filter.updated_from.has_value() && cut <= *window.filter.updated_from) return;
    if (window.filter.updated_before.has_value() && cut >= *window.filter.updated_before) return;
    if (cuts.empty() || cut > cuts.back()) cuts.push_back(cut);
  };
  if (sample.empty()) return cuts;
  for (int64_t i = 1; i < pieces; ++i) {
    add(axis_.LastCut(
        sample[sample.size() * static_cast<size_t>(i) / static_cast<size_t>(pieces)]));
  }
  // Most were updated on one day, say that of the import itself: the others are
  // read beside it.
  if (cuts.empty()) add(axis_.NextCut(sample[sample.size() / 2] + 1));
  return cuts;
}

WindowFilter WindowPlan::RestOf(const Window& window) {
  WindowFilter rest = window.filter;
  rest.created_from = std::max(window.last_cut, rest.created_from.value_or(window.last_cut));
  rest.created_before = window.before;
  return rest;
}

void WindowPlan::HandOver(size_t index, const std::vector<WindowFilter>& parts) {
  const int64_t waste = windows_[index].read_since_cut;
  const int64_t whole = Remaining(index) + waste;
  wasted_ += waste;
  windows_[index].before = windows_[index].last_cut;
  windows_[index].read -= waste;
  for (const WindowFilter& part : parts) {
    const size_t added = AddWindow(part, whole / static_cast<int64_t>(parts.size()), index);
    windows_[added].given = windows_[index].given;
  }
  Close(index);
}

absl::Status WindowPlan::Restart(size_t index) {
  if (!IsOpen(index)) return absl::OkStatus();
  Window& window = windows_[index];
  const int restarts = window.restarts + 1;
  if (restarts > kMaxRestarts) return absl::DataLossError("a window restarts without end");
  if (window.last_second.has_value()) {
    HandOver(index, {RestOf(window)});
    windows_.back().restarts = restarts;
    return absl::OkStatus();
  }
  window.restarts = restarts;
  window.read = 0;
  window.read_since_cut = 0;
  new_.push_back(index);
  return absl::OkStatus();
}

size_t WindowPlan::AddWindow(const WindowFilter& filter, int64_t estimate, size_t whole) {
  const size_t index = windows_.size();
  windows_.emplace_back();
  windows_[index].filter = filter;
  windows_[index].before = filter.created_before;
  windows_[index].estimate = estimate;
  windows_[whole].parts.push_back(index);
  open_.insert(index);
  new_.push_back(index);
  return index;
}

void WindowPlan::Close(size_t index) {
  open_.erase(index);
  // A plan has thousands of closed windows; only their counts are needed.
  windows_[index].given = Watermark();
  windows_[index].updated_at = {};
}

}  // namespace intercom_extractor

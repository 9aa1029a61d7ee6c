#include "extractor/pipeline/saved_windows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "extractor/checkpoint/packed_ids.h"

namespace intercom_extractor {
namespace {

constexpr size_t kMaxIdBytes = size_t{8} << 10;

resume::Window ToState(const WindowPlan::Saved::Window& window, const std::string& cursor) {
  resume::Window state;
  const WindowFilter& filter = window.filter;
  if (filter.created_from.has_value()) state.set_created_from(*filter.created_from);
  state.set_created_before(filter.created_before);
  state.set_role(static_cast<int>(filter.role));
  if (filter.updated_from.has_value()) state.set_updated_from(*filter.updated_from);
  if (filter.updated_before.has_value()) state.set_updated_before(*filter.updated_before);
  state.set_before(window.before);
  if (window.given.second.has_value()) state.set_given_second(*window.given.second);
  state.set_given_ids(PackIds({window.given.ids.begin(), window.given.ids.end()}));
  state.set_overflow(window.given.overflow);
  if (window.total.has_value()) state.set_total(*window.total);
  state.set_estimate(window.estimate);
  state.set_given_away(window.given_away);
  state.set_counted(window.counted);
  state.set_read(window.read);
  state.set_read_since_cut(window.read_since_cut);
  if (window.first_second.has_value()) state.set_first_second(*window.first_second);
  if (window.last_second.has_value()) state.set_last_second(*window.last_second);
  state.set_cursor(cursor);
  return state;
}

// Of counts: what as many windows as a token has room for count together.
constexpr int64_t kMostRecords = 1'000'000'000'000'000;
// Of times: beyond are damaged (the year 10000), and sums of them may overflow; windows
// may be a day wider than what they read.
constexpr int64_t kLatestSecond = 253402300800;
constexpr int64_t kSlack = int64_t{2} * 24 * 60 * 60;

bool AreCounts(std::initializer_list<int64_t> numbers) {
  return std::all_of(numbers.begin(), numbers.end(),
                     [](int64_t number) { return number >= 0 && number <= kMostRecords; });
}

bool AreTimes(std::initializer_list<int64_t> seconds) {
  return std::all_of(seconds.begin(), seconds.end(), [](int64_t second) {
    return second >= -kSlack && second <= kLatestSecond + kSlack;
  });
}

// Whether it can have been saved. What is absent is 0, which is a count and a time.
bool IsSound(const resume::Window& window) {
  return AreCounts({window.total(), window.estimate(), window.given_away(), window.read(),
                    window.read_since_cut()}) &&
         AreTimes({window.created_from(), window.created_before(), window.updated_from(),
                   window.updated_before(), window.before(), window.given_second(),
                   window.first_second(), window.last_second()}) &&
         window.has_first_second() == window.has_last_second() && window.role() >= 0 &&
         window.role() <= static_cast<int>(ContactFilter::Role::kNotUser);
}

}  // namespace

resume::Windows ToState(const SearchWindows::Saved& saved) {
  resume::Windows state;
  size_t id_bytes = 0;
  for (size_t i = 0; i < saved.plan.windows.size(); ++i) {
    resume::Window window = ToState(saved.plan.windows[i], saved.cursors[i]);
    id_bytes += window.given_ids().size();
    if (id_bytes > kMaxIdBytes && !window.cursor().empty()) {
      id_bytes -= window.given_ids().size();
      window.clear_given_ids();
      window.set_overflow(true);
    }
    *state.add_windows() = std::move(window);
  }
  if (saved.plan.total.has_value()) state.set_total(*saved.plan.total);
  state.set_shortfall(saved.plan.shortfall);
  state.set_wasted(saved.plan.wasted);
  state.set_closed(saved.plan.closed);
  state.set_given(saved.given);
  state.set_undated_ids(PackIds(saved.undated));
  return state;
}

absl::StatusOr<SearchWindows::Saved> FromState(const resume::Windows& state) {
  SearchWindows::Saved saved;
  bool sound =
      AreCounts({state.total(), state.shortfall(), state.wasted(), state.closed(), state.given()});
  for (const resume::Window& window : state.windows()) sound = sound && IsSound(window);
  if (!sound) return absl::DataLossError("damaged windows");
  for (const resume::Window& window : state.windows()) {
    WindowPlan::Saved::Window& plan = saved.plan.windows.emplace_back();
    WindowFilter& filter = plan.filter;
    if (window.has_created_from()) filter.created_from = window.created_from();
    filter.created_before = window.created_before();
    filter.role = static_cast<ContactFilter::Role>(window.role());
    if (window.has_updated_from()) filter.updated_from = window.updated_from();
    if (window.has_updated_before()) filter.updated_before = window.updated_before();
    plan.before = window.before();
    if (window.has_given_second()) plan.given.second = window.given_second();
    const absl::StatusOr<std::vector<std::string>> ids = UnpackIds(window.given_ids());
    if (!ids.ok()) return ids.status();
    plan.given.ids.insert(ids->begin(), ids->end());
    plan.given.overflow = window.overflow();
    if (window.has_total()) plan.total = window.total();
    plan.estimate = window.estimate();
    plan.given_away = window.given_away();
    plan.counted = window.counted();
    plan.read = window.read();
    plan.read_since_cut = window.read_since_cut();
    if (window.has_first_second()) plan.first_second = window.first_second();
    if (window.has_last_second()) plan.last_second = window.last_second();
    saved.cursors.push_back(window.cursor());
  }
  if (state.has_total()) saved.plan.total = state.total();
  saved.plan.shortfall = state.shortfall();
  saved.plan.wasted = state.wasted();
  saved.plan.closed = state.closed();
  saved.given = state.given();
  absl::StatusOr<std::vector<std::string>> undated = UnpackIds(state.undated_ids());
  if (!undated.ok()) return undated.status();
  saved.undated = *std::move(undated);
  return saved;
}

}  // namespace intercom_extractor

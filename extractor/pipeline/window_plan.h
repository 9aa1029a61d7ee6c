#ifndef EXTRACTOR_PIPELINE_WINDOW_PLAN_H_
#define EXTRACTOR_PIPELINE_WINDOW_PLAN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "extractor/pipeline/contact_search.h"
#include "extractor/pipeline/day_calendar.h"
#include "extractor/plan/request_plan.h"

namespace intercom_extractor {

// Decides which windows contacts are read in: disjoint searches whose union is
// every contact created before some day. Begins with one window of everything;
// its first page is also its count. Whenever fewer windows are open than may be,
// the one with most left to read is split:
//   - by day of creation: it is told to end earlier and goes on with its cursor;
//     new windows read the days behind,
//   - a single day (an import) by role, then by day of `updated_at`: new windows
//     read the day anew, and the page or two that were read of it are in vain.
// So a window costs half a page more than a list would, and there are never more
// windows than one for 13 pages (or eight).
//
// Pure: no requests, no clock. Not thread-safe.
class WindowPlan {
 public:
  struct Options {
    int64_t page_size = 150;
    size_t max_open = 64;
    // Splitting leaves at least this much on both sides.
    int64_t min_pages = 5;
    // Which contacts: of any segment and role, unless said here.
    std::string segment_id;
    ContactFilter::Role role = ContactFilter::Role::kAny;
    // How many there probably are, until the first page counts them.
    int64_t estimate = 0;
  };

  // `calendar` must outlive the plan. Contacts created on `end` or later are not
  // read.
  WindowPlan(const DayCalendar* calendar, absl::CivilDay end, const Options& options);

  // What one record of a page says; nothing for what cannot be read.
  struct Times {
    std::optional<int64_t> created_at;
    std::optional<int64_t> updated_at;
  };
  struct Page {
    std::optional<int64_t> total_count;
    std::vector<Times> records;
    // Records that were no good JSON.
    int64_t malformed = 0;
    bool last = false;
  };

  // A page of a window has arrived. kDataLoss when the search cannot be trusted:
  // no total, contacts out of order, or contacts that were not asked for.
  absl::Status OnPage(size_t window, const Page& page);

  // Windows that came to be since the last call, to be read from their first
  // page.
  std::vector<size_t> TakeNew();

  const ContactFilter& filter(size_t window) const { return windows_[window].filter; }
  // False when no further page of the window is needed.
  bool IsOpen(size_t window) const { return open_.count(window) > 0; }
  size_t open() const { return open_.size(); }
  // Pages that reading so many contacts takes.
  static Estimate PagesFor(int64_t contacts, int64_t page_size);
  // Pages that open windows still have, as far as it is known; those that were
  // asked for and did not arrive among them.
  int64_t ExpectedPages() const;
  size_t size() const { return windows_.size(); }

  // Contacts that windows counted (`total_count`) but did not give, once none is
  // open. 0 where windows overlap, for a calendar that is not known.
  int64_t Shortfall() const;

 private:
  struct Window {
    ContactFilter filter;
    // Where it ends now; earlier than the filter's after a split.
    absl::CivilDay before;
    std::optional<int64_t> total;
    // Stands for the total until that is known.
    int64_t estimate = 0;
    // Windows that read a part of what `filter` selects.
    std::vector<size_t> parts;
    // Records before `before` that were read.
    int64_t read = 0;
    // Of these: created on `last_day`.
    int64_t read_on_last_day = 0;
    std::optional<absl::CivilDay> last_day;
    int64_t first_second = 0;
    int64_t last_second = 0;
    // Of the last page, as a sample of what is to come.
    std::vector<int64_t> updated_at;
    bool unsplittable = false;
  };

  absl::Status Check(const Window& window, const Page& page) const;
  // True when the window's end was reached.
  bool Count(const Page& page, Window* window);
  int64_t Size(size_t window) const;
  // Whether Remaining() is more than an estimate.
  bool IsCounted(size_t window) const;
  int64_t Remaining(size_t window) const;
  // Windows that may be open while none is far longer than the others.
  size_t Ordinary() const { return std::max<size_t>(2, options_.max_open * 3 / 4); }
  void SplitLargest();
  bool Split(size_t window, int64_t pieces);
  bool SplitByCreation(size_t window, absl::CivilDay position, int64_t pieces);
  bool SplitDay(size_t window, absl::CivilDay day, int64_t pieces);
  std::vector<absl::CivilDay> CreationCuts(const Window& window, absl::CivilDay position,
                                           int64_t remaining, int64_t pieces) const;
  std::vector<absl::CivilDay> UpdateCuts(const Window& window, int64_t pieces) const;
  void Add(const ContactFilter& filter, int64_t estimate, size_t whole);

  const DayCalendar& calendar_;
  const Options options_;
  std::vector<Window> windows_;
  std::set<size_t> open_;
  std::vector<size_t> new_;
  // Records that are read twice as their day was split.
  int64_t wasted_ = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_WINDOW_PLAN_H_

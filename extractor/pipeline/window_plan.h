#ifndef EXTRACTOR_PIPELINE_WINDOW_PLAN_H_
#define EXTRACTOR_PIPELINE_WINDOW_PLAN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "extractor/pipeline/contact_search.h"
#include "extractor/pipeline/window_axis.h"
#include "extractor/plan/request_plan.h"

namespace intercom_extractor {

// Decides which windows records are read in: disjoint searches, sorted by
// `created_at`, whose union is every record created before some second. Begins
// with one window of everything; its first page is also its count. Whenever fewer
// windows are open than may be, the one with most left to read is split:
//   - by time of creation, where the axis may be cut: it is told to end earlier and
//     goes on with its cursor; new windows read what is behind,
//   - between two cuts (a day of contacts, an import) by role, then by day of
//     `updated_at`: new windows read the day anew, and the page or two that were
//     read of it are in vain.
// So a window costs half a page more than a list would, and there are never more
// windows than one for 13 pages (or eight).
//
// Each record is wanted from one window only: the one whose seconds hold its
// `created_at`. What a window has given is told by a watermark, the last second and
// the ids at it, so that a window that is read anew repeats nothing. A record whose
// `created_at` nobody can read is wanted from every window that gives it; whoever
// needs it once looks at its id.
//
// Pure: no requests, no clock. Not thread-safe.
class WindowPlan {
 public:
  struct Options {
    int64_t page_size = 150;
    size_t max_open = 64;
    // Splitting leaves at least this much on both sides.
    int64_t min_pages = 5;
    // Of contacts: only those of this role.
    ContactFilter::Role role = ContactFilter::Role::kAny;
    // Only records updated at this cut or later; absent: all.
    std::optional<int64_t> updated_from;
    // How many records there probably are, until the first page counts them.
    int64_t estimate = 0;
  };

  // How far a window has been read.
  struct Watermark {
    std::optional<int64_t> second;
    // Of the records created in that second that were given.
    absl::flat_hash_set<std::string> ids;
    // More than kMaxIds share the second, and `ids` is empty. Such a window goes on
    // with its cursor; if it must be read anew it gives this second again, which
    // consumers with keys do not notice.
    bool overflow = false;
  };
  static constexpr size_t kMaxIds = 2000;

  // What is left to do, and nothing per record: at most `max_open` windows.
  struct Saved {
    struct Window {
      // As it is asked for; a cursor holds for this filter only.
      WindowFilter filter;
      // Where it ends now; earlier than the filter's end after a split.
      int64_t before = 0;
      Watermark given;
      // Of all that the filter selects, once a page has said it.
      std::optional<int64_t> total;
      // Stands for the total until that is known.
      int64_t estimate = 0;
      // Of the total: what other windows read that were saved or closed before.
      int64_t given_away = 0;
      // False when it is not known how much the others have.
      bool counted = true;
      // Records before `before` that were read.
      int64_t read = 0;
      // Of these: since the last cut.
      int64_t read_since_cut = 0;
      std::optional<int64_t> first_second;
      std::optional<int64_t> last_second;
    };
    std::vector<Window> windows;
    // Records in all, as the first page said.
    std::optional<int64_t> total;
    // Of the windows that are closed.
    int64_t shortfall = 0;
    int64_t wasted = 0;
    int64_t closed = 0;
  };

  // `axis` must outlive the plan. Records created at the first cut from `end` on, or
  // later, are not read.
  WindowPlan(const WindowAxis* axis, int64_t end, const Options& options);
  // Goes on with what was saved; the windows have the numbers of `saved.windows`.
  WindowPlan(const WindowAxis* axis, Saved saved, const Options& options);

  Saved Save() const;

  // A record as its page says it; nothing for what cannot be read.
  struct Record {
    absl::string_view id;
    std::optional<int64_t> created_at;
    std::optional<int64_t> updated_at;
  };
  struct Page {
    std::optional<int64_t> total_count;
    // Records that were no good JSON.
    int64_t malformed = 0;
    bool last = false;

    // The rest is filled in by Add().
    struct Times {
      std::optional<int64_t> created_at;
      std::optional<int64_t> updated_at;
    };
    std::vector<Times> records;
    int64_t wanted = 0;
    // Of the wanted ones: the last second, and the ids at it.
    std::optional<int64_t> last_second;
    std::vector<std::string> ids;

    // Keeps the memory for the next page.
    void Clear() {
      total_count.reset();
      malformed = 0;
      last = false;
      records.clear();
      wanted = 0;
      last_second.reset();
      ids.clear();
    }
  };

  // Adds a record to a page of the window. Whether its rows are wanted: false when
  // it is another window's, or was given before.
  bool Add(size_t window, const Record& record, Page* page) const;

  // A page of a window has arrived. kDataLoss when the search cannot be trusted:
  // no total, records out of order, or records that were not asked for.
  absl::Status OnPage(size_t window, const Page& page);

  // A window cannot go on with its cursor: what is left of it comes from a new
  // window. kDataLoss when that happens again and again and it gives nothing.
  absl::Status Restart(size_t window);

  // Windows that came to be since the last call; those that were not saved are to
  // be read from their first page.
  std::vector<size_t> TakeNew();

  const WindowFilter& filter(size_t window) const { return windows_[window].filter; }
  // False when no further page of the window is needed.
  bool IsOpen(size_t window) const { return open_.count(window) > 0; }
  // Windows that Save() saves, in its order.
  const std::set<size_t>& open() const { return open_; }
  // Whether so many records are read in windows: twenty pages. Fewer are read sooner
  // one page after the other, which splits nothing.
  static constexpr bool IsWorthwhile(int64_t records) { return records >= 3000; }
  // Pages that reading so many records takes.
  static Estimate PagesFor(int64_t records, int64_t page_size);
  // Pages that open windows still have, as far as it is known; those that were
  // asked for and did not arrive among them.
  int64_t ExpectedPages() const;
  // Records that a window still has, as far as it is known.
  int64_t Remaining(size_t window) const;
  // Windows that there were so far, those before a restart among them.
  size_t size() const { return static_cast<size_t>(closed_) + windows_.size(); }

  // Records that windows counted (`total_count`) but did not give, once none is
  // open. 0 where windows overlap.
  int64_t Shortfall() const;

 private:
  struct Window : Saved::Window {
    // Windows that read a part of what `filter` selects.
    std::vector<size_t> parts;
    // The cuts around `last_second`.
    int64_t last_cut = 0;
    int64_t next_cut = 0;
    // `updated_at` in the last page, as a sample of what is to come.
    std::vector<int64_t> updated_at;
    bool unsplittable = false;
    // Times that it was restarted and has given nothing since.
    int restarts = 0;
  };

  absl::Status Check(const Window& window, const Page& page) const;
  // True when the window's end was reached.
  bool Count(const Page& page, Window* window) const;
  void MoveTo(int64_t second, Window* window) const;
  int64_t Size(size_t window) const;
  // Whether Remaining() is more than an estimate.
  bool IsCounted(size_t window) const;
  // Windows that may be open while none is far longer than the others.
  size_t Ordinary() const { return std::max<size_t>(2, options_.max_open * 3 / 4); }
  void SplitLargest();
  bool Split(size_t window, int64_t pieces);
  bool SplitByCreation(size_t window, int64_t pieces);
  bool SplitBetweenCuts(size_t window, int64_t pieces);
  std::vector<WindowFilter> Parts(const Window& window, WindowFilter rest, int64_t pieces) const;
  std::vector<int64_t> CreationCuts(const Window& window, int64_t remaining, int64_t pieces) const;
  std::vector<int64_t> UpdateCuts(const Window& window, int64_t pieces) const;
  // What a window selects from the last cut before its position on.
  static WindowFilter RestOf(const Window& window);
  // The window ends at its last cut; `parts` read the rest, less what it has given.
  void HandOver(size_t window, const std::vector<WindowFilter>& parts);
  size_t AddWindow(const WindowFilter& filter, int64_t estimate, size_t whole);
  void Close(size_t window);

  const WindowAxis& axis_;
  const Options options_;
  std::vector<Window> windows_;
  std::set<size_t> open_;
  std::vector<size_t> new_;
  // As in Saved.
  std::optional<int64_t> total_;
  int64_t shortfall_ = 0;
  // Records that are read twice as their day was split.
  int64_t wasted_ = 0;
  int64_t closed_ = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_WINDOW_PLAN_H_

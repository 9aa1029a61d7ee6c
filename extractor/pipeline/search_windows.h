#ifndef EXTRACTOR_PIPELINE_SEARCH_WINDOWS_H_
#define EXTRACTOR_PIPELINE_SEARCH_WINDOWS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/record_ids.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/window_axis.h"
#include "extractor/pipeline/window_plan.h"

namespace intercom_extractor {

// Reads all records that a search finds, many pages at a time: those of POST
// /contacts/search or POST /conversations/search. Each record makes rows once,
// also when a cursor is refused and its window is read anew. Lives on the
// extraction's strand.
//
// Two kinds of records are told apart by their ids, as their place says too little:
// those in windows by `updated_at`, as contacts that are updated meanwhile move
// between them, and those whose `created_at` cannot be read. The first kMaxExact of
// these come once, after a resume the first kMaxUndated without a `created_at`; any
// other may come again, which consumers with keys do not notice.
class SearchWindows : public std::enable_shared_from_this<SearchWindows> {
 public:
  static constexpr size_t kMaxExact = 2'000'000;
  static constexpr size_t kMaxUndated = 300;

  // What is searched.
  struct Search {
    // "POST /contacts/search", and its path.
    std::string operation;
    std::string path;
    std::shared_ptr<const WindowAxis> axis;
    // Records created at the first cut from this second on are not read.
    int64_t end = 0;
    // The body that asks for a page of a window.
    std::function<std::string(const WindowFilter&, int per_page, absl::string_view starting_after)>
        body;

    // Contacts, of this segment unless it is empty, that were created up to the day of
    // `start`, for a workspace in this time zone, as GET /me names it; may be empty.
    static Search Contacts(const std::string& time_zone, absl::Time start,
                           const std::string& segment_id = "");
    // Conversations that were created up to `start`.
    static Search Conversations(absl::Time start);
  };

  struct Options {
    Search search;
    WindowPlan::Options plan;
    // How pages become rows.
    Run::Reading reading;
    // Called for the reading of each page before it is asked for, for what must be
    // known per page: several are on their way. May be empty.
    std::function<void(Run::Reading*)> prepare;
    // Where a record's times and id are.
    ValueRef id;
    ValueRef created_at;
    ValueRef updated_at;
    // Whether one more page may be asked for while so many are on their way.
    std::function<bool(size_t in_flight)> has_room;
    // Whether this total, of the first page, is worth going on. An error ends the
    // reading.
    std::function<absl::Status(int64_t total)> on_total;
    // Called once: after the last page, with the number of records that windows
    // counted but did not give; or with why the search cannot be trusted. Pages
    // that arrive later make no rows.
    std::function<void(const absl::Status&, int64_t shortfall)> on_end;
  };

  // What is left to read. Pages that are on their way count as not read.
  struct Saved {
    WindowPlan::Saved plan;
    // Of each of the plan's windows; empty: it begins with its first page. A cursor
    // that Intercom does not take any more costs pages, not rows.
    std::vector<std::string> cursors;
    // Records that made rows so far.
    int64_t given = 0;
    // Of these: without a `created_at`, the first kMaxUndated.
    std::vector<std::string> undated;
  };

  // `run` and `shape` must outlive the extraction's strand.
  static std::shared_ptr<SearchWindows> Create(Run* run, const Shape* shape, Options options);
  // Goes on with what was saved.
  static std::shared_ptr<SearchWindows> Resume(Run* run, const Shape* shape, Options options,
                                               Saved saved);

  void Start() { Pump(); }
  // Asks for as many pages as there is room for; to be called when there is more.
  void Pump();
  // Gives up: `on_end` is not called, pages that arrive later make no rows.
  void Stop();

  // To be called between pages, not while one makes rows.
  Saved Save() const;
  // Records that made rows, those before a restart among them.
  int64_t given() const { return given_; }

 private:
  struct Exact {
    std::string id;
    bool dated;
  };
  // A window's chain of pages.
  struct Chain {
    ProgressWatch watch;
    WindowPlan::Page page;
    // Of the page: records that are told apart by their ids.
    std::vector<Exact> exact;
    std::string starting_after;
    int64_t pages = 0;
  };

  SearchWindows(Run* run, const Shape* shape, Options options, WindowPlan plan);
  void Fetch(size_t window);
  // Whether the record's rows are wanted.
  bool Add(size_t window, const RecordValues& values, WindowPlan::Page* page,
           std::vector<Exact>* exact) const;
  void OnPage(size_t window, const absl::StatusOr<PageInfo>& info);
  absl::Status Advance(size_t window, const PageInfo& info);
  void End(const absl::Status& status);

  Run* const run_;
  const Shape* const shape_;
  Options options_;
  WindowPlan plan_;
  std::map<size_t, Chain> chains_;
  RecordIds exact_;
  std::vector<std::string> undated_;
  int64_t given_ = 0;
  // Windows that could go on; pages that are asked for and did not arrive.
  std::vector<size_t> waiting_;
  size_t in_flight_ = 0;
  bool ended_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_SEARCH_WINDOWS_H_

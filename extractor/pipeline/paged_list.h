#ifndef EXTRACTOR_PIPELINE_PAGED_LIST_H_
#define EXTRACTOR_PIPELINE_PAGED_LIST_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/run.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// `text` as it may stand in a URL's path or query: cursors can hold "+", "/" and
// line ends, ids anything.
std::string UrlEncode(absl::string_view text);

// The query parameter that asks for the page after this one, such as
// "starting_after=abc" or "page=3"; empty when it was the last. `page` is the
// number of this page, from 1. Serves cursors, page numbers and unpaged lists:
// the answer tells which it is.
std::string NextPageParameter(const PageInfo& info, int64_t page);

// Notices a walk that goes in circles: a page that holds exactly the records of
// an earlier one. Repeated cursors are no sign, a scroll's stays the same. Costs
// 8 bytes a page.
class ProgressWatch {
 public:
  // Begins a page, also one that is read anew.
  void BeginPage();
  // To be called with the id of each record of a page.
  void AddRecord(absl::string_view id);
  // Ends the page; false when it was seen before. Empty pages are not counted.
  bool EndPage();

 private:
  size_t hash_ = 0;
  bool empty_ = true;
  std::unordered_set<size_t> seen_;
};

// Walks one GET list from its first to its last page.
class PagedList : public std::enable_shared_from_this<PagedList> {
 public:
  struct Options {
    // "GET /contacts/{id}/notes", for errors.
    std::string operation;
    // "/contacts/5f/notes", maybe with fixed parameters behind a "?".
    std::string path;
    // At most. 0: not sent, for lists that are not paged.
    int per_page = 0;
    // Whether the list goes by cursors: then pages hold fewer where Intercom takes too
    // long for so many. Page numbers mean other records when the size changes.
    bool by_cursor = false;
    // Whether the list is all that its line of the plan is for: then each page
    // tells the line how many are to come.
    bool plan_pages = false;
    Priority priority = Priority::kPage;
    // How pages become rows.
    Run::Reading reading;
    // Called for the reading of each page before it is asked for, for what must be
    // known per page. May be empty.
    std::function<void(Run::Reading*)> prepare;
    // Where the id of a record is, for the watch.
    ValueRef id;
    // Called after each page's rows were committed; the next page is asked for
    // when the argument is called. May be empty.
    std::function<void(const PageInfo&, std::function<void()> next)> on_page;
    // Where an earlier stream stood; not set: at the beginning.
    std::optional<resume::ListPosition> from;
    // Told where it stands after each page's rows were committed, before `on_page`;
    // an empty parameter: at the end. May be empty.
    std::function<void(const resume::ListPosition&)> on_position;
    // Called once at the end.
    std::function<void(const absl::Status&)> on_end;
  };

  // `run` and `shape` must outlive the list, which keeps itself alive until it
  // has called `on_end`.
  static void Walk(Run* run, const Shape* shape, Options options);

 private:
  PagedList(Run* run, const Shape* shape, Options options);
  void Fetch(const std::string& parameter);
  void OnPage(const PageInfo& info);
  void PlanPages(const PageInfo& info, bool last);

  Run* const run_;
  const Shape* const shape_;
  Options options_;
  int64_t page_ = 1;
  int64_t records_ = 0;
  ProgressWatch watch_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_PAGED_LIST_H_

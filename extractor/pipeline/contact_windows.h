#ifndef EXTRACTOR_PIPELINE_CONTACT_WINDOWS_H_
#define EXTRACTOR_PIPELINE_CONTACT_WINDOWS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/pipeline/day_calendar.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/window_plan.h"

namespace intercom_extractor {

// Reads all contacts through POST /contacts/search, many pages at a time. Lives
// on the extraction's strand.
class ContactWindows : public std::enable_shared_from_this<ContactWindows> {
 public:
  struct Options {
    // Of the workspace, as GET /me names it; may be empty.
    std::string time_zone;
    // Contacts created after this day are not read.
    absl::Time start;
    // Which contacts, and in how many windows at most.
    WindowPlan::Options plan;
    // How pages become rows. Some contacts come twice: leaving out the second is
    // up to `on_record`.
    Run::Reading reading;
    // Where a contact's times and id are.
    ValueRef id;
    ValueRef created_at;
    ValueRef updated_at;
    // Whether one more page may be asked for while so many are on their way.
    std::function<bool(size_t in_flight)> has_room;
    // Whether this total, of the first page, is worth going on. An error ends the
    // reading.
    std::function<absl::Status(int64_t total)> on_total;
    // Called once: after the last page, with the number of contacts that windows
    // counted but did not give; or with why the search cannot be trusted. Pages
    // that arrive later make no rows.
    std::function<void(const absl::Status&, int64_t shortfall)> on_end;
  };

  // `run` and `shape` must outlive the extraction's strand.
  static std::shared_ptr<ContactWindows> Create(Run* run, const Shape* shape, Options options);

  void Start() { Pump(); }
  // Asks for as many pages as there is room for; to be called when there is more.
  void Pump();
  // Gives up: `on_end` is not called, pages that arrive later make no rows.
  void Stop();

 private:
  // A window's chain of pages.
  struct Chain {
    ProgressWatch watch;
    WindowPlan::Page page;
    std::string starting_after;
    int64_t pages = 0;
  };

  ContactWindows(Run* run, const Shape* shape, Options options);
  void Fetch(size_t window);
  void Add(const RecordValues& values, Chain* chain);
  void OnPage(size_t window, const absl::StatusOr<PageInfo>& info);
  absl::Status Advance(size_t window, const PageInfo& info);
  void End(const absl::Status& status);

  Run* const run_;
  const Shape* const shape_;
  Options options_;
  const DayCalendar calendar_;
  WindowPlan plan_;
  std::map<size_t, Chain> chains_;
  // Windows that could go on; pages that are asked for and did not arrive.
  std::deque<size_t> waiting_;
  size_t in_flight_ = 0;
  bool ended_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONTACT_WINDOWS_H_

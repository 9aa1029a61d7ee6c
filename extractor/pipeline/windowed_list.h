#ifndef EXTRACTOR_PIPELINE_WINDOWED_LIST_H_
#define EXTRACTOR_PIPELINE_WINDOWED_LIST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "extractor/pipeline/incremental.h"
#include "extractor/pipeline/latest_first.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/record_ids.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/search_windows.h"
#include "extractor/tables/table_catalog.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// Reads all records of a kind once, by whichever way is right: the plain list, one
// page after the other; or, where its first page counts many, windows of a search,
// which read that page's records as well. What an incremental run reads is searched
// for from the start. The list serves again when the windows
// turn out to be wrong or incomplete: it leaves out what the windows gave while that
// is known, else the tables begin anew. Lives on the extraction's strand.
class WindowedList {
 public:
  struct Options {
    // "contacts", for messages.
    std::string records;
    // When the extraction began, on Intercom's clock, in Unix seconds.
    int64_t start = 0;
    // What the records feed.
    TableSet tables;
    // Which records make rows.
    Incremental incremental;
    // Whether an incremental run reads all records, as a full run does, and not only
    // what changed.
    bool reads_all = false;
    // Called for records that came and did not change. May be empty.
    std::function<void(const PageReader::Record&, UnitRows*)> on_unchanged;
    // The plain list. Its `on_page` hears of every page, also of a first page that
    // makes no rows, and may hold the next back.
    PagedList::Options list;
    // `on_total` and `on_end` are filled in here.
    SearchWindows::Options windows;
    // Called for the reading of each page, of both. May be empty.
    std::function<void(Run::Reading*)> prepare;
    // Ids of records that the windows gave are kept up to this number, in case that
    // the list must serve; of more, the tables would begin anew. Their set costs each
    // record a little time, and each stream up to 1 MiB.
    size_t max_remembered = 50'000;
    // Told how many records will be read, as Intercom counts them.
    std::function<void(int64_t)> on_total;
    // Calls its argument once nothing is under way for records that were read, so
    // that the tables can begin anew.
    std::function<void(std::function<void()>)> when_idle;
    // Called once at the end.
    std::function<void(const absl::Status&)> on_end;
  };

  // `run` and `shape` must outlive the list.
  WindowedList(Run* run, const Shape* shape, Options options);

  // From the beginning, or where a list that was saved stands.
  void Start(const resume::RecordList& saved = resume::RecordList());
  // Where it stands; nothing before its first page. To be called between units.
  resume::RecordList Save() const;

  // To be called when there is more room for pages.
  void Pump();

 private:
  void Prepare(Run::Reading* reading);
  // Leaves out what did not change.
  void LeaveOut(Run::Reading* reading);
  // Whether only what changed is asked for.
  bool SearchesChanges() const {
    return options_.incremental.since.has_value() && !options_.reads_all;
  }
  // Follows the plain list while it is all that is read.
  void Follow(Run::Reading* reading);
  void ReadList();
  // Reads the list's front again, for records that jumped there.
  void ReadFront();
  void OnFrontEnd(const absl::Status& status);
  void ReadWindows();
  void OnListPage(const PageInfo& info, std::function<void()> next);
  SearchWindows::Options WindowOptions();
  void OnListEnd(const absl::Status& status);
  void End(const absl::Status& status);
  void OnWindowsEnd(const absl::Status& status, int64_t shortfall);
  void BeginAnew(const std::string& why);
  void Remember(const RecordId& id);

  Run* const run_;
  const Shape* const shape_;
  Options options_;
  // Whether it is still open how to read.
  bool undecided_ = true;
  // Of the plain list.
  resume::ListPosition position_;
  std::unique_ptr<LatestFirst> order_;
  int fronts_ = 0;
  // It is about to begin anew, once nothing is under way for records that were read.
  bool anew_ = false;
  // Times that a cursor was refused.
  int refused_ = 0;
  bool ended_ = false;
  // As the list counts them, or the search for what changed.
  std::optional<int64_t> total_;
  std::shared_ptr<SearchWindows> windows_;
  bool windows_ended_ = false;
  // What the windows gave; null when that is nothing, or too much.
  std::unique_ptr<RecordIds> given_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_WINDOWED_LIST_H_

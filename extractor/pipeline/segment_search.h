#ifndef EXTRACTOR_PIPELINE_SEGMENT_SEARCH_H_
#define EXTRACTOR_PIPELINE_SEGMENT_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/pipeline/contact_children.h"
#include "extractor/pipeline/contact_search.h"
#include "extractor/pipeline/run.h"
#include "extractor/pipeline/search_windows.h"
#include "extractor/pipeline/segment_list.h"
#include "extractor/plan/request_plan.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/record_reader.h"
#include "extractor/tables/shape.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"

namespace intercom_extractor {

// Reads the members of each segment through POST /contacts/search: rows of
// users_segments and leads_segments without a request per contact. Up to 64 pages
// at a time; a segment of many members is read in windows. Lives on the extraction's
// strand.
class SegmentSearch {
 public:
  struct Options {
    // Of the workspace, as GET /me names it; may be empty.
    std::string time_zone;
    // When the extraction began, on Intercom's clock.
    absl::Time start;
    // Unix seconds: contacts created later give no rows, as the search index may
    // not have all of them yet.
    int64_t created_until = 0;
    // Of which role members are looked for.
    ContactFilter::Role role = ContactFilter::Role::kAny;
    // Makes the rows.
    const ContactChild* child = nullptr;
    // Tables that get them.
    TableSet tables;
    // Where the searches are planned.
    RequestPlan::Line* line = nullptr;
    // Called once: after the last page, with how many members were counted and how
    // many of these did not come; or with why the search cannot be trusted.
    std::function<void(const absl::Status&, int64_t members, int64_t missing)> on_end;
  };

  // `run` and what `options` points to must outlive the search, which must live as
  // long as the strand. Every segment must have a count of members.
  SegmentSearch(Run* run, std::vector<SegmentList::Segment> segments, Options options);
  ~SegmentSearch();

  void Start();
  // Gives up: `on_end` is not called, pages that arrive later make no rows.
  void Stop();

 private:
  // A segment and what was read of it.
  struct Members;

  void Pump();
  void Read(Members* members);
  void Add(const RecordValues& values, const Members& members, UnitRows* unit) const;
  absl::Status OnTotal(int64_t total, Members* members);
  void OnEnd(Members* members, const absl::Status& status, int64_t shortfall);
  void End(const absl::Status& status);

  Run* const run_;
  const Options options_;
  Shape shape_;
  const ValueRef id_;
  const ValueRef role_;
  const ValueRef created_at_;
  const ValueRef updated_at_;
  PageReader reader_;

  // Those of most members last. Kept to the end: pages may arrive late.
  std::vector<std::unique_ptr<Members>> all_;
  std::vector<Members*> waiting_;
  absl::flat_hash_set<Members*> reading_;
  // Windows that are open or may be opened by the segments being read.
  size_t windows_ = 0;
  // Whether any search has answered.
  bool answered_ = false;
  bool ended_ = false;
  int64_t members_ = 0;
  int64_t missing_ = 0;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_SEGMENT_SEARCH_H_

#ifndef EXTRACTOR_PIPELINE_SEGMENT_LIST_H_
#define EXTRACTOR_PIPELINE_SEGMENT_LIST_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "extractor/pipeline/paged_list.h"
#include "extractor/pipeline/run.h"
#include "extractor/plan/request_plan.h"
#include "extractor/tables/page_reader.h"
#include "extractor/tables/record_reader.h"
#include "extractor/tables/shape.h"

namespace intercom_extractor {

// Which segments there are and how many members each has. One answer serves the
// table `segments` and whoever reads the members. Lives on the extraction's
// strand.
class SegmentList {
 public:
  static constexpr char kOperation[] = "GET /segments";
  static constexpr char kPath[] = "/segments?include_count=true";

  struct Segment {
    std::string id;
    // Nothing where Intercom does not say.
    std::optional<int64_t> members;
  };

  // Listens to a walk over GET /segments that has not begun, whose reader goes by
  // `shape`; both must outlive the walk.
  void Watch(Shape* shape, PagedList::Options* options);
  // Whether such a walk will give, or gave, the segments.
  bool watched() const { return watched_; }

  // Asks for the segments, when nobody else does. `run` must outlive the list.
  void Ask(Run* run, RequestPlan::Line* line);

  // Calls `done` once all segments are known, or cannot be; maybe at once.
  void Await(std::function<void()> done);
  // False, once awaited: some segments may be missing.
  bool complete() const { return complete_; }
  const std::vector<Segment>& segments() const { return segments_; }

 private:
  void Add(const RecordValues& values, const Shape& shape);
  void Keep();
  void End(const absl::Status& status);

  ValueRef id_;
  ValueRef count_;
  std::unique_ptr<PageReader> reader_;
  Shape shape_;
  bool watched_ = false;
  bool ended_ = false;
  bool complete_ = true;
  // Of the page that is being read, not kept yet.
  std::vector<Segment> page_;
  std::vector<Segment> segments_;
  absl::flat_hash_set<std::string> ids_;
  std::vector<std::function<void()>> awaiting_;
};

// The members that a segment's record tells; nothing when it tells none.
std::optional<int64_t> SegmentMembers(const JsonValue& count);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_SEGMENT_LIST_H_

#ifndef EXTRACTOR_PIPELINE_SEGMENTS_PLAN_H_
#define EXTRACTOR_PIPELINE_SEGMENTS_PLAN_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "extractor/pipeline/contact_children.h"
#include "extractor/pipeline/contact_plan.h"
#include "extractor/pipeline/segment_choice.h"
#include "extractor/plan/request_plan.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Says before a run how it will read the segments of contacts: what ContactSegments
// decides, from the same counts. Does nothing when no such segments are wanted. Lives
// on one thread.
class SegmentsPlan {
 public:
  // All must outlive this object. `listed`: the table `segments` is wanted as well, so
  // that counting them takes no request more.
  SegmentsPlan(const ContactChildren& children, bool listed, ContactPlan* contacts,
               RequestPlan* plan);

  // A contact of the list's first page.
  void AddContact(v1::ContactRole role) { first_page_.Add(role); }
  // The page is complete. Whether the segments have to be counted; if so, OnCounts()
  // is to be called.
  bool NeedsCounts(int64_t total_contacts);
  void AddSegment(std::optional<int64_t> members) { members_.push_back(members); }
  // `complete`: all segments were added.
  void OnCounts(bool complete);

 private:
  const bool listed_;
  const ContactChild* child_ = nullptr;
  ContactPlan* const contacts_;
  RequestPlan::Line* segments_line_ = nullptr;
  RequestPlan::Line* search_line_ = nullptr;
  std::optional<SegmentChoice> choice_;
  SegmentChoice::Contacts first_page_;
  std::vector<std::optional<int64_t>> members_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_SEGMENTS_PLAN_H_

#include "extractor/pipeline/segments_plan.h"

#include "extractor/pipeline/segment_list.h"
#include "extractor/tables/table_catalog.h"

namespace intercom_extractor {

SegmentsPlan::SegmentsPlan(const ContactChildren& children, bool listed, ContactPlan* contacts,
                           RequestPlan* plan)
    : listed_(listed), contacts_(contacts) {
  child_ = children.Find(ContactChild::Kind::kSegments);
  if (child_ == nullptr) return;
  choice_.emplace(child_->user_tables.any(), child_->lead_tables.any());
  const TableSet tables = child_->user_tables | child_->lead_tables;
  segments_line_ = plan->AddLine(SegmentList::kOperation, v1::READ_WAY_LIST, tables);
  segments_line_->Explain("counts the members of each segment");
  search_line_ = plan->AddLine("POST /contacts/search", v1::READ_WAY_PER_SEGMENT, tables);
  search_line_->Explain("fewer requests than one for each contact");
}

bool SegmentsPlan::NeedsCounts(int64_t total_contacts) {
  first_page_.total = total_contacts;
  if (child_ == nullptr || !choice_->IsOpen(first_page_)) return false;
  segments_line_->Expect(Estimate::Exactly(listed_ ? 0 : 1));
  return true;
}

void SegmentsPlan::OnCounts(bool complete) {
  if (!complete || !choice_->SearchIsCheaper(first_page_, members_)) return;
  Estimate pages;
  for (const std::optional<int64_t>& members : members_) {
    pages += SegmentChoice::PagesFor(members.value_or(0));
  }
  // Members of one role are maybe fewer.
  if (child_->user_tables.none() || child_->lead_tables.none()) {
    pages.min = static_cast<int64_t>(members_.size());
  }
  search_line_->Expect(pages);
  contacts_->SetAsked(*child_, ContactPlan::Asked::kNotPlanned);
  contacts_->line(*child_)->End();
}

}  // namespace intercom_extractor

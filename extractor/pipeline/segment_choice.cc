#include "extractor/pipeline/segment_choice.h"

#include "extractor/pipeline/window_plan.h"

namespace intercom_extractor {

void SegmentChoice::Contacts::Add(v1::ContactRole role) {
  if (role == v1::CONTACT_ROLE_USER) {
    ++users;
  } else if (role == v1::CONTACT_ROLE_LEAD) {
    ++leads;
  } else {
    ++others;
  }
}

std::optional<int64_t> SegmentChoice::RequestsPerContact(const Contacts& contacts) const {
  if (!contacts.total.has_value()) return std::nullopt;
  const int64_t total = *contacts.total;
  const int64_t seen = contacts.users + contacts.leads + contacts.others;
  if (users_ && leads_ && seen < total) return total;
  const int64_t wanted = (users_ ? contacts.users : 0) + (leads_ ? contacts.leads : 0);
  if (seen >= total || seen == 0) return wanted;
  const double share = static_cast<double>(wanted) / static_cast<double>(seen);
  return static_cast<int64_t>(static_cast<double>(total) * share / 2);
}

bool SegmentChoice::SearchIsCheaper(const Contacts& contacts,
                                    const std::vector<std::optional<int64_t>>& members) const {
  const std::optional<int64_t> per_contact = RequestsPerContact(contacts);
  if (!per_contact.has_value()) return false;
  int64_t pages = 0;
  for (const std::optional<int64_t>& count : members) {
    if (!count.has_value()) return false;
    pages += PagesFor(*count).likely;
  }
  return pages < *per_contact;
}

Estimate SegmentChoice::PagesFor(int64_t members) {
  if (!WindowPlan::IsWorthwhile(members)) return Estimate::Exactly(PagesOf(members, kPageSize));
  return WindowPlan::PagesFor(members, kPageSize);
}

}  // namespace intercom_extractor

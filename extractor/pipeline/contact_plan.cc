#include "extractor/pipeline/contact_plan.h"

#include <algorithm>
#include <cmath>

namespace intercom_extractor {
namespace {

// Fewer contacts say little of the others: three pages.
constexpr int64_t kSample = 450;

int64_t Share(int64_t number, int64_t part, int64_t whole) {
  if (whole == 0) return 0;
  return std::llround(static_cast<double>(number) * static_cast<double>(part) /
                      static_cast<double>(whole));
}

}  // namespace

ContactPlan::ContactPlan(const ContactChildren* children, RequestPlan* plan, bool all) : all_(all) {
  for (const auto& child : children->kinds()) {
    RequestPlan::Line* line = plan->AddLine(child->operation, v1::READ_WAY_PER_RECORD,
                                            child->user_tables | child->lead_tables);
    states_[child.get()].line = line;
    switch (child->kind) {
      case ContactChild::Kind::kTags:
      case ContactChild::Kind::kCompanies:
        line->Explain("for contacts with more of them than the 10 that a contact embeds");
        break;
      case ContactChild::Kind::kNotes:
        line->Explain("for contacts that have notes");
        break;
      case ContactChild::Kind::kSegments:
      case ContactChild::Kind::kEvents:
        break;
    }
  }
}

void ContactPlan::SetAsked(const ContactChild& child, Asked asked) {
  State& state = states_.at(&child);
  state.asked = asked;
  if (asked == Asked::kGiven) state.needed = state.line->asked();
}

void ContactPlan::AddContact(v1::ContactRole role,
                             const std::vector<ContactChildren::Missing>& missing) {
  ++seen_[static_cast<size_t>(role)];
  AddLists(missing);
}

void ContactPlan::AddLists(const std::vector<ContactChildren::Missing>& missing) {
  for (const ContactChildren::Missing& list : missing) states_.at(list.child).needed += list.pages;
}

int64_t ContactPlan::SeenWith(const ContactChild& child) const {
  int64_t seen = 0;
  for (const v1::ContactRole role : {v1::CONTACT_ROLE_USER, v1::CONTACT_ROLE_LEAD}) {
    if (child.TablesFor(role).any()) seen += seen_[static_cast<size_t>(role)];
  }
  return seen;
}

Estimate ContactPlan::Unseen(v1::ContactRole role) const {
  const int64_t total = total_.value_or(0);
  const int64_t seen = seen_[static_cast<size_t>(role)];
  if (users_.has_value()) {
    const int64_t of_role = role == v1::CONTACT_ROLE_USER ? *users_ : total - *users_;
    return Estimate::Exactly(std::max<int64_t>(0, of_role - seen));
  }
  const int64_t unseen = std::max<int64_t>(0, total - Seen());
  return {0, Share(unseen, seen, Seen()), unseen};
}

Estimate ContactPlan::UnseenWith(const ContactChild& child) const {
  const bool users = child.TablesFor(v1::CONTACT_ROLE_USER).any();
  const bool leads = child.TablesFor(v1::CONTACT_ROLE_LEAD).any();
  if (users && leads) {
    // Whatever their roles.
    return Estimate::Exactly(std::max<int64_t>(0, total_.value_or(0) - Seen()));
  }
  return Unseen(users ? v1::CONTACT_ROLE_USER : v1::CONTACT_ROLE_LEAD);
}

void ContactPlan::Update() {
  if (!total_.has_value() || (!known_ && Seen() < std::min(*total_, kSample))) return;
  known_ = true;
  for (auto& [child, state] : states_) {
    if (state.asked == Asked::kNotPlanned) continue;
    Estimate further;
    if (state.asked == Asked::kAll) further = UnseenWith(*child);
    if (!child->IsNeverEmbedded() || !all_) {
      const int64_t likely = Share(further.likely, state.needed, SeenWith(*child));
      further = {0, likely, std::max(further.max, likely)};
    }
    further += Estimate::Exactly(std::max<int64_t>(0, state.needed - state.line->asked()));
    state.line->Expect(further);
  }
}

void ContactPlan::UpdateFromSample() {
  known_ = true;
  Update();
}

void ContactPlan::End() {
  for (auto& [child, state] : states_) state.line->End();
}

}  // namespace intercom_extractor

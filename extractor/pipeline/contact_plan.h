#ifndef EXTRACTOR_PIPELINE_CONTACT_PLAN_H_
#define EXTRACTOR_PIPELINE_CONTACT_PLAN_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "extractor/pipeline/contact_children.h"
#include "extractor/plan/request_plan.h"
#include "proto/v1.h"

namespace intercom_extractor {

// How many requests the lists below contacts take: those of the contacts read so
// far are known, the rest is taken to be like them. Lives on one thread.
class ContactPlan {
 public:
  // Adds a line per kind of list. Both must outlive this object. `all`: whether each
  // contact is asked for the lists that none embeds; else as many as were so far.
  ContactPlan(const ContactChildren* children, RequestPlan* plan, bool all = true);

  // Of the workspace, as Intercom counts them.
  void SetTotal(int64_t contacts) { total_ = contacts; }
  // Of the total: users. Without it they are shared out as read so far.
  void SetUsers(int64_t users) { users_ = users; }

  // Which contacts are asked for a kind of list.
  enum class Asked {
    // All that lack it.
    kAll,
    // Those that are given to AddLists() from now on.
    kGiven,
    // Somebody else says so to the line.
    kNotPlanned,
  };
  void SetAsked(const ContactChild& child, Asked asked);

  // A contact was read, and these of its lists have to be asked for.
  void AddContact(v1::ContactRole role, const std::vector<ContactChildren::Missing>& missing);
  // The same of a contact that was added before.
  void AddLists(const std::vector<ContactChildren::Missing>& missing);

  // Tells the lines what is to come; nothing while too few contacts were read to
  // stand for the others.
  void Update();
  // The same, though no more will be read.
  void UpdateFromSample();
  // No contact comes and no list is asked for any more.
  void End();

  RequestPlan::Line* line(const ContactChild& child) const { return states_.at(&child).line; }

 private:
  struct State {
    RequestPlan::Line* line = nullptr;
    // Requests for the contacts that were read.
    int64_t needed = 0;
    Asked asked = Asked::kAll;
  };

  int64_t Seen() const { return seen_[0] + seen_[1] + seen_[2]; }
  // Contacts that were read and have lists of this kind.
  int64_t SeenWith(const ContactChild& child) const;
  // Contacts of this role that were not read.
  Estimate Unseen(v1::ContactRole role) const;
  Estimate UnseenWith(const ContactChild& child) const;

  const bool all_;
  std::map<const ContactChild*, State> states_;
  std::optional<int64_t> total_;
  std::optional<int64_t> users_;
  // By role.
  std::array<int64_t, 3> seen_ = {0, 0, 0};
  bool known_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONTACT_PLAN_H_

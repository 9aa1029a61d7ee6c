#ifndef EXTRACTOR_PIPELINE_SEGMENT_CHOICE_H_
#define EXTRACTOR_PIPELINE_SEGMENT_CHOICE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "extractor/plan/request_plan.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Which of the two ways to read the segments of contacts takes fewer requests: one
// for each contact, or one search for each segment. Pure.
class SegmentChoice {
 public:
  // What the first page of the plain list tells.
  struct Contacts {
    // All, of any role; nothing when Intercom does not say.
    std::optional<int64_t> total;
    // On the page, by role; `others` are in no table.
    int64_t users = 0;
    int64_t leads = 0;
    int64_t others = 0;

    // One more on the page.
    void Add(v1::ContactRole role);
  };

  // Whether segments of users, and of leads, are wanted; one of them at least.
  SegmentChoice(bool users, bool leads) : users_(users), leads_(leads) {}

  // How many contacts would be asked for their segments: never too many, as too
  // few only makes the wrong one of the ways be taken. Of one role alone the page
  // gives no more than an idea, of which half counts. Nothing without a total.
  std::optional<int64_t> RequestsPerContact(const Contacts& contacts) const;

  // Whether it is worth asking for the segments.
  bool IsOpen(const Contacts& contacts) const {
    return RequestsPerContact(contacts).value_or(0) > 1;
  }

  // `members`: of each segment, as Intercom counts them whatever their role.
  // Searching takes as many requests as there are pages, or one for no member. False
  // as well when anything is not known.
  bool SearchIsCheaper(const Contacts& contacts,
                       const std::vector<std::optional<int64_t>>& members) const;

  // Pages that searching for so many members takes.
  static Estimate PagesFor(int64_t members);
  static constexpr int64_t kPageSize = 150;

 private:
  const bool users_;
  const bool leads_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_SEGMENT_CHOICE_H_

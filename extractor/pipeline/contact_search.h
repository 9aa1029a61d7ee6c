#ifndef EXTRACTOR_PIPELINE_CONTACT_SEARCH_H_
#define EXTRACTOR_PIPELINE_CONTACT_SEARCH_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "extractor/pipeline/day_calendar.h"

namespace intercom_extractor {

// Which contacts a search asks for. Days are half-open: from the first day to
// before the second.
struct ContactFilter {
  enum class Role { kAny, kUser, kNotUser };

  // Absent: from the beginning.
  std::optional<absl::CivilDay> created_from;
  absl::CivilDay created_before;
  Role role = Role::kAny;
  // Absent: open on that side.
  std::optional<absl::CivilDay> updated_from;
  std::optional<absl::CivilDay> updated_before;
  // Members of this segment only; empty: whether in a segment or not.
  std::string segment_id;
};

// The body of a POST /contacts/search for one page of these contacts, oldest
// first; `starting_after` is empty for the first page. The filter selects the
// same contacts whether Intercom compares whole days of the workspace (up to
// version 2.16) or exact seconds (from 2.17). Of a calendar that is not known it
// selects a day more on each side.
std::string ContactSearchBody(const ContactFilter& filter, const DayCalendar& calendar,
                              int per_page, absl::string_view starting_after);

// `text` as a JSON string with its quotes.
std::string JsonString(absl::string_view text);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_CONTACT_SEARCH_H_

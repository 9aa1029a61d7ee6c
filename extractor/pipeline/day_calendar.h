#ifndef EXTRACTOR_PIPELINE_DAY_CALENDAR_H_
#define EXTRACTOR_PIPELINE_DAY_CALENDAR_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace intercom_extractor {

// The days of a workspace, by which Intercom's contact search compares dates up
// to version 2.16. Immutable.
class DayCalendar {
 public:
  // `time_zone` as GET /me names it. A name that is unknown here gives the days
  // of UTC, which are off by less than a day; `known` is false then.
  explicit DayCalendar(absl::string_view time_zone);

  bool known() const { return known_; }

  absl::CivilDay DayOf(int64_t unix_seconds) const;

  // The first second of a day.
  int64_t Start(absl::CivilDay day) const;

  // The first day from `day` on whose midnight the clock shows exactly once. At
  // others (daylight saving that begins or ends at midnight) the order of days
  // and the order of seconds differ, so no list may be cut there.
  absl::CivilDay NextCut(absl::CivilDay day) const;

 private:
  absl::TimeZone zone_ = absl::UTCTimeZone();
  bool known_ = false;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_DAY_CALENDAR_H_

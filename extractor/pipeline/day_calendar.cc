#include "extractor/pipeline/day_calendar.h"

#include <string>

namespace intercom_extractor {

DayCalendar::DayCalendar(absl::string_view time_zone)
    : known_(!time_zone.empty() && absl::LoadTimeZone(std::string(time_zone), &zone_)) {
  if (!known_) zone_ = absl::UTCTimeZone();
}

absl::CivilDay DayCalendar::DayOf(int64_t unix_seconds) const {
  return absl::ToCivilDay(absl::FromUnixSeconds(unix_seconds), zone_);
}

int64_t DayCalendar::Start(absl::CivilDay day) const {
  const absl::TimeZone::TimeInfo midnight = zone_.At(absl::CivilSecond(day));
  // A midnight that does not exist: the day begins where the clock jumps to.
  return absl::ToUnixSeconds(midnight.kind == absl::TimeZone::TimeInfo::SKIPPED ? midnight.trans
                                                                                : midnight.pre);
}

absl::CivilDay DayCalendar::NextCut(absl::CivilDay day) const {
  while (zone_.At(absl::CivilSecond(day)).kind != absl::TimeZone::TimeInfo::UNIQUE) ++day;
  return day;
}

}  // namespace intercom_extractor

#include "extractor/pipeline/window_axis.h"

#include "absl/time/civil_time.h"

namespace intercom_extractor {
namespace {

// What lies outside may be a matter of time zones.
constexpr int64_t kToleratedSeconds = int64_t{2} * 86400;

}  // namespace

int64_t DayAxis::NextCut(int64_t second) const {
  absl::CivilDay day = calendar_.NextCut(calendar_.DayOf(second));
  while (calendar_.Start(day) < second) day = calendar_.NextCut(day + 1);
  return calendar_.Start(day);
}

int64_t DayAxis::LastCut(int64_t second) const {
  absl::CivilDay day = calendar_.DayOf(second);
  while (calendar_.NextCut(day) != day) --day;
  return calendar_.Start(day);
}

int64_t DayAxis::tolerance() const { return kToleratedSeconds; }

ContactFilter DayAxis::InDays(const WindowFilter& filter) const {
  const auto day = [this](const std::optional<int64_t>& second) -> std::optional<absl::CivilDay> {
    if (!second.has_value()) return std::nullopt;
    return calendar_.DayOf(*second);
  };
  ContactFilter days;
  days.created_from = day(filter.created_from);
  days.created_before = calendar_.DayOf(filter.created_before);
  days.role = filter.role;
  days.updated_from = day(filter.updated_from);
  days.updated_before = day(filter.updated_before);
  return days;
}

}  // namespace intercom_extractor

#include "extractor/pipeline/simulated_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/time/civil_time.h"
#include "extractor/pipeline/contact_search.h"

namespace intercom_extractor {
namespace {

constexpr int64_t kDay = 86400;

// Values that search compares: days, or seconds.
struct Range {
  int64_t after = std::numeric_limits<int64_t>::min();
  int64_t before = std::numeric_limits<int64_t>::max();
  bool Has(int64_t value) const { return value > after && value < before; }
};

}  // namespace

SimulatedSearch::SimulatedSearch(std::vector<SimulatedContact> contacts, const std::string& zone,
                                 DateComparison comparison)
    : contacts_(std::move(contacts)), comparison_(comparison) {
  EXPECT_TRUE(absl::LoadTimeZone(zone, &zone_));
  std::sort(contacts_.begin(), contacts_.end(),
            [](const SimulatedContact& a, const SimulatedContact& b) {
              return a.created_at < b.created_at;
            });
  for (const SimulatedContact& contact : contacts_) {
    created_.push_back(Compared(contact.created_at));
    updated_.push_back(Compared(contact.updated_at));
  }
}

std::vector<size_t> SimulatedSearch::Find(const WindowFilter& filter,
                                          const WindowAxis& axis) const {
  const int64_t margin = axis.exact() ? 0 : kDay;
  const int64_t equal = comparison_ == DateComparison::kSecondsOrEqual ? 1 : 0;
  const auto range_of = [&](const std::optional<int64_t>& from,
                            const std::optional<int64_t>& before) {
    Range range;
    if (from.has_value()) range.after = Compared(*from - margin - 1) - equal;
    if (before.has_value()) range.before = Compared(*before + margin) + equal;
    return range;
  };
  const Range created = range_of(filter.created_from, filter.created_before);
  const Range updated = range_of(filter.updated_from, filter.updated_before);
  std::vector<size_t> found;
  for (size_t i = 0; i < contacts_.size(); ++i) {
    using Role = ContactFilter::Role;
    if (created.Has(created_[i]) && updated.Has(updated_[i]) &&
        (filter.role == Role::kAny || (filter.role == Role::kUser) == contacts_[i].user)) {
      found.push_back(i);
    }
  }
  return found;
}

int64_t SimulatedSearch::Compared(int64_t second) const {
  if (comparison_ != DateComparison::kWholeDays) return second;
  return absl::ToCivilDay(absl::FromUnixSeconds(second), zone_) - absl::CivilDay();
}

std::vector<SimulatedContact> MakeContacts(Spread spread, size_t count, std::mt19937_64* random) {
  const auto between = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(*random);
  };
  const int64_t import = between(k2020, k2025 - kDay);
  std::vector<int64_t> days;
  for (int i = 0; i < 5; ++i) days.push_back(between(k2020, k2025 - kDay));
  std::vector<SimulatedContact> contacts(count);
  for (size_t i = 0; i < count; ++i) {
    SimulatedContact& contact = contacts[i];
    switch (spread) {
      case Spread::kEven:
        contact.created_at = between(k2020, k2025);
        break;
      case Spread::kGrowing:
        contact.created_at = std::max(between(k2020, k2025), between(k2020, k2025));
        break;
      case Spread::kOneDay:
        contact.created_at = import + between(0, kDay / 2);
        break;
      case Spread::kOneSecond:
        contact.created_at = import;
        break;
      case Spread::kFewDays:
        contact.created_at = days[i % days.size()] + between(0, kDay);
        break;
      case Spread::kImportWithin:
      case Spread::kSmallImport:
        contact.created_at = i % (spread == Spread::kSmallImport ? 10 : 2) == 0
                                 ? import + between(0, 3600)
                                 : between(k2020, k2025);
        break;
    }
    contact.updated_at = between(contact.created_at, k2025);
    contact.user = between(0, 3) > 0;
  }
  return contacts;
}

}  // namespace intercom_extractor

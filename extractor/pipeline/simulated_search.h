#ifndef EXTRACTOR_PIPELINE_SIMULATED_SEARCH_H_
#define EXTRACTOR_PIPELINE_SIMULATED_SEARCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "extractor/pipeline/window_axis.h"

namespace intercom_extractor {

// What tests of windows drive them with: a search whose comparisons are said a second
// time, by civil days and by seconds, without the calendar under test.

struct SimulatedContact {
  int64_t created_at = 0;
  int64_t updated_at = 0;
  bool user = true;
};

// How a search compares times.
enum class DateComparison {
  kWholeDays,
  kExactSeconds,
  // Of conversations, if ">" and "<" mean "or equal".
  kSecondsOrEqual,
};

// Intercom's search as documented, sorted by created_at.
class SimulatedSearch {
 public:
  SimulatedSearch(std::vector<SimulatedContact> contacts, const std::string& zone,
                  DateComparison comparison);

  const std::vector<SimulatedContact>& contacts() const { return contacts_; }

  // The numbers of the contacts that the window's conditions select.
  std::vector<size_t> Find(const WindowFilter& filter, const WindowAxis& axis) const;

 private:
  // Day or second, whichever is compared.
  int64_t Compared(int64_t second) const;

  std::vector<SimulatedContact> contacts_;
  absl::TimeZone zone_;
  const DateComparison comparison_;
  std::vector<int64_t> created_;
  std::vector<int64_t> updated_;
};

// New Year.
inline constexpr int64_t k2020 = 1577836800;
inline constexpr int64_t k2025 = 1735689600;

// When contacts were created, between the two.
enum class Spread { kEven, kGrowing, kOneDay, kOneSecond, kFewDays, kImportWithin, kSmallImport };
std::vector<SimulatedContact> MakeContacts(Spread spread, size_t count, std::mt19937_64* random);

// Those of every kind, above all of the unpleasant ones.
inline constexpr std::array<const char*, 10> kTimeZones = {
    "America/New_York",  "Europe/London", "Australia/Lord_Howe",  // Half an hour.
    "America/Sao_Paulo", "Asia/Beirut",                           // Midnights that do not exist.
    "Atlantic/Azores",                                            // Midnights that come twice.
    "America/St_Johns",  "Pacific/Apia",  "Asia/Kathmandu",      "UTC"};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_SIMULATED_SEARCH_H_

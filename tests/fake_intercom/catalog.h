#ifndef TESTS_FAKE_INTERCOM_CATALOG_H_
#define TESTS_FAKE_INTERCOM_CATALOG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace intercom_extractor::fake {

// The generated workspace's small lists: admins, teams, tags and segments.
inline constexpr size_t kAdminCount = 7;
inline constexpr size_t kTeamCount = 3;
inline constexpr size_t kTagCount = 200;
inline constexpr size_t kSegmentCount = 12;

std::string AdminId(size_t admin);
// The last team has the id of the first admin: (type, id) is the key.
std::string TeamId(size_t team);
std::string TagId(size_t tag);
std::string SegmentId(uint64_t seed, size_t segment);

// The id as JSON; some tags' ids are numbers.
std::string TagIdJson(size_t tag);

std::vector<std::string> AdminRecords();
std::vector<std::string> TeamRecords();
std::vector<std::string> TagRecords();
// `count` < 0 leaves the member out.
std::string SegmentRecord(uint64_t seed, size_t segment, int64_t count);
// A tag as GET /contacts/{id}/tags gives it.
std::string AppliedTagRecord(size_t tag, std::string_view contact_id, int64_t applied_at);

// Bit i says whether the contact is in segment i. The first segment holds every
// user, the fourth nobody, every third one leads only.
uint32_t SegmentMask(uint64_t seed, size_t contact, std::string_view role);

// A neutral noun; the same `number` gives the same word.
std::string_view Word(uint64_t number);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_CATALOG_H_

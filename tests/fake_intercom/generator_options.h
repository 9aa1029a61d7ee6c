#ifndef TESTS_FAKE_INTERCOM_GENERATOR_OPTIONS_H_
#define TESTS_FAKE_INTERCOM_GENERATOR_OPTIONS_H_

#include <cstddef>
#include <cstdint>

namespace intercom_extractor::fake {

// Generated records lie in the five years up to this second: 2025-06-15 15:06:40
// UTC. Fixed, so that a seed gives the same bytes on every day.
inline constexpr int64_t kGeneratedNow = 1'750'000'000;
inline constexpr int64_t kGeneratedStart = kGeneratedNow - int64_t{5} * 365 * 86'400;

// When contacts were created. Their `updated_at` lies anywhere between then and
// the end in each case.
enum class Creation {
  kSpread,   // Anywhere; a tenth on the day of an import.
  kOneDay,   // All of them on that day.
  kFewDays,  // On five days, 300 days apart.
};

// What a generated workspace holds.
struct GeneratorOptions {
  uint64_t seed = 1;
  size_t users = 200;
  size_t leads = 100;
  size_t companies = 170;
  size_t conversations = 60;
  // On average; the first six conversations have 0, 1, 499, 500, 501 and 900.
  size_t parts_per_conversation = 5;
  // Conversations that existed once.
  size_t deleted_conversations = 5;
  Creation creation = Creation::kSpread;
  // Bodies of listed records kept ready to send. Records beyond it are written
  // anew for each answer, which costs some 5 us each.
  size_t record_cache_bytes = size_t{512} << 20;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_GENERATOR_OPTIONS_H_

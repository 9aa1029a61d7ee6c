#ifndef TESTS_FAKE_INTERCOM_RANDOM_H_
#define TESTS_FAKE_INTERCOM_RANDOM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace intercom_extractor::fake {

// Numbers that depend on nothing but (seed, kind, index): any record can be made
// again at any time, in any order, on any machine (std distributions differ
// between libraries). SplitMix64.
class Random {
 public:
  Random(uint64_t seed, uint64_t kind, uint64_t index)
      : state_(Mix(Mix(seed ^ 0x9e3779b97f4a7c15 * (kind + 1)) ^ Mix(index + 0x2545f491))) {}

  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15); }
  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  // Uniform in [low, high].
  int64_t Between(int64_t low, int64_t high) {
    return low >= high ? low : low + static_cast<int64_t>(Below(high - low + 1));
  }
  bool Percent(int percent) { return static_cast<int>(Below(100)) < percent; }
  template <typename T, size_t N>
  const T& Pick(const std::array<T, N>& choices) {
    return choices[Below(N)];
  }

 private:
  static uint64_t Mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  uint64_t state_;
};

// What is drawn; keeps the draws of different things apart.
enum RandomKind : uint64_t {
  kContactKind = 1,
  kContactIdKind,
  kContactKeyKind,
  kContactListsKind,
  kNoteKind,
  kEventKind,
  kSegmentKind,
  kCompanyKind,
  kCompanyIdKind,
  kConversationKind,
  kConversationKeyKind,
  kPartKind,
  kCatalogKind,
  kDeletedConversationKind,
  kChangeKind,
  kChangePaceKind,
};

// 24 hex digits that `index` can be read from again, as FindByHexId does.
std::string HexId(uint64_t seed, uint64_t kind, size_t index);
// The index that an id was made from, or SIZE_MAX. The caller checks that the
// index is in range and that its id is the same.
size_t IndexOfHexId(const std::string& id);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_RANDOM_H_

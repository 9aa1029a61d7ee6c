#include "tests/fake_intercom/random.h"

#include <charconv>

namespace intercom_extractor::fake {
namespace {

constexpr uint32_t kIndexMask = 0x5a17c0de;

void AppendHex(uint64_t value, int digits, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) *out += kHex[(value >> shift) & 15];
}

}  // namespace

std::string HexId(uint64_t seed, uint64_t kind, size_t index) {
  std::string id;
  id.reserve(24);
  AppendHex(Random(seed, kind, index).Next(), 16, &id);
  AppendHex(static_cast<uint32_t>(index) ^ kIndexMask, 8, &id);
  return id;
}

size_t IndexOfHexId(const std::string& id) {
  if (id.size() != 24) return SIZE_MAX;
  uint32_t low = 0;
  const auto result = std::from_chars(id.data() + 16, id.data() + 24, low, 16);
  if (result.ec != std::errc() || result.ptr != id.data() + 24) return SIZE_MAX;
  return low ^ kIndexMask;
}

}  // namespace intercom_extractor::fake

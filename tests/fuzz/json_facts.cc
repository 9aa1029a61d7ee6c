#include "tests/fuzz/json_facts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace intercom_extractor::fuzz {

bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<uint8_t>(text[i++]);
    if (first < 0x80) continue;
    const size_t more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    // What needs so many bytes.
    const uint32_t least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
    if (first < 0xc0 || first > 0xf7 || i + more > text.size()) return false;
    uint32_t code = first & (0x3fU >> more);
    for (const size_t end = i + more; i < end; ++i) {
      const auto next = static_cast<uint8_t>(text[i]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  }
  return true;
}

bool IsDeep(absl::string_view text) {
  constexpr std::ptrdiff_t kDeep = 1000;
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '{' || c == '['; }) >
         kDeep;
}

bool RepeatsKey(const ReferenceJson& json, const std::set<std::string>& keys) {
  std::set<std::string> seen;
  for (const ReferenceMember& member : json.members) {
    if (keys.count(member.key) > 0 && !seen.insert(member.key).second) return true;
    if (RepeatsKey(member.value, keys)) return true;
  }
  return std::any_of(json.elements.begin(), json.elements.end(),
                     [&](const ReferenceJson& element) { return RepeatsKey(element, keys); });
}

}  // namespace intercom_extractor::fuzz

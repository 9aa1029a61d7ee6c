#include "extractor/checkpoint/packed_ids.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

constexpr size_t kObjectIdDigits = 24;
constexpr size_t kObjectIdBytes = kObjectIdDigits / 2;

void AppendVarint(uint64_t value, std::string* to) {
  for (; value >= 0x80; value >>= 7) to->push_back(static_cast<char>(value | 0x80));
  to->push_back(static_cast<char>(value));
}

std::optional<uint64_t> TakeVarint(absl::string_view* from) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !from->empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(from->front());
    from->remove_prefix(1);
    value |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool IsObjectId(absl::string_view id) {
  return id.size() == kObjectIdDigits && std::all_of(id.begin(), id.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

// Only numbers that print as they were written.
std::optional<uint64_t> NumberOf(absl::string_view id) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(id, &number) || absl::StrCat(number) != id) return std::nullopt;
  return number;
}

absl::Status Damaged() { return absl::DataLossError("damaged list of ids"); }

// Each begins with what it shares with the one before.
void AppendObjectIds(const std::vector<std::string>& ids, std::string* to) {
  AppendVarint(ids.size(), to);
  std::string last;
  for (const std::string& id : ids) {
    const auto differs = static_cast<size_t>(
        std::mismatch(last.begin(), last.end(), id.begin()).first - last.begin());
    to->push_back(static_cast<char>(differs));
    to->append(id, differs, std::string::npos);
    last = id;
  }
}

bool TakeObjectIds(absl::string_view* from, std::vector<std::string>* ids) {
  const std::optional<uint64_t> count = TakeVarint(from);
  if (!count.has_value()) return false;
  std::string last;
  for (uint64_t i = 0; i < *count; ++i) {
    if (from->empty()) return false;
    const auto shared = static_cast<size_t>(static_cast<unsigned char>(from->front()));
    from->remove_prefix(1);
    if (shared > last.size() || kObjectIdBytes - shared > from->size()) return false;
    last.resize(shared);
    last.append(from->data(), kObjectIdBytes - shared);
    from->remove_prefix(kObjectIdBytes - shared);
    ids->push_back(absl::BytesToHexString(last));
  }
  return true;
}

void AppendNumbers(const std::vector<uint64_t>& numbers, std::string* to) {
  AppendVarint(numbers.size(), to);
  uint64_t last = 0;
  for (const uint64_t number : numbers) {
    AppendVarint(number - last, to);
    last = number;
  }
}

bool TakeNumbers(absl::string_view* from, std::vector<std::string>* ids) {
  const std::optional<uint64_t> count = TakeVarint(from);
  if (!count.has_value()) return false;
  uint64_t last = 0;
  for (uint64_t i = 0; i < *count; ++i) {
    const std::optional<uint64_t> step = TakeVarint(from);
    if (!step.has_value()) return false;
    last += *step;
    ids->push_back(absl::StrCat(last));
  }
  return true;
}

}  // namespace

std::string PackIds(std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<std::string> object_ids;
  std::vector<uint64_t> numbers;
  std::string others;
  for (const std::string& id : ids) {
    if (IsObjectId(id)) {
      object_ids.push_back(absl::HexStringToBytes(id));
    } else if (const auto number = NumberOf(id)) {
      numbers.push_back(*number);
    } else {
      AppendVarint(id.size(), &others);
      others += id;
    }
  }
  std::sort(numbers.begin(), numbers.end());
  std::string packed;
  AppendObjectIds(object_ids, &packed);
  AppendNumbers(numbers, &packed);
  return packed + others;
}

absl::StatusOr<std::vector<std::string>> UnpackIds(absl::string_view packed) {
  std::vector<std::string> ids;
  // Nothing was packed.
  if (packed.empty()) return ids;
  if (!TakeObjectIds(&packed, &ids) || !TakeNumbers(&packed, &ids)) return Damaged();
  while (!packed.empty()) {
    const std::optional<uint64_t> size = TakeVarint(&packed);
    if (!size.has_value() || *size > packed.size()) return Damaged();
    ids.emplace_back(packed.substr(0, *size));
    packed.remove_prefix(*size);
  }
  return ids;
}

}  // namespace intercom_extractor

#include "extractor/checkpoint/packed_ids.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "extractor/intercom/id_form.h"
#include "extractor/tables/wire.h"
#include "google/protobuf/io/coded_stream.h"

namespace intercom_extractor {
namespace {

using google::protobuf::io::CodedInputStream;

// Each begins with what it shares with the one before.
void AppendObjectIds(const std::vector<ObjectId>& ids, std::string* to) {
  AppendVarint(ids.size(), to);
  ObjectId last{};
  size_t known = 0;
  for (const ObjectId& id : ids) {
    const auto end = last.begin() + static_cast<ptrdiff_t>(known);
    const auto differs = std::mismatch(last.begin(), end, id.begin()).second;
    to->push_back(static_cast<char>(differs - id.begin()));
    to->append(differs, id.end());
    last = id;
    known = id.size();
  }
}

bool TakeObjectIds(CodedInputStream* from, std::vector<std::string>* ids) {
  uint64_t count = 0;
  if (!from->ReadVarint64(&count)) return false;
  std::string last;
  for (uint64_t i = 0; i < count; ++i) {
    uint8_t shared = 0;
    std::string rest;
    if (!from->ReadRaw(&shared, 1) || shared > last.size() ||
        !from->ReadString(&rest, static_cast<int>(sizeof(ObjectId) - shared))) {
      return false;
    }
    last.replace(shared, std::string::npos, rest);
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

bool TakeNumbers(CodedInputStream* from, std::vector<std::string>* ids) {
  uint64_t count = 0;
  if (!from->ReadVarint64(&count)) return false;
  uint64_t last = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t step = 0;
    if (!from->ReadVarint64(&step)) return false;
    last += step;
    ids->push_back(absl::StrCat(last));
  }
  return true;
}

bool TakeOthers(CodedInputStream* from, size_t all_bytes, std::vector<std::string>* ids) {
  while (static_cast<size_t>(from->CurrentPosition()) < all_bytes) {
    uint64_t size = 0;
    if (!from->ReadVarint64(&size) || size > all_bytes ||
        !from->ReadString(&ids->emplace_back(), static_cast<int>(size))) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string PackIds(std::vector<std::string> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<ObjectId> object_ids;
  std::vector<uint64_t> numbers;
  std::string others;
  for (const std::string& id : ids) {
    if (const auto object_id = ObjectIdOf(id)) {
      object_ids.push_back(*object_id);
    } else if (const auto number = NumberIdOf(id)) {
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
  CodedInputStream from(reinterpret_cast<const uint8_t*>(packed.data()),
                        static_cast<int>(packed.size()));
  if (!TakeObjectIds(&from, &ids) || !TakeNumbers(&from, &ids) ||
      !TakeOthers(&from, packed.size(), &ids)) {
    return absl::DataLossError("damaged list of ids");
  }
  return ids;
}

}  // namespace intercom_extractor

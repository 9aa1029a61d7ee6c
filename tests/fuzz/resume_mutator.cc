// Changes states field by field, beside their bytes.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "extractor/checkpoint/packed_ids.h"
#include "google/protobuf/descriptor.h"
#include "tests/fuzz/proto_mutation.h"
#include "tests/fuzz/resume_input.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

std::string Suggest(const google::protobuf::FieldDescriptor& field, uint64_t seed) {
  using intercom_extractor::PackIds;
  // All bytes fields but the digest, which is replaced.
  if (field.type() != google::protobuf::FieldDescriptor::TYPE_BYTES) return "";
  switch (seed % 4) {
    case 0:
      return PackIds({std::to_string(seed % 1000), std::to_string(seed)});
    case 1:
      return PackIds({"6657adf76abd0167d9419d00", "6657adf76abd0167d9419d01", "7"});
    case 2:
      return PackIds({"x", "6657adf76abd0167d9419d00"});
    default:
      return PackIds({});
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  using namespace intercom_extractor::fuzz;  // NOLINT(google-build-using-namespace)
  if (size < 2 || seed % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const absl::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::optional<ResumeInput> input = ResumeInput::Read(text);
  if (!input.has_value()) return LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 == 1) {
    // What happens then.
    const size_t front = size - input->steps.size();
    return front + LLVMFuzzerMutate(data + front, size - front, max_size - front);
  }
  ProtoMutation(seed, Suggest).Change(&input->state);
  const std::string changed = input->Write();
  if (changed.size() + 1 > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data + 1, changed.data(), changed.size());
  return changed.size() + 1;
}

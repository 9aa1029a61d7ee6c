// Changes requests, and the states of their tokens, field by field, beside their bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "extractor/tables/table_catalog.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "resume_state.pb.h"
#include "tests/fuzz/proto_mutation.h"
#include "tests/fuzz/request_input.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

std::string Suggest(const google::protobuf::FieldDescriptor& field, uint64_t seed) {
  if (field.name() == "tables") {
    const auto& tables = intercom_extractor::TableCatalog::Get().tables();
    return tables[seed % tables.size()].name();
  }
  if (field.name() == "connection") {
    constexpr std::array<const char*, 3> kNames = {"default", "default", "other"};
    return kNames[seed % kNames.size()];
  }
  if (field.name() == "parameter") {
    return seed % 2 == 0 ? "page=2" : "starting_after=WzE3MDAwMDAwMDAsMl0";
  }
  return "";
}

// The text with changes to the message that it is; the same where it is none.
std::string Changed(const std::string& text, unsigned int seed,
                    google::protobuf::Message* message) {
  using intercom_extractor::fuzz::ProtoMutation;
  if (!message->ParseFromString(text)) return text;
  ProtoMutation(seed, Suggest).Change(message);
  return message->SerializeAsString();
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  using namespace intercom_extractor::fuzz;  // NOLINT(google-build-using-namespace)
  if (size < 3 || seed % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
  RequestInput input = RequestInput::Read(data, size);
  if (input.method == RequestInput::Method::kExtract && seed % 4 == 1) {
    intercom_extractor::resume::State state;
    input.state = Changed(input.state, seed, &state);
  } else {
    input.request = Changed(input.request, seed, input.NewRequest().get());
  }
  const std::string changed = input.Write();
  if (changed.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, changed.data(), changed.size());
  return changed.size();
}

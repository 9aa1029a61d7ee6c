// Changes answers as Intercom might, and as no JSON ever is.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "extractor/tables/answer_converter.h"
#include "extractor/tables/json_mutation.h"
#include "tests/fuzz/json_facts.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  using namespace intercom_extractor;  // NOLINT(google-build-using-namespace)
  // Kind and way of reading.
  constexpr size_t kHeader = 2;
  // Bytes find what no rule foresees, and change the header.
  if (size <= kHeader || seed % 3 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string text(reinterpret_cast<const char*>(data) + kHeader, size - kHeader);
  if (fuzz::IsDeep(text)) return LLVMFuzzerMutate(data, size, max_size);
  JsonMutation mutation(seed, AnnotatedKeys::Get().containers);
  const std::string changed = mutation.Change(text);
  if (changed == text || changed.size() + kHeader > max_size) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::memcpy(data + kHeader, changed.data(), changed.size());
  return changed.size() + kHeader;
}

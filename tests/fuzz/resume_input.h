#ifndef TESTS_FUZZ_RESUME_INPUT_H_
#define TESTS_FUZZ_RESUME_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "resume_state.pb.h"
#include "tests/fuzz/input_bytes.h"

namespace intercom_extractor::fuzz {

// An input that holds the state of a token, and what happens to it then: two bytes with the
// state's size, the state, the rest.
struct ResumeInput {
  resume::State state;
  std::string steps;

  static std::optional<ResumeInput> Read(absl::string_view text) {
    InputBytes input(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    const size_t low = input.Byte();
    const absl::string_view bytes = input.Text(input.Byte() * size_t{256} + low);
    ResumeInput result;
    if (!result.state.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return std::nullopt;
    }
    result.steps = std::string(input.rest());
    return result;
  }

  std::string Write() const {
    const std::string bytes = state.SerializeAsString();
    return absl::StrCat(
        std::string{static_cast<char>(bytes.size() % 256), static_cast<char>(bytes.size() / 256)},
        bytes, steps);
  }
};

}  // namespace intercom_extractor::fuzz

#endif  // TESTS_FUZZ_RESUME_INPUT_H_

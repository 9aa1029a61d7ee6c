#ifndef TESTS_FUZZ_REQUEST_INPUT_H_
#define TESTS_FUZZ_REQUEST_INPUT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "resume_state.pb.h"
#include "tests/fuzz/input_bytes.h"

namespace intercom_extractor::fuzz {

// One call: a byte each for the method, for who calls, and for how long is listened; for
// Extract the state of its resume token, behind two bytes of its size; the request.
struct RequestInput {
  enum class Method { kListTables, kCheckConnection, kPlanExtraction, kListExtractions, kExtract };
  static constexpr size_t kMethods = 5;

  Method method = Method::kListTables;
  uint8_t caller = 0;
  uint8_t patience = 0;
  // No size: the request's own token goes as it is.
  std::string state;
  std::string request;

  static RequestInput Read(const uint8_t* data, size_t size) {
    InputBytes input(data, size);
    RequestInput result;
    result.method = static_cast<Method>(input.Below(kMethods));
    result.caller = input.Byte();
    result.patience = input.Byte();
    if (result.method == Method::kExtract) {
      const size_t low = input.Byte();
      result.state = std::string(input.Text(input.Byte() * size_t{256} + low));
    }
    result.request = std::string(input.rest());
    return result;
  }

  std::string Write() const {
    std::string text = {static_cast<char>(method), static_cast<char>(caller),
                        static_cast<char>(patience)};
    if (method == Method::kExtract) {
      text.push_back(static_cast<char>(state.size() % 256));
      text.push_back(static_cast<char>(state.size() / 256));
      text += state;
    }
    return text + request;
  }

  // An empty request of the method.
  std::unique_ptr<google::protobuf::Message> NewRequest() const {
    switch (method) {
      case Method::kListTables:
        return std::make_unique<v1::ListTablesRequest>();
      case Method::kCheckConnection:
        return std::make_unique<v1::CheckConnectionRequest>();
      case Method::kPlanExtraction:
        return std::make_unique<v1::PlanExtractionRequest>();
      case Method::kListExtractions:
        return std::make_unique<v1::ListExtractionsRequest>();
      default:
        return std::make_unique<v1::ExtractRequest>();
    }
  }

  std::string path() const {
    static constexpr std::array<absl::string_view, kMethods> kNames = {
        "ListTables", "CheckConnection", "PlanExtraction", "ListExtractions", "Extract"};
    return absl::StrCat("/intercom.extractor.v1.ExtractorService/",
                        kNames[static_cast<size_t>(method)]);
  }
};

}  // namespace intercom_extractor::fuzz

#endif  // TESTS_FUZZ_REQUEST_INPUT_H_

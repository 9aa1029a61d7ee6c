#include "extractor/intercom/intercom_error.h"

#include <simdjson.h>

#include <string_view>

#include "extractor/intercom/utf8_prefix.h"

namespace intercom_extractor {
namespace {

constexpr size_t kMaxMessage = 200;

std::string Printable(std::string_view text) {
  std::string result(Utf8Prefix(absl::string_view(text.data(), text.size()), kMaxMessage));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return result;
}

}  // namespace

IntercomError ParseIntercomError(absl::string_view body) {
  IntercomError result;
  // Errors are small and rare: the DOM parser's forgiving look-ups suffice.
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(body.data(), body.size()).get(document) != simdjson::SUCCESS) return result;
  std::string_view text;
  if (document["request_id"].get(text) == simdjson::SUCCESS) result.request_id = Printable(text);
  const auto first = document["errors"].at(0);
  if (first["code"].get(text) == simdjson::SUCCESS) result.code = Printable(text);
  if (first["message"].get(text) == simdjson::SUCCESS) result.message = Printable(text);
  return result;
}

}  // namespace intercom_extractor

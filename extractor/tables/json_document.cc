#include "extractor/tables/json_document.h"

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "extractor/tables/json_string.h"

namespace intercom_extractor {
namespace {

using Kind = JsonValue::Kind;

// How a token of this first byte changes the depth.
constexpr std::array<int8_t, 256> MakeDepthBy() {
  std::array<int8_t, 256> result = {};
  result['{'] = result['['] = 1;
  result['}'] = result[']'] = -1;
  return result;
}
constexpr std::array<int8_t, 256> kDepthBy = MakeDepthBy();

// RFC 8259's number grammar; simdjson does not check numbers that nobody parses.
bool IsJsonNumber(std::string_view text) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t start = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i > start;
  };
  if (i < text.size() && text[i] == '-') ++i;
  if (i < text.size() && text[i] == '0') {
    ++i;
  } else if (!digits()) {
    return false;
  }
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!digits()) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (!digits()) return false;
  }
  return i == text.size();
}

absl::Status Malformed(simdjson::error_code error) {
  return absl::DataLossError(absl::StrCat("malformed JSON: ", simdjson::error_message(error)));
}

}  // namespace

std::optional<int64_t> IntegerOf(const JsonValue& value) {
  if (value.kind != Kind::kNumber && value.kind != Kind::kString) return std::nullopt;
  return ParseInt64(value.text);
}

absl::Status JsonDocument::Open(absl::string_view text) {
  text_ = text.data();
  size_ = text.size();
  begin_ = end_ = nullptr;
  backslash_from_ = next_backslash_ = text_;
  if (capacity_ < text.size() || scanner_ == nullptr) {
    // The scanner alone needs no depth.
    constexpr size_t kDepth = 1;
    const size_t capacity = text.size() + text.size() / 4 + kPadding;
    if (const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, kDepth, scanner_)) {
      capacity_ = 0;
      return Malformed(error);
    }
    capacity_ = capacity;
  }
  // Each string at most once. simdjson writes whole blocks.
  const size_t longest = UnescapedLimit(text.size()) + kPadding;
  if (unescaped_capacity_ < longest) {
    unescaped_capacity_ = longest + text.size() / 4;
    unescaped_.reset(new char[unescaped_capacity_]);
  }
  unescaped_end_ = unescaped_.get();
  const auto error =
      scanner_->stage1(reinterpret_cast<const uint8_t*>(text_), size_,  // NOLINT: simdjson's type
                       simdjson::stage1_mode::regular);
  if (error) return Malformed(error);
  begin_ = scanner_->structural_indexes.get();
  end_ = begin_ + scanner_->n_structural_indexes;
  return absl::OkStatus();
}

JsonDocument::Token JsonDocument::SkipBrackets(Token value) const {
  int depth = 0;
  for (Token token = value; token < end_; ++token) {
    depth += kDepthBy[static_cast<uint8_t>(At(token))];
    if (depth == 0) return token + 1;
  }
  return nullptr;
}

bool JsonDocument::ReadNoString(std::string_view raw, JsonValue* value) {
  value->raw = value->text = raw;
  switch (raw.front()) {
    case 't':
      value->kind = Kind::kTrue;
      return raw == "true";
    case 'f':
      value->kind = Kind::kFalse;
      return raw == "false";
    default:  // A null was read before.
      value->kind = Kind::kNumber;
      return IsJsonNumber(raw);
  }
}

void JsonDocument::FindBackslash(const char* from) {
  const char* const end = text_ + size_;
  const void* found = std::memchr(from, '\\', static_cast<size_t>(end - from));
  backslash_from_ = from;
  next_backslash_ = found == nullptr ? end : static_cast<const char*>(found);
}

std::string_view JsonDocument::Unescape(std::string_view raw_string) {
  const char* const start = unescaped_end_;
  auto* end = reinterpret_cast<char*>(  // NOLINT: simdjson's types.
      scanner_->parse_string(reinterpret_cast<const uint8_t*>(raw_string.data()),
                             reinterpret_cast<uint8_t*>(unescaped_end_)));
  if (end == nullptr) end = UnescapeLeniently(raw_string, unescaped_end_);
  unescaped_end_ = end;
  return {start, static_cast<size_t>(unescaped_end_ - start)};
}

}  // namespace intercom_extractor

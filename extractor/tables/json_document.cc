#include "extractor/tables/json_document.h"

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"

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

bool ParseHex4(std::string_view text, size_t at, uint32_t* code) {
  if (at + 4 > text.size()) return false;
  *code = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    *code <<= 4;
    if (c >= '0' && c <= '9') {
      *code |= static_cast<uint32_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      *code |= static_cast<uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      return false;
    }
  }
  return true;
}

uint8_t* AppendUtf8(uint32_t code, uint8_t* out) {
  if (code < 0x80) {
    *out++ = static_cast<uint8_t>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<uint8_t>(0xc0 | (code >> 6));
    *out++ = static_cast<uint8_t>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *out++ = static_cast<uint8_t>(0xe0 | (code >> 12));
    *out++ = static_cast<uint8_t>(0x80 | ((code >> 6) & 0x3f));
    *out++ = static_cast<uint8_t>(0x80 | (code & 0x3f));
  } else {
    *out++ = static_cast<uint8_t>(0xf0 | (code >> 18));
    *out++ = static_cast<uint8_t>(0x80 | ((code >> 12) & 0x3f));
    *out++ = static_cast<uint8_t>(0x80 | ((code >> 6) & 0x3f));
    *out++ = static_cast<uint8_t>(0x80 | (code & 0x3f));
  }
  return out;
}

// For strings that simdjson refuses: half of a surrogate pair, as a text cut
// between UTF-16 units leaves it, becomes U+FFFD; an escape that JSON does not
// know stands for itself. A message is worth more than its broken emoji.
uint8_t* UnescapeLeniently(std::string_view text, uint8_t* out) {
  constexpr uint32_t kReplacement = 0xfffd;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      *out++ = static_cast<uint8_t>(text[i++]);
      continue;
    }
    const char escape = text[i + 1];
    i += 2;
    uint32_t code = 0;
    switch (escape) {
      case 'b':
        *out++ = '\b';
        break;
      case 'f':
        *out++ = '\f';
        break;
      case 'n':
        *out++ = '\n';
        break;
      case 'r':
        *out++ = '\r';
        break;
      case 't':
        *out++ = '\t';
        break;
      case 'u': {
        if (!ParseHex4(text, i, &code)) {
          out = AppendUtf8(kReplacement, out);
          break;
        }
        i += 4;
        uint32_t low = 0;
        if (code >= 0xd800 && code < 0xdc00 && text.substr(i, 2) == "\\u" &&
            ParseHex4(text, i + 2, &low) && low >= 0xdc00 && low < 0xe000) {
          i += 6;
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else if (code >= 0xd800 && code < 0xe000) {
          code = kReplacement;
        }
        out = AppendUtf8(code, out);
        break;
      }
      default:
        *out++ = static_cast<uint8_t>(escape);
        break;
    }
  }
  return out;
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
  // Only the two bytes of a broken `\u` become longer: the three of U+FFFD.
  // simdjson writes whole blocks.
  const size_t longest = text.size() + text.size() / 2 + kPadding;
  if (unescaped_capacity_ < longest) {
    unescaped_capacity_ = longest + text.size() / 4;
    unescaped_.reset(new uint8_t[unescaped_capacity_]);
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
    case 'n':
      value->kind = Kind::kNull;
      return raw == "null";
    default:
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
  const uint8_t* start = unescaped_end_;
  uint8_t* end =
      scanner_->parse_string(reinterpret_cast<const uint8_t*>(raw_string.data()),  // NOLINT
                             unescaped_end_);
  if (end == nullptr) end = UnescapeLeniently(raw_string, unescaped_end_);
  unescaped_end_ = end;
  return {reinterpret_cast<const char*>(start), static_cast<size_t>(end - start)};
}

}  // namespace intercom_extractor

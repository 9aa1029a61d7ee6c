#include "clients/cli/json_text.h"

#include <charconv>
#include <cmath>

#include "clients/cli/byte_scan.h"

namespace intercom_extractor {
namespace {

bool IsPlain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

// How many bytes at the front of `text` need no escape; eight at a time, as
// bodies of conversations are long and have few.
size_t PlainPrefix(absl::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    const ByteScan scan(text.data() + i);
    if (ByteScan::Any(scan.Below(0x20) | scan.Equal('"') | scan.Equal('\\'))) break;
  }
  while (i < text.size() && IsPlain(text[i])) ++i;
  return i;
}

void AppendEscape(char c, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out->append("\\\"");
      return;
    case '\\':
      out->append("\\\\");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    case '\b':
      out->append("\\b");
      return;
    case '\f':
      out->append("\\f");
      return;
    default:
      out->append("\\u00");
      out->push_back(kHex[(c >> 4) & 0xf]);
      out->push_back(kHex[c & 0xf]);
  }
}

}  // namespace

void AppendJsonString(absl::string_view text, std::string* out) {
  out->push_back('"');
  while (true) {
    const size_t plain = PlainPrefix(text);
    out->append(text.data(), plain);
    if (plain == text.size()) break;
    AppendEscape(text[plain], out);
    text.remove_prefix(plain + 1);
  }
  out->push_back('"');
}

void AppendInt64(int64_t value, std::string* out) {
  char digits[24];
  const auto result = std::to_chars(digits, digits + sizeof(digits), value);
  out->append(digits, result.ptr - digits);
}

void AppendDouble(double value, std::string* out) {
  // Amounts are for people: 100000, not 1e+05. Beyond these bounds, which are
  // those of JSON in browsers and of Python, digits would be mostly zeros.
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  char digits[32];
  const auto result =
      std::to_chars(digits, digits + sizeof(digits), value,
                    plain ? std::chars_format::fixed : std::chars_format::scientific);
  out->append(digits, result.ptr - digits);
}

void JsonText::BeginValue() {
  if (text_.empty()) return;
  const char last = text_.back();
  if (last != '{' && last != '[' && last != ':') text_.push_back(',');
}

JsonText& JsonText::BeginObject() {
  BeginValue();
  text_.push_back('{');
  return *this;
}

JsonText& JsonText::EndObject() {
  text_.push_back('}');
  return *this;
}

JsonText& JsonText::BeginArray() {
  BeginValue();
  text_.push_back('[');
  return *this;
}

JsonText& JsonText::EndArray() {
  text_.push_back(']');
  return *this;
}

JsonText& JsonText::Key(absl::string_view name) {
  BeginValue();
  AppendJsonString(name, &text_);
  text_.push_back(':');
  return *this;
}

JsonText& JsonText::String(absl::string_view value) {
  BeginValue();
  AppendJsonString(value, &text_);
  return *this;
}

JsonText& JsonText::Int(int64_t value) {
  BeginValue();
  AppendInt64(value, &text_);
  return *this;
}

JsonText& JsonText::Double(double value) {
  if (!std::isfinite(value)) return Null();
  BeginValue();
  AppendDouble(value, &text_);
  return *this;
}

JsonText& JsonText::Bool(bool value) {
  BeginValue();
  text_.append(value ? "true" : "false");
  return *this;
}

JsonText& JsonText::Null() {
  BeginValue();
  text_.append("null");
  return *this;
}

}  // namespace intercom_extractor

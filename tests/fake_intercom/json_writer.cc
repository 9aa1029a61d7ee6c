#include "tests/fake_intercom/json_writer.h"

#include <array>
#include <charconv>

namespace intercom_extractor::fake {
namespace {

void AppendUnit(uint32_t unit, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  *out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) *out += kHex[(unit >> shift) & 15];
}

// Decodes the UTF-8 character at `*position` and moves beyond it.
uint32_t NextCodePoint(std::string_view text, size_t* position) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(*position);
  const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  uint32_t code_point = lead & (0xFF >> (length + 1));
  for (int i = 1; i < length; ++i) code_point = code_point << 6 | (byte(*position + i) & 0x3F);
  *position += length;
  return code_point;
}

}  // namespace

void AppendJsonString(std::string_view text, Escaping escaping, std::string* out) {
  *out += '"';
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && escaping == Escaping::kRails) {
      const uint32_t code_point = NextCodePoint(text, &i);
      if (code_point < 0x10000) {
        AppendUnit(code_point, out);
      } else {
        AppendUnit(0xD800 + ((code_point - 0x10000) >> 10), out);
        AppendUnit(0xDC00 + ((code_point - 0x10000) & 0x3FF), out);
      }
      continue;
    }
    ++i;
    switch (c) {
      case '"':
        *out += "\\\"";
        break;
      case '\\':
        *out += "\\\\";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      default:
        if (byte < 0x20 || (escaping == Escaping::kRails && (c == '<' || c == '>' || c == '&'))) {
          AppendUnit(byte, out);
        } else {
          *out += c;
        }
    }
  }
  *out += '"';
}

std::string JsonString(std::string_view text) {
  std::string out;
  AppendJsonString(text, Escaping::kMinimal, &out);
  return out;
}

void JsonWriter::Comma() {
  if (out_.empty()) return;
  const char last = out_.back();
  if (last != '{' && last != '[' && last != ':' && last != ',') out_ += ',';
}

void JsonWriter::BeginObject() {
  Comma();
  out_ += '{';
}

void JsonWriter::BeginArray() {
  Comma();
  out_ += '[';
}

void JsonWriter::String(std::string_view text) {
  Comma();
  AppendJsonString(text, escaping_, &out_);
}

void JsonWriter::Int(int64_t number) {
  Comma();
  std::array<char, 24> digits;
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out_.append(digits.data(), result.ptr);
}

void JsonWriter::Raw(std::string_view json) {
  Comma();
  out_ += json;
}

void JsonWriter::Key(std::string_view name) {
  Comma();
  out_ += '"';
  out_ += name;
  out_ += "\":";
}

const Override* JsonWriter::Find(std::string_view name) const {
  if (overrides_ == nullptr) return nullptr;
  for (const Override& override : *overrides_) {
    if (override.field == name) return &override;
  }
  return nullptr;
}

bool JsonWriter::Apply(std::string_view name) {
  const Override* override = Find(name);
  if (override == nullptr) return false;
  if (override->token == kAbsent) return true;
  if (override->token == kQuoted || override->token == kUnquoted) return false;
  Key(name);
  out_ += override->token;
  return true;
}

bool JsonWriter::Overridden(std::string_view name) { return Apply(name); }

void JsonWriter::Field(std::string_view name, std::string_view text) {
  if (overrides_ != nullptr) {
    if (Apply(name)) return;
    if (Find(name) != nullptr) {
      Key(name);
      out_ += text;  // Only kUnquoted is left, and it is meant for digits.
      return;
    }
  }
  Key(name);
  AppendJsonString(text, escaping_, &out_);
}

void JsonWriter::Field(std::string_view name, int64_t number) {
  if (overrides_ != nullptr) {
    if (Apply(name)) return;
    if (Find(name) != nullptr) {
      Key(name);
      out_ += '"';
      out_ += std::to_string(number);
      out_ += '"';
      return;
    }
  }
  Key(name);
  Int(number);
}

void JsonWriter::Field(std::string_view name, bool value) {
  RawField(name, value ? "true" : "false");
}

void JsonWriter::RawField(std::string_view name, std::string_view json) {
  if (overrides_ != nullptr && Apply(name)) return;
  Key(name);
  out_ += json;
}

}  // namespace intercom_extractor::fake

#include "extractor/tables/json_string.h"

#include <cstdint>

namespace intercom_extractor {
namespace {

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

char* AppendUtf8(uint32_t code, char* out) {
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xc0 | (code >> 6));
    *out++ = static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xe0 | (code >> 12));
    *out++ = static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    *out++ = static_cast<char>(0x80 | (code & 0x3f));
  } else {
    *out++ = static_cast<char>(0xf0 | (code >> 18));
    *out++ = static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    *out++ = static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    *out++ = static_cast<char>(0x80 | (code & 0x3f));
  }
  return out;
}

// What is behind `\u`, from `i` on, which moves behind what was read.
char* AppendUnicodeEscape(std::string_view text, size_t* i, char* out) {
  constexpr uint32_t kReplacement = 0xfffd;
  uint32_t code = 0;
  if (!ParseHex4(text, *i, &code)) return AppendUtf8(kReplacement, out);
  *i += 4;
  uint32_t low = 0;
  if (code >= 0xd800 && code < 0xdc00 && text.substr(*i, 2) == "\\u" &&
      ParseHex4(text, *i + 2, &low) && low >= 0xdc00 && low < 0xe000) {
    *i += 6;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  } else if (code >= 0xd800 && code < 0xe000) {
    code = kReplacement;
  }
  return AppendUtf8(code, out);
}

char Unescaped(char escape) {
  switch (escape) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return escape;
  }
}

}  // namespace

char* UnescapeLeniently(std::string_view text, char* out) {
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      *out++ = text[i++];
      continue;
    }
    const char escape = text[i + 1];
    i += 2;
    if (escape == 'u') {
      out = AppendUnicodeEscape(text, &i, out);
    } else {
      *out++ = Unescaped(escape);
    }
  }
  return out;
}

}  // namespace intercom_extractor

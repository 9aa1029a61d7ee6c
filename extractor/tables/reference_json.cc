#include "extractor/tables/reference_json.h"

#include <algorithm>
#include <cstdint>

namespace intercom_extractor {
namespace {

void AppendUtf8(uint32_t code, std::string* out) {
  const auto continuation = [&](int shift) {
    out->push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f)));
  };
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xc0 | (code >> 6)));
    continuation(0);
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xe0 | (code >> 12)));
    continuation(6);
    continuation(0);
  } else {
    out->push_back(static_cast<char>(0xf0 | (code >> 18)));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

// The four hex digits that `text` begins with.
std::optional<uint32_t> Hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  const std::string digits(text.substr(0, 4));
  if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return std::nullopt;
  return static_cast<uint32_t>(std::stoul(digits, nullptr, 16));
}

bool IsHighSurrogate(uint32_t code) { return code >= 0xd800 && code <= 0xdbff; }
bool IsLowSurrogate(uint32_t code) { return code >= 0xdc00 && code <= 0xdfff; }

// The content between a string's quotes.
std::string Unescape(std::string_view text) {
  constexpr uint32_t kReplacement = 0xfffd;
  std::string out;
  while (!text.empty()) {
    if (text[0] != '\\') {
      out.push_back(text[0]);
      text.remove_prefix(1);
      continue;
    }
    const char escape = text[1];
    text.remove_prefix(2);
    if (escape != 'u') {
      static constexpr std::string_view kLetters = "bfnrt";
      static constexpr std::string_view kMeanings = "\b\f\n\r\t";
      const size_t known = kLetters.find(escape);
      out.push_back(known == std::string_view::npos ? escape : kMeanings[known]);
      continue;
    }
    const std::optional<uint32_t> code = Hex4(text);
    if (!code.has_value()) {
      AppendUtf8(kReplacement, &out);
      continue;
    }
    text.remove_prefix(4);
    if (IsHighSurrogate(*code) && text.substr(0, 2) == "\\u") {
      const std::optional<uint32_t> low = Hex4(text.substr(2));
      if (low.has_value() && IsLowSurrogate(*low)) {
        text.remove_prefix(6);
        AppendUtf8(0x10000 + (*code - 0xd800) * 0x400 + (*low - 0xdc00), &out);
        continue;
      }
    }
    AppendUtf8(IsHighSurrogate(*code) || IsLowSurrogate(*code) ? kReplacement : *code, &out);
  }
  return out;
}

// Reads one text from left to right; each function returns false at what is no JSON.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool Whole(ReferenceJson* value) {
    if (!Value(value)) return false;
    Space();
    return at_ == text_.size();
  }

 private:
  using Type = ReferenceJson::Type;

  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void Space() {
    while (Next() == ' ' || Next() == '\t' || Next() == '\n' || Next() == '\r') ++at_;
  }

  // Passes over white space and, if it follows, `c`.
  bool Take(char c) {
    Space();
    if (Next() != c) return false;
    ++at_;
    return true;
  }

  bool Value(ReferenceJson* value) {
    Space();
    const size_t start = at_;
    bool ok = false;
    if (Next() == '{') {
      ok = Members(value);
    } else if (Next() == '[') {
      ok = Elements(value);
    } else if (Next() == '"') {
      value->type = Type::kString;
      ok = String(&value->string);
    } else {
      ok = Word(value);
    }
    value->raw = text_.substr(start, at_ - start);
    return ok;
  }

  bool Members(ReferenceJson* value) {
    value->type = Type::kObject;
    ++at_;
    if (Take('}')) return true;
    do {
      Space();
      const size_t start = at_;
      ReferenceMember& member = value->members.emplace_back();
      if (Next() != '"' || !String(&member.key) || !Take(':') || !Value(&member.value)) {
        return false;
      }
      member.raw = text_.substr(start, at_ - start);
    } while (Take(','));
    return Take('}');
  }

  bool Elements(ReferenceJson* value) {
    value->type = Type::kArray;
    ++at_;
    if (Take(']')) return true;
    do {
      if (!Value(&value->elements.emplace_back())) return false;
    } while (Take(','));
    return Take(']');
  }

  bool String(std::string* content) {
    const size_t start = ++at_;
    while (Next() != '"') {
      // What a backslash stands before must be a character, too.
      if (Next() == '\\') ++at_;
      // Also the end of the text.
      if (static_cast<unsigned char>(Next()) < 0x20) return false;
      ++at_;
    }
    *content = Unescape(text_.substr(start, at_ - start));
    ++at_;
    return true;
  }

  // null, true, false or a number.
  bool Word(ReferenceJson* value) {
    const size_t end = text_.find_first_of(" \t\n\r,]}", at_);
    const std::string word(text_.substr(at_, end == std::string_view::npos ? end : end - at_));
    at_ += word.size();
    if (word == "null") return true;
    if (word == "true" || word == "false") {
      value->type = Type::kBool;
      return true;
    }
    value->type = Type::kNumber;
    return IsNumber(word);
  }

  static bool IsNumber(std::string_view word) {
    const auto take_digits = [&word] {
      const size_t digits = std::min(word.find_first_not_of("0123456789"), word.size());
      word.remove_prefix(digits);
      return digits > 0;
    };
    if (word.substr(0, 1) == "-") word.remove_prefix(1);
    if (word.size() > 1 && word[0] == '0' && word[1] >= '0' && word[1] <= '9') return false;
    if (!take_digits()) return false;
    if (word.substr(0, 1) == ".") {
      word.remove_prefix(1);
      if (!take_digits()) return false;
    }
    if (word.substr(0, 1) == "e" || word.substr(0, 1) == "E") {
      word.remove_prefix(1);
      if (word.substr(0, 1) == "+" || word.substr(0, 1) == "-") word.remove_prefix(1);
      if (!take_digits()) return false;
    }
    return word.empty();
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const ReferenceJson* ReferenceJson::Find(std::string_view key) const {
  const ReferenceJson* found = nullptr;
  for (const ReferenceMember& member : members) {
    if (member.key == key) found = &member.value;
  }
  return found;
}

std::optional<ReferenceJson> ReferenceJson::Parse(std::string_view text) {
  ReferenceJson value;
  if (!Parser(text).Whole(&value)) return std::nullopt;
  return value;
}

}  // namespace intercom_extractor

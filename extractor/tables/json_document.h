#ifndef EXTRACTOR_TABLES_JSON_DOCUMENT_H_
#define EXTRACTOR_TABLES_JSON_DOCUMENT_H_

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "extractor/tables/json_number.h"

namespace intercom_extractor {

// One value of a record, as far as its JSON type tells.
struct JsonValue {
  enum class Kind : uint8_t {
    kAbsent,
    kNull,
    kFalse,
    kTrue,
    kNumber,
    kString,
    kObject,
    kArray,
    // Something stood above it that cannot hold it: `"location": 5`.
    kMisplaced,
  };
  Kind kind = Kind::kAbsent;
  // A string without its escapes; for the others the JSON text as received.
  std::string_view text;
  // The JSON text as received.
  std::string_view raw;

  bool has_value() const { return kind != Kind::kAbsent && kind != Kind::kNull; }
};

// The integer that a JSON number, or a string of its digits, is; as in the columns.
// Nothing for other numbers and other types.
std::optional<int64_t> IntegerOf(const JsonValue& value);

// A JSON text and where each of its tokens begins: brackets, colons, commas, strings
// and the other scalars, as simdjson's scanner (the first half of its parser, which
// also checks UTF-8 and that every string ends) finds them. Whoever reads the text
// walks over these positions; what lies between two of them is looked at only when
// it is wanted.
//
// Walking this way, in place of simdjson's On-Demand interface on top of the same
// scanner, reads a contact in a third of the time: docs/decisions/0015.
//
// Not thread-safe. The text, and values read from it, stay valid until the next one
// is opened.
class JsonDocument {
 public:
  // A token: where the position of its first byte stands.
  using Token = const uint32_t*;

  // kPadding bytes behind `text` may be read. kDataLoss when it is no JSON as far as the
  // scanner can tell. Texts of up to 4 GiB.
  static constexpr size_t kPadding = simdjson::SIMDJSON_PADDING;
  absl::Status Open(absl::string_view text);

  Token begin() const { return begin_; }
  Token end() const { return end_; }
  // The first byte of a token before end().
  char At(Token token) const { return text_[*token]; }
  const char* Text(Token token) const { return text_ + *token; }

  // Walks over the members of an object or the elements of an array:
  //   for (step = Enter(&token, '}'); step == Step::kMember; step = Next(&token, '}')) ...
  // Each round must leave `token` behind the value, or null where that is malformed.
  enum class Step { kMember, kEnd, kMalformed };
  // `token` is at the opening bracket; moves to what follows it.
  Step Enter(Token* token, char close) const {
    if (end_ - *token < 2) return Step::kMalformed;
    ++*token;
    if (At(*token) != close) return Step::kMember;
    ++*token;
    return Step::kEnd;
  }
  // To the next member, or behind the closing bracket.
  Step Next(Token* token, char close) const {
    if (*token == nullptr || *token >= end_) return Step::kMalformed;
    const char mark = At((*token)++);
    if (mark == ',') return *token < end_ ? Step::kMember : Step::kMalformed;
    return mark == close ? Step::kEnd : Step::kMalformed;
  }
  // Whether a colon and a value follow `token`, which then is a key if it is a string.
  bool IsMember(Token token) const { return end_ - token >= 3 && At(token + 1) == ':'; }

  // The token behind the value that begins at `value`, which must be before end(); null
  // when there is none or its brackets do not match. What is in them is not looked at.
  Token Skip(Token value) const {
    switch (At(value)) {
      case '{':
      case '[':
        return SkipBrackets(value);
      case '}':
      case ']':
      case ',':
      case ':':
        return nullptr;
      default:
        return value + 1;
    }
  }

  // The value from `first` to before `behind`, as received.
  std::string_view Raw(Token first, Token behind) const {
    const char* const start = Text(first);
    // Behind the last token stands the size of the text.
    const char* end = text_ + *behind;
    while (end > start && IsSpace(end[-1])) --end;
    return {start, static_cast<size_t>(end - start)};
  }

  // Reads the string, number, boolean or null at `token`, which is before end(). False
  // when it is none of these.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool ReadScalar(Token token, JsonValue* value) {
    const std::string_view raw = Raw(token, token + 1);
    if (raw.front() != '"') {
      if (IsNull(raw)) {
        *value = {JsonValue::Kind::kNull, raw, raw};
        return true;
      }
      if (AllDigits(raw) && raw.front() != '0') {
        *value = {JsonValue::Kind::kNumber, raw, raw};
        return true;
      }
      return ReadNoString(raw, value);
    }
    if (raw.size() < 2 || raw.back() != '"') return false;
    const std::string_view text = raw.substr(1, raw.size() - 2);
    *value = {JsonValue::Kind::kString, HasEscapes(text) ? Unescape(text) : text, raw};
    return true;
  }

  // Whether a part of the text holds a backslash. Asking in the order of the text costs
  // one search of it in all.
  bool HasEscapes(std::string_view part) {
    const char* const begin = part.data();
    if (begin >= next_backslash_ || begin < backslash_from_) FindBackslash(begin);
    return next_backslash_ < begin + part.size();
  }

  // The key at `token`, as it reads without its escapes; nothing when there is none.
  std::optional<std::string_view> Key(Token token) {
    const std::string_view raw = Raw(token, token + 1);
    if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') return std::nullopt;
    const std::string_view key = raw.substr(1, raw.size() - 2);
    return HasEscapes(key) ? Unescape(key) : key;
  }

  // A key or another string, without its quotes, as it reads without its escapes. The
  // result lives as long as the document.
  std::string_view Unescape(std::string_view raw_string);

 private:
  static bool IsNull(std::string_view raw) {
    uint32_t word = 0;
    uint32_t null = 0;
    // The padding can be read.
    std::memcpy(&word, raw.data(), sizeof(word));
    std::memcpy(&null, "null", sizeof(null));
    return word == null && raw.size() == sizeof(word);
  }
  static bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  Token SkipBrackets(Token value) const;
  static bool ReadNoString(std::string_view raw, JsonValue* value);
  void FindBackslash(const char* from);

  std::unique_ptr<simdjson::internal::dom_parser_implementation> scanner_;
  size_t capacity_ = 0;
  const char* text_ = nullptr;
  size_t size_ = 0;
  Token begin_ = nullptr;
  Token end_ = nullptr;
  // There is none from backslash_from_ to before next_backslash_.
  const char* backslash_from_ = nullptr;
  const char* next_backslash_ = nullptr;

  std::unique_ptr<char[]> unescaped_;
  size_t unescaped_capacity_ = 0;
  char* unescaped_end_ = nullptr;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_JSON_DOCUMENT_H_

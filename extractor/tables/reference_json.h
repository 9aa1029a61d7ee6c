#ifndef EXTRACTOR_TABLES_REFERENCE_JSON_H_
#define EXTRACTOR_TABLES_REFERENCE_JSON_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace intercom_extractor {

struct ReferenceMember;

// One value of a JSON text, with everything inside it: what the tests' slow and
// plain reader works on. Unlike other JSON libraries' values it knows where in
// the text it stands, and keeps numbers as they were written.
struct ReferenceJson {
  enum class Type { kNull, kBool, kNumber, kString, kArray, kObject };
  Type type = Type::kNull;
  // The value as it stands in the text that was read, which must live on.
  std::string_view raw;
  // Of a string: its content, without escapes.
  std::string string;
  std::vector<ReferenceJson> elements;
  // In the text's order; a key may come again.
  std::vector<ReferenceMember> members;

  // The value of a key, its last when there are several; null when there is none.
  const ReferenceJson* Find(std::string_view key) const;

  // A whole text; nothing when it is no JSON (RFC 8259). Forgiving in escapes
  // only, as the product is: half of a surrogate pair and what follows `\u`
  // without being hex digits is U+FFFD, other unknown escapes stand for themselves.
  static std::optional<ReferenceJson> Parse(std::string_view text);
};

struct ReferenceMember {
  std::string key;
  // From the key's first quote to the end of the value.
  std::string_view raw;
  ReferenceJson value;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_REFERENCE_JSON_H_

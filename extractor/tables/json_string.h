#ifndef EXTRACTOR_TABLES_JSON_STRING_H_
#define EXTRACTOR_TABLES_JSON_STRING_H_

#include <cstddef>
#include <string_view>

namespace intercom_extractor {

// The most bytes that texts of so many bytes in all can become: only the two of a broken
// `\u` become more, the three of U+FFFD.
constexpr size_t UnescapedLimit(size_t size) { return size + size / 2; }

// Writes what stands between the quotes of a JSON string as it reads without its
// escapes, and returns where it ends. For strings that simdjson refuses: half of a
// surrogate pair, as a text cut between UTF-16 units leaves it, and a broken `\u` become
// U+FFFD; an escape that JSON does not know stands for itself. A message is worth more
// than its broken emoji.
char* UnescapeLeniently(std::string_view text, char* out);

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_JSON_STRING_H_

#ifndef EXTRACTOR_INTERCOM_UTF8_PREFIX_H_
#define EXTRACTOR_INTERCOM_UTF8_PREFIX_H_

#include <algorithm>
#include <cstddef>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// The first `bytes` bytes of `text` or fewer, not cut within a character: half of one is no
// UTF-8, which protobuf demands of strings.
inline absl::string_view Utf8Prefix(absl::string_view text, size_t bytes) {
  size_t size = std::min(text.size(), bytes);
  while (size < text.size() && size > 0 && (text[size] & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace intercom_extractor

#endif  // EXTRACTOR_INTERCOM_UTF8_PREFIX_H_

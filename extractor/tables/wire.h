#ifndef EXTRACTOR_TABLES_WIRE_H_
#define EXTRACTOR_TABLES_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/base/attributes.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace intercom_extractor {

// Writes protobuf's wire format: rows become bytes while the JSON is read, without
// message objects between.

using google::protobuf::internal::WireFormatLite;

// A field's number and wire type as they stand before its value.
class WireTag {
 public:
  // Of field numbers that fit four bytes, up to 2^25 - 1.
  WireTag(int field, WireFormatLite::WireType type) {
    uint8_t bytes[10] = {};
    size_ = static_cast<size_t>(google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(
                                    WireFormatLite::MakeTag(field, type), bytes) -
                                bytes);
    std::memcpy(bytes_, bytes, sizeof(bytes_));
  }

  // All Put functions write at `to`, where there must be room for this much more than
  // the bytes of a text, and return where they end.
  static constexpr size_t kMaxFieldOverhead = 16;

  char* Put(char* to) const {
    std::memcpy(to, bytes_, sizeof(bytes_));
    return to + size_;
  }

 private:
  size_t size_;
  char bytes_[4];
};

inline size_t VarintSize(uint64_t value) {
  return google::protobuf::io::CodedOutputStream::VarintSize64(value);
}

inline char* PutVarint(uint64_t value, char* to) {
  auto* end = reinterpret_cast<uint8_t*>(to);
  while (value >= 0x80) {
    *end++ = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  *end++ = static_cast<uint8_t>(value);
  return reinterpret_cast<char*>(end);
}

// Most texts are short: for them a call costs more than the copy.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline char* PutBytes(std::string_view bytes, char* to) {
  const size_t size = bytes.size();
  const char* from = bytes.data();
  const auto copy_ends = [&](auto word) {
    std::memcpy(&word, from, sizeof(word));
    auto last = word;
    std::memcpy(&last, from + size - sizeof(word), sizeof(word));
    std::memcpy(to, &word, sizeof(word));
    std::memcpy(to + size - sizeof(word), &last, sizeof(word));
  };
  struct Block {
    uint64_t halves[2];
  };
  if (size > 2 * sizeof(Block)) {
    std::memcpy(to, from, size);
  } else if (size >= sizeof(Block)) {
    copy_ends(Block());
  } else if (size >= sizeof(uint64_t)) {
    copy_ends(uint64_t());
  } else if (size >= sizeof(uint32_t)) {
    copy_ends(uint32_t());
  } else if (size > 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
  return to + size;
}

inline char* PutDouble(double value, char* to) {
  WireFormatLite::WriteDoubleNoTagToArray(value, reinterpret_cast<uint8_t*>(to));
  return to + sizeof(value);
}

// The same, appended to a string, for what is written now and then.

inline void AppendVarint(uint64_t value, std::string* out) {
  char buffer[10];
  out->append(buffer, static_cast<size_t>(PutVarint(value, buffer) - buffer));
}

inline void AppendBytesField(int field, std::string_view value, std::string* out) {
  AppendVarint(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED), out);
  AppendVarint(value.size(), out);
  out->append(value.data(), value.size());
}

inline void AppendVarintField(int field, uint64_t value, std::string* out) {
  AppendVarint(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT), out);
  AppendVarint(value, out);
}

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_WIRE_H_

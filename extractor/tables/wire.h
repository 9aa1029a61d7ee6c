#ifndef EXTRACTOR_TABLES_WIRE_H_
#define EXTRACTOR_TABLES_WIRE_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace intercom_extractor {

// Appends protobuf's wire format to a string: rows are written as their bytes
// while the JSON is read, without message objects between.

inline void AppendVarint(uint64_t value, std::string* out) {
  uint8_t buffer[10];
  const uint8_t* end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, buffer);
  out->append(reinterpret_cast<const char*>(buffer), static_cast<size_t>(end - buffer));
}

inline uint32_t LengthDelimitedTag(int field) {
  return google::protobuf::internal::WireFormatLite::MakeTag(
      field, google::protobuf::internal::WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}

inline void AppendBytesField(int field, std::string_view value, std::string* out) {
  AppendVarint(LengthDelimitedTag(field), out);
  AppendVarint(value.size(), out);
  out->append(value.data(), value.size());
}

inline void AppendVarintField(int field, uint64_t value, std::string* out) {
  AppendVarint(google::protobuf::internal::WireFormatLite::MakeTag(
                   field, google::protobuf::internal::WireFormatLite::WIRETYPE_VARINT),
               out);
  AppendVarint(value, out);
}

inline void AppendDoubleField(int field, double value, std::string* out) {
  AppendVarint(google::protobuf::internal::WireFormatLite::MakeTag(
                   field, google::protobuf::internal::WireFormatLite::WIRETYPE_FIXED64),
               out);
  uint8_t buffer[8];
  google::protobuf::internal::WireFormatLite::WriteDoubleNoTagToArray(value, buffer);
  out->append(reinterpret_cast<const char*>(buffer), sizeof(buffer));
}

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_WIRE_H_

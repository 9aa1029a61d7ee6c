#ifndef CLIENTS_CPP_WIRE_VIEW_H_
#define CLIENTS_CPP_WIRE_VIEW_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "google/protobuf/io/coded_stream.h"

namespace intercom_extractor {

// Reads serialized messages in place; `bytes` must outlive the stream and its views.
inline google::protobuf::io::CodedInputStream WireStream(absl::string_view bytes) {
  return google::protobuf::io::CodedInputStream(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
}

// The content of a field with a length, whose tag has been read, of a WireStream(). False
// where there is less than the length says.
inline bool ReadView(google::protobuf::io::CodedInputStream* stream, absl::string_view* view) {
  uint32_t size = 0;
  const void* data = nullptr;
  int available = 0;
  if (!stream->ReadVarint32(&size)) return false;
  stream->GetDirectBufferPointerInline(&data, &available);
  if (size > static_cast<uint32_t>(available)) return false;
  *view = absl::string_view(static_cast<const char*>(data), size);
  return stream->Skip(static_cast<int>(size));
}

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_WIRE_VIEW_H_

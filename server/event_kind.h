#ifndef SERVER_EVENT_KIND_H_
#define SERVER_EVENT_KIND_H_

#include "absl/strings/string_view.h"
#include "extractor/pipeline/event.h"

namespace intercom_extractor {

// Whether the event is that of the ExtractResponse's field `field_number` (below 16), which
// its first byte tells: an event has one field, which holds a message. So row batches of
// a megabyte, and whatever else stands in several pieces, are not parsed again.
inline bool IsEvent(const Event& event, int field_number) {
  if (event.pieces().size() != 1) return false;  // Rows.
  const absl::string_view bytes = event.pieces().front().bytes;
  return !bytes.empty() && bytes[0] == static_cast<char>(field_number << 3 | 2);
}

}  // namespace intercom_extractor

#endif  // SERVER_EVENT_KIND_H_

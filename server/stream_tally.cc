#include "server/stream_tally.h"

#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// The first byte of a message whose first field has this number and holds a
// message. An event has one field, so that byte tells which event it is; row
// batches of a megabyte are not parsed again.
constexpr char FirstByte(int field_number) { return static_cast<char>(field_number << 3 | 2); }

template <typename Tables>
int64_t SumRows(const Tables& tables) {
  int64_t rows = 0;
  for (const auto& table : tables) rows += table.rows();
  return rows;
}

}  // namespace

void StreamTally::Add(const Event& event_in_pieces) {
  bytes_ += static_cast<int64_t>(event_in_pieces.size());
  if (event_in_pieces.pieces().size() != 1) return;  // Rows.
  const absl::string_view event = event_in_pieces.pieces().front().bytes;
  if (event.empty() || (event[0] != FirstByte(v1::ExtractResponse::kProgressFieldNumber) &&
                        event[0] != FirstByte(v1::ExtractResponse::kSummaryFieldNumber))) {
    return;
  }
  v1::ExtractResponse response;
  if (!response.ParseFromArray(event.data(), static_cast<int>(event.size()))) return;
  if (response.has_summary()) {
    tables_ = response.summary().tables_size();
    rows_ = SumRows(response.summary().tables());
  } else {
    tables_ = response.progress().tables_size();
    rows_ = SumRows(response.progress().tables());
  }
}

}  // namespace intercom_extractor

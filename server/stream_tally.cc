#include "server/stream_tally.h"

#include "absl/strings/string_view.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/event_kind.h"

namespace intercom_extractor {
namespace {

template <typename Tables>
int64_t SumRows(const Tables& tables) {
  int64_t rows = 0;
  for (const auto& table : tables) rows += table.rows();
  return rows;
}

}  // namespace

void StreamTally::Add(const Event& event_in_pieces) {
  bytes_ += static_cast<int64_t>(event_in_pieces.size());
  if (!IsEvent(event_in_pieces, v1::ExtractResponse::kProgressFieldNumber) &&
      !IsEvent(event_in_pieces, v1::ExtractResponse::kSummaryFieldNumber)) {
    return;
  }
  const absl::string_view event = event_in_pieces.pieces().front().bytes;
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

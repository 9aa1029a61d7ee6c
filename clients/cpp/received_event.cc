#include "clients/cpp/received_event.h"

#include <cstddef>
#include <cstdint>

#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"

namespace intercom_extractor {
namespace {

using google::protobuf::internal::WireFormatLite;

// A batch is at most 1 MiB, unless it is a single row: what such a row took is not kept.
constexpr size_t kMostBytes = size_t{2} << 20;
// Each row keeps room for the longest texts that it ever had. So that these do not add up
// over millions of rows, all of it is given back so often.
constexpr int kMostUses = 64;

bool IsBatch(grpc::ProtoBufferReader* reader) {
  const void* data = nullptr;
  int size = 0;
  if (!reader->Next(&data, &size)) return false;
  const bool is_batch =
      size > 0 && *static_cast<const uint8_t*>(data) ==
                      WireFormatLite::MakeTag(v1::ExtractResponse::kRowBatchFieldNumber,
                                              WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  reader->BackUp(size);
  return is_batch;
}

}  // namespace

bool ReceivedEvent::Parse(grpc::ByteBuffer* bytes) {
  if (event_.has_row_batch()) rows_.reset(event_.release_row_batch());
  event_.Clear();
  const size_t size = bytes->Length();
  grpc::ProtoBufferReader reader(bytes);
  if (!reader.status().ok()) return false;
  if (rows_ != nullptr && IsBatch(&reader)) {
    if (++uses_ < kMostUses && size <= kMostBytes) {
      rows_->Clear();
      event_.set_allocated_row_batch(rows_.release());
    } else {
      rows_ = nullptr;
      uses_ = 0;
    }
  }
  if (size > kMostBytes) uses_ = kMostUses;
  return event_.MergeFromBoundedZeroCopyStream(&reader, static_cast<int>(size));
}

}  // namespace intercom_extractor

#include "clients/cpp/received_event.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "clients/cpp/wire_view.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

namespace intercom_extractor {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// A batch is at most 1 MiB, unless it is a single row: what such a row took is not kept.
constexpr size_t kMostBytes = size_t{2} << 20;
// Each row keeps room for the longest texts that it ever had. So that these do not add up
// over millions of rows, all of it is given back so often.
constexpr int kMostUses = 64;

// From this number on, each field of a batch is a row.
constexpr int kFirstRows = v1::RowBatch::kUsersFieldNumber;

constexpr uint32_t kBatchTag = WireFormatLite::MakeTag(v1::ExtractResponse::kRowBatchFieldNumber,
                                                       WireFormatLite::WIRETYPE_LENGTH_DELIMITED);

bool IsBatch(grpc::ProtoBufferReader* reader) {
  const void* data = nullptr;
  int size = 0;
  if (!reader->Next(&data, &size)) return false;
  const bool is_batch = size > 0 && *static_cast<const uint8_t*>(data) == kBatchTag;
  reader->BackUp(size);
  return is_batch;
}

bool Dump(const grpc::ByteBuffer& from, std::string* to) {
  std::vector<grpc::Slice> slices;
  if (!from.Dump(&slices).ok()) return false;
  to->clear();
  to->reserve(from.Length());
  for (const grpc::Slice& slice : slices) {
    to->append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return true;
}

}  // namespace

bool ReceivedEvent::Parse(grpc::ByteBuffer* bytes) {
  if (keeps_ == Rows::kParsed) return ParseMessages(bytes);
  if (bytes_.capacity() > kMostBytes) bytes_ = std::string();
  return Dump(*bytes, &bytes_) && ParseBytes();
}

int ReceivedEvent::row_count() const {
  return keeps_ == Rows::kParsed ? RowCount(event_.row_batch())
                                 : static_cast<int>(serialized_rows_.size());
}

bool ReceivedEvent::ParseBytes() {
  serialized_rows_.clear();
  CodedInputStream stream = WireStream(bytes_);
  absl::string_view batch;
  if (stream.ReadTag() == kBatchTag && ReadView(&stream, &batch) && stream.ReadTag() == 0 &&
      stream.ConsumedEntireMessage()) {
    return ParseBatch(batch);
  }
  if (!event_.ParseFromString(bytes_)) return false;
  if (!event_.has_row_batch()) return true;
  // With something beside the batch.
  bytes_ = event_.row_batch().SerializeAsString();
  return ParseBatch(bytes_);
}

bool ReceivedEvent::ParseBatch(absl::string_view batch) {
  rest_.clear();
  CodedInputStream stream = WireStream(batch);
  const char* field = batch.data();
  while (const uint32_t tag = stream.ReadTag()) {
    absl::string_view row;
    const bool is_row =
        WireFormatLite::GetTagFieldNumber(tag) >= kFirstRows &&
        WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (!(is_row ? ReadView(&stream, &row) : WireFormatLite::SkipField(&stream, tag))) return false;
    const char* const end = batch.data() + stream.CurrentPosition();
    if (is_row) {
      serialized_rows_.push_back(row);
    } else {
      rest_.append(field, end);
    }
    field = end;
  }
  event_.Clear();
  return stream.ConsumedEntireMessage() && event_.mutable_row_batch()->ParseFromString(rest_);
}

bool ReceivedEvent::ParseMessages(grpc::ByteBuffer* bytes) {
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

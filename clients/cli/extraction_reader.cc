#include "clients/cli/extraction_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

google::protobuf::ArenaOptions LargeBlocks() {
  google::protobuf::ArenaOptions options;
  // A batch is at most 1 MiB, so that most events need few blocks.
  options.start_block_size = size_t{64} << 10;
  options.max_block_size = size_t{1} << 20;
  return options;
}

}  // namespace

ExtractionReader::ExtractionReader(v1::ExtractorService::StubInterface* stub,
                                   grpc::ClientContext* context, const v1::ExtractRequest& request)
    : context_(context), arena_(LargeBlocks()), stream_(stub->Extract(context, request)) {}

ExtractionReader::~ExtractionReader() {
  if (finished_) return;
  Cancel();
  Finish();
}

const v1::ExtractResponse* ExtractionReader::Read() {
  while (broken_promise_.empty()) {
    arena_.Reset();
    auto* response = google::protobuf::Arena::CreateMessage<v1::ExtractResponse>(&arena_);
    if (!stream_->Read(response)) return nullptr;
    if (Accept(*response)) return response;
  }
  Cancel();
  return nullptr;
}

bool ExtractionReader::Accept(const v1::ExtractResponse& response) {
  if (has_summary_) {
    broken_promise_ = "an event came after the summary";
    return false;
  }
  switch (response.event_case()) {
    case v1::ExtractResponse::kRowBatch: {
      const v1::RowBatch& batch = response.row_batch();
      const auto known = generations_.find(batch.table());
      const uint32_t generation = known == generations_.end() ? 1 : known->second;
      // A server that does not count sends 0: its tables never begin anew.
      const uint32_t sent = std::max<uint32_t>(batch.generation(), 1);
      if (sent > generation) {
        broken_promise_ = absl::StrCat("rows of ", batch.table(), " are of generation ", sent,
                                       ", which was not announced");
      }
      return sent == generation;
    }
    case v1::ExtractResponse::kTableRestarted: {
      uint32_t& generation = generations_[response.table_restarted().table()];
      // Told twice, it must not void the rows that came in between.
      if (response.table_restarted().generation() <= generation) return false;
      generation = response.table_restarted().generation();
      return true;
    }
    case v1::ExtractResponse::kSummary:
      has_summary_ = true;
      return true;
    case v1::ExtractResponse::EVENT_NOT_SET:
      return false;  // Something that a newer server says.
    default:
      return true;
  }
}

grpc::Status ExtractionReader::Finish() {
  finished_ = true;
  // Finish() may only be called once all has been read.
  while (true) {
    arena_.Reset();
    if (!stream_->Read(google::protobuf::Arena::CreateMessage<v1::ExtractResponse>(&arena_))) break;
  }
  const grpc::Status status = stream_->Finish();
  if (!broken_promise_.empty()) {
    return grpc::Status(grpc::StatusCode::DATA_LOSS,
                        absl::StrCat("the server's stream is broken: ", broken_promise_));
  }
  if (status.ok() && !has_summary_) {
    return grpc::Status(grpc::StatusCode::DATA_LOSS,
                        "the server ended the stream without a summary");
  }
  return status;
}

}  // namespace intercom_extractor

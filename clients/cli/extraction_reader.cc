#include "clients/cli/extraction_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// As the contract says: whoever stores tokens counts on it.
constexpr size_t kMaxTokenBytes = size_t{64} << 10;

// A server that does not count sends 0: its tables never begin anew.
uint32_t Generation(uint32_t sent) { return std::max<uint32_t>(sent, 1); }

// 0 for a table that is newer than this program: it was not asked for.
int RowsIn(const v1::RowBatch& batch) {
  const auto* field = batch.GetDescriptor()->FindFieldByName(batch.table());
  if (field == nullptr || !field->is_repeated()) return 0;
  return batch.GetReflection()->FieldSize(batch, field);
}

}  // namespace

ExtractionReader::ExtractionReader(const std::shared_ptr<grpc::ChannelInterface>& channel,
                                   grpc::ClientContext* context, const v1::ExtractRequest& request,
                                   StreamPosition position)
    : context_(context), stream_(channel, context, request), position_(std::move(position)) {}

const v1::ExtractResponse* ExtractionReader::Read() {
  while (broken_promise_.empty()) {
    if (!stream_.Read(&event_)) return nullptr;
    if (Accept(event_.get())) return &event_.get();
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
    case v1::ExtractResponse::kRowBatch:
      return AcceptRows(response.row_batch());
    case v1::ExtractResponse::kLivingRecords:
      return AcceptGeneration(response.living_records().table(),
                              response.living_records().generation());
    case v1::ExtractResponse::kTableRestarted:
      return AcceptRestart(response.table_restarted());
    case v1::ExtractResponse::kCheckpoint:
      return AcceptCheckpoint(response.checkpoint());
    case v1::ExtractResponse::kSummary:
      has_summary_ = true;
      return true;
    case v1::ExtractResponse::EVENT_NOT_SET:
      return false;  // Something that a newer server says.
    default:
      return true;
  }
}

uint32_t ExtractionReader::GenerationOf(const std::string& table) const {
  const auto known = position_.generations.find(table);
  return known == position_.generations.end() ? 1 : known->second;
}

bool ExtractionReader::AcceptGeneration(const std::string& table, uint32_t sent) {
  const uint32_t generation = GenerationOf(table);
  if (Generation(sent) > generation) {
    broken_promise_ =
        absl::StrCat("rows of ", table, " are of generation ", sent, ", which was not announced");
  }
  return Generation(sent) == generation;
}

bool ExtractionReader::AcceptRows(const v1::RowBatch& batch) {
  if (!AcceptGeneration(batch.table(), batch.generation())) return false;
  rows_[batch.table()] += RowsIn(batch);
  return true;
}

bool ExtractionReader::AcceptRestart(const v1::TableRestarted& restarted) {
  // Told twice, it must not void the rows that came in between.
  if (restarted.generation() <= GenerationOf(restarted.table())) return false;
  position_.generations[restarted.table()] = restarted.generation();
  rows_.erase(restarted.table());
  return true;
}

bool ExtractionReader::AcceptCheckpoint(const v1::Checkpoint& checkpoint) {
  const std::string name = absl::StrCat("checkpoint ", checkpoint.number());
  if (checkpoint.number() <= position_.checkpoint) {
    broken_promise_ = absl::StrCat(name, " came after checkpoint ", position_.checkpoint);
    return false;
  }
  const size_t bytes = checkpoint.resume_token().size();
  if (bytes == 0 || bytes > kMaxTokenBytes) {
    broken_promise_ = absl::StrCat(name, " has a token of ", bytes, " bytes");
    return false;
  }
  for (const v1::TableRows& table : checkpoint.rows()) {
    const uint32_t generation = GenerationOf(table.table());
    if (Generation(table.generation()) != generation) {
      broken_promise_ = absl::StrCat(name, " covers generation ", table.generation(), " of ",
                                     table.table(), ", which has come to ", generation);
      return false;
    }
    const auto came = rows_.find(table.table());
    const int64_t rows = came == rows_.end() ? 0 : came->second;
    if (table.rows() != rows) {
      broken_promise_ = absl::StrCat(name, " covers ", table.rows(), " rows of ", table.table(),
                                     ", but ", rows, " came");
      return false;
    }
    rows_.erase(table.table());
  }
  for (const auto& [table, rows] : rows_) {
    if (rows == 0) continue;
    broken_promise_ = absl::StrCat(name, " covers no rows of ", table, ", but ", rows, " came");
    return false;
  }
  rows_.clear();
  position_.checkpoint = checkpoint.number();
  return true;
}

grpc::Status ExtractionReader::Finish() {
  const grpc::Status status = stream_.Finish();
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

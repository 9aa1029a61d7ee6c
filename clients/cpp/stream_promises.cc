#include "clients/cpp/stream_promises.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

// As the contract says: whoever stores tokens counts on it.
constexpr size_t kMaxTokenBytes = size_t{64} << 10;

// A server that does not count sends 0: its tables never begin anew.
uint32_t Generation(uint32_t sent) { return std::max<uint32_t>(sent, 1); }

}  // namespace

bool StreamPromises::Broken(const std::string& how) {
  status_ = absl::DataLossError(absl::StrCat("the server's stream is broken: ", how));
  return false;
}

bool StreamPromises::Accept(const v1::ExtractResponse& event, int rows) {
  if (has_summary_) return Broken("an event came after the summary");
  switch (event.event_case()) {
    case v1::ExtractResponse::kRowBatch:
      return AcceptRows(event.row_batch(), rows);
    case v1::ExtractResponse::kLivingRecords:
      return AcceptGeneration(event.living_records().table(), event.living_records().generation());
    case v1::ExtractResponse::kTableRestarted:
      return AcceptRestart(event.table_restarted());
    case v1::ExtractResponse::kCheckpoint:
      return AcceptCheckpoint(event.checkpoint());
    case v1::ExtractResponse::kSummary:
      return AcceptSummary();
    case v1::ExtractResponse::EVENT_NOT_SET:
      return false;  // Something that a newer server says.
    default:
      return true;
  }
}

absl::Status StreamPromises::OnEnd() const {
  if (!status_.ok() || has_summary_) return status_;
  return absl::DataLossError("the server ended the stream without a summary");
}

uint32_t StreamPromises::GenerationOf(const std::string& table, uint32_t sent) {
  const auto known = position_.generations.find(table);
  if (known != position_.generations.end()) return known->second;
  if (!position_.others_unknown) return 1;
  position_.generations[table] = sent;
  return sent;
}

bool StreamPromises::AcceptGeneration(const std::string& table, uint32_t sent) {
  const uint32_t generation = GenerationOf(table, Generation(sent));
  if (Generation(sent) > generation) {
    return Broken(
        absl::StrCat("rows of ", table, " are of generation ", sent, ", which was not announced"));
  }
  return Generation(sent) == generation;
}

bool StreamPromises::AcceptRows(const v1::RowBatch& batch, int rows) {
  if (!AcceptGeneration(batch.table(), batch.generation())) return false;
  rows_[batch.table()] += rows;
  return true;
}

bool StreamPromises::AcceptRestart(const v1::TableRestarted& restarted) {
  // Told twice, it must not void the rows that came in between. Where it is not known what
  // came before, everything is older.
  if (restarted.generation() <= GenerationOf(restarted.table(), 0)) return false;
  position_.generations[restarted.table()] = restarted.generation();
  rows_.erase(restarted.table());
  return true;
}

bool StreamPromises::AcceptCheckpoint(const v1::Checkpoint& checkpoint) {
  const std::string name = absl::StrCat("checkpoint ", checkpoint.number());
  if (checkpoint.number() <= position_.checkpoint) {
    return Broken(absl::StrCat(name, " came after checkpoint ", position_.checkpoint));
  }
  const size_t bytes = checkpoint.resume_token().size();
  if (bytes == 0 || bytes > kMaxTokenBytes) {
    return Broken(absl::StrCat(name, " has a token of ", bytes, " bytes"));
  }
  for (const v1::TableRows& table : checkpoint.rows()) {
    const uint32_t generation = GenerationOf(table.table(), Generation(table.generation()));
    if (Generation(table.generation()) != generation) {
      return Broken(absl::StrCat(name, " covers generation ", table.generation(), " of ",
                                 table.table(), ", which has come to ", generation));
    }
    const auto came = rows_.find(table.table());
    const int64_t rows = came == rows_.end() ? 0 : came->second;
    if (table.rows() != rows) {
      return Broken(absl::StrCat(name, " covers ", table.rows(), " rows of ", table.table(),
                                 ", but ", rows, " came"));
    }
    rows_.erase(table.table());
  }
  for (const auto& [table, rows] : rows_) {
    if (rows == 0) continue;
    return Broken(absl::StrCat(name, " covers no rows of ", table, ", but ", rows, " came"));
  }
  rows_.clear();
  position_.checkpoint = checkpoint.number();
  return true;
}

bool StreamPromises::AcceptSummary() {
  for (const auto& [table, rows] : rows_) {
    if (rows == 0 || allows_uncovered_) continue;
    return Broken(absl::StrCat("no checkpoint covers the last ", rows, " rows of ", table));
  }
  has_summary_ = true;
  return true;
}

}  // namespace intercom_extractor

#include "tests/end_to_end/resuming_consumer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "extractor/tables/table_catalog.h"

namespace intercom_extractor {

void ResumingConsumer::OnEvent(const v1::ExtractResponse& event) {
  switch (event.event_case()) {
    case v1::ExtractResponse::kRowBatch: {
      const v1::RowBatch& batch = event.row_batch();
      Table& table = working_.tables[batch.table()];
      if (batch.generation() != table.generation) {
        broken_promises_.push_back(absl::StrCat(batch.table(), ": rows of generation ",
                                                batch.generation(), " in generation ",
                                                table.generation));
      }
      const auto* field = TableCatalog::Get().Find(batch.table())->batch_field;
      const auto* reflection = batch.GetReflection();
      for (int i = 0; i < reflection->FieldSize(batch, field); ++i) {
        table.rows.push_back(reflection->GetRepeatedMessage(batch, field, i).SerializeAsString());
        ++table.since;
        ++interval_;
      }
      largest_interval_ = std::max(largest_interval_, interval_);
      break;
    }
    case v1::ExtractResponse::kTableRestarted: {
      Table& table = working_.tables[event.table_restarted().table()];
      if (event.table_restarted().generation() <= table.generation) {
        broken_promises_.push_back(
            absl::StrCat(event.table_restarted().table(), ": generations do not count up"));
      }
      table.rows.clear();
      table.living.clear();
      table.since = 0;
      table.generation = event.table_restarted().generation();
      restarts_.push_back(event.table_restarted());
      break;
    }
    case v1::ExtractResponse::kLivingRecords: {
      const v1::LivingRecords& living = event.living_records();
      Table& table = working_.tables[living.table()];
      if (living.generation() != table.generation) {
        broken_promises_.push_back(absl::StrCat(living.table(), ": living records of generation ",
                                                living.generation(), " in generation ",
                                                table.generation));
      }
      table.living.insert(living.ids().begin(), living.ids().end());
      break;
    }
    case v1::ExtractResponse::kDeletedRecords:
      for (const auto& record : event.deleted_records().records()) {
        working_.tables[event.deleted_records().table()].deleted.insert(record.id());
      }
      break;
    case v1::ExtractResponse::kCheckpoint:
      OnCheckpoint(event.checkpoint());
      break;
    case v1::ExtractResponse::kSummary:
      summary_ = event.summary();
      if (interval_ > 0) broken_promises_.emplace_back("rows after the last checkpoint");
      for (const v1::TableSummary& table : event.summary().tables()) {
        const Table& got = working_.tables[table.table()];
        if (static_cast<int64_t>(got.rows.size()) != table.rows() ||
            got.generation != table.generation()) {
          broken_promises_.push_back(absl::StrCat(
              table.table(), ": the summary says ", table.rows(), " rows of generation ",
              table.generation(), ", there are ", got.rows.size(), " of ", got.generation));
        }
      }
      break;
    default:
      break;
  }
}

void ResumingConsumer::OnCheckpoint(const v1::Checkpoint& checkpoint) {
  std::map<std::string, int64_t> counted;
  for (const v1::TableRows& rows : checkpoint.rows()) {
    counted[rows.table()] = rows.rows();
    if (rows.generation() != working_.tables[rows.table()].generation) {
      broken_promises_.push_back(
          absl::StrCat(rows.table(), ": a checkpoint of another generation"));
    }
  }
  for (auto& [name, table] : working_.tables) {
    if (counted[name] != table.since) {
      broken_promises_.push_back(absl::StrCat(name, ": a checkpoint counts ", counted[name],
                                              " rows, ", table.since, " came"));
    }
    table.since = 0;
  }
  if (checkpoint.number() != working_.number + 1) {
    broken_promises_.push_back(
        absl::StrCat("checkpoint ", checkpoint.number(), " follows ", working_.number));
  }
  working_.number = checkpoint.number();
  working_.token = checkpoint.resume_token();
  ++checkpoints_;
  largest_token_ = std::max(largest_token_, checkpoint.resume_token().size());
  interval_ = 0;
  stored_ = working_;
}

void ResumingConsumer::Cut() {
  rows_lost_ += interval_;
  interval_ = 0;
  working_ = stored_;
  summary_.reset();
}

std::vector<std::string> ResumingConsumer::Rows(const std::string& table) const {
  const auto found = working_.tables.find(table);
  if (found == working_.tables.end()) return {};
  std::vector<std::string> rows = found->second.rows;
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::multiset<std::string> ResumingConsumer::Living(const std::string& table) const {
  const auto found = working_.tables.find(table);
  return found == working_.tables.end() ? std::multiset<std::string>() : found->second.living;
}

std::set<std::string> ResumingConsumer::Deleted(const std::string& table) const {
  const auto found = working_.tables.find(table);
  return found == working_.tables.end() ? std::set<std::string>() : found->second.deleted;
}

}  // namespace intercom_extractor

#include "extractor/pipeline/batcher.h"

#include <algorithm>
#include <utility>

#include "extractor/tables/wire.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/time_util.h"

namespace intercom_extractor {

Batcher::Batcher(RunReport* report, absl::AnyInvocable<void(std::string)> emit,
                 absl::AnyInvocable<void(int, size_t)> too_large)
    : report_(report),
      emit_(std::move(emit)),
      too_large_(std::move(too_large)),
      batches_(TableCatalog::Get().tables().size()) {}

void Batcher::Add(UnitRows* unit, absl::Time received_at) {
  for (size_t table = 0; table < batches_.size(); ++table) {
    UnitRows::TableRows& rows = unit->tables()[table];
    if (!rows.ends.empty()) AddTable(static_cast<int>(table), &rows, received_at);
    if (!rows.parents.empty()) AddParents(static_cast<int>(table), rows.parents, received_at);
    if (!rows.living.empty()) AddLiving(static_cast<int>(table), rows.living, received_at);
  }
  unit->Clear();
}

void Batcher::AddTable(int table, UnitRows::TableRows* rows, absl::Time received_at) {
  Batch& batch = batches_[table];
  size_t begin = 0;
  for (size_t row = 0; row < rows->ends.size();) {
    // As many rows as fit, at least one.
    const size_t room =
        batch.rows.size() < kTargetBytes ? kTargetBytes - batch.rows.size() : size_t{0};
    size_t last = row;
    while (last < rows->ends.size() && rows->ends[last] - begin <= room) ++last;
    if (last == row) {
      if (!batch.rows.empty()) {
        FlushRows(table);
        continue;
      }
      ++last;  // Larger than a batch: travels alone.
    }
    const size_t end = rows->ends[last - 1];
    if (end - begin > kMaxRowBytes) {
      too_large_(table, end - begin);
    } else {
      if (batch.empty()) batch.since = received_at;
      batch.rows.append(rows->bytes, begin, end - begin);
      report_->AddRows(table, static_cast<int64_t>(last - row), static_cast<int64_t>(end - begin));
    }
    row = last;
    begin = end;
  }
  if (batch.rows.size() >= kTargetBytes) FlushRows(table);
}

void Batcher::AddParents(int table, const std::string& parents, absl::Time received_at) {
  Batch& batch = batches_[table];
  if (batch.empty()) batch.since = received_at;
  batch.parents += parents;
  if (batch.rows.size() + batch.parents.size() >= kTargetBytes) FlushRows(table);
}

void Batcher::AddLiving(int table, const std::string& living, absl::Time received_at) {
  Batch& batch = batches_[table];
  if (batch.empty()) batch.since = received_at;
  batch.living += living;
  if (batch.living.size() >= kTargetBytes) FlushLiving(table);
}

void Batcher::FlushOlderThan(absl::Duration age, absl::Time now) {
  for (size_t table = 0; table < batches_.size(); ++table) {
    if (!batches_[table].empty() && now - batches_[table].since >= age) {
      Flush(static_cast<int>(table));
    }
  }
}

void Batcher::FlushAll() { FlushOlderThan(-absl::InfiniteDuration(), absl::InfinitePast()); }

void Batcher::Drop(int table) {
  batches_[table].rows.clear();
  batches_[table].parents.clear();
  batches_[table].living.clear();
}

void Batcher::Flush(int table) {
  FlushRows(table);
  FlushLiving(table);
}

void Batcher::FlushRows(int table) {
  Batch& batch = batches_[table];
  if (batch.rows.empty() && batch.parents.empty()) return;
  std::string header;
  AppendBytesField(v1::RowBatch::kTableFieldNumber, TableCatalog::Get().tables()[table].name(),
                   &header);
  const google::protobuf::Timestamp extracted_at =
      google::protobuf::util::TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(batch.since));
  AppendBytesField(v1::RowBatch::kExtractedAtFieldNumber, extracted_at.SerializeAsString(),
                   &header);
  AppendVarintField(v1::RowBatch::kGenerationFieldNumber, report_->Generation(table), &header);

  header += batch.parents;
  Emit(v1::ExtractResponse::kRowBatchFieldNumber, header, batch.rows);
  batch.rows.clear();
  batch.parents.clear();
}

void Batcher::FlushLiving(int table) {
  Batch& batch = batches_[table];
  if (batch.living.empty()) return;
  std::string header;
  AppendBytesField(v1::LivingRecords::kTableFieldNumber, TableCatalog::Get().tables()[table].name(),
                   &header);
  AppendVarintField(v1::LivingRecords::kGenerationFieldNumber, report_->Generation(table), &header);
  Emit(v1::ExtractResponse::kLivingRecordsFieldNumber, header, batch.living);
  batch.living.clear();
}

void Batcher::Emit(int field, const std::string& header, const std::string& body) {
  std::string event;
  constexpr size_t kLongestTagAndLength = 16;
  event.reserve(kLongestTagAndLength + header.size() + body.size());
  AppendVarint(LengthDelimitedTag(field), &event);
  AppendVarint(header.size() + body.size(), &event);
  event += header;
  event += body;
  emit_(std::move(event));
}

}  // namespace intercom_extractor

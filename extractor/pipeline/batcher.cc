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
        Flush(table);
        continue;
      }
      ++last;  // Larger than a batch: travels alone.
    }
    const size_t end = rows->ends[last - 1];
    if (end - begin > kMaxRowBytes) {
      too_large_(table, end - begin);
    } else {
      if (batch.rows.empty()) batch.since = received_at;
      batch.rows.append(rows->bytes, begin, end - begin);
      report_->AddRows(table, static_cast<int64_t>(last - row), static_cast<int64_t>(end - begin));
    }
    row = last;
    begin = end;
  }
  if (batch.rows.size() >= kTargetBytes) Flush(table);
}

void Batcher::FlushOlderThan(absl::Duration age, absl::Time now) {
  for (size_t table = 0; table < batches_.size(); ++table) {
    if (!batches_[table].rows.empty() && now - batches_[table].since >= age) {
      Flush(static_cast<int>(table));
    }
  }
}

void Batcher::FlushAll() { FlushOlderThan(-absl::InfiniteDuration(), absl::InfinitePast()); }

void Batcher::Drop(int table) { batches_[table].rows.clear(); }

void Batcher::Flush(int table) {
  Batch& batch = batches_[table];
  std::string header;
  AppendBytesField(v1::RowBatch::kTableFieldNumber, TableCatalog::Get().tables()[table].name(),
                   &header);
  const google::protobuf::Timestamp extracted_at =
      google::protobuf::util::TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(batch.since));
  AppendBytesField(v1::RowBatch::kExtractedAtFieldNumber, extracted_at.SerializeAsString(),
                   &header);
  AppendVarintField(v1::RowBatch::kGenerationFieldNumber, report_->Generation(table), &header);

  std::string event;
  constexpr size_t kLongestTagAndLength = 16;
  event.reserve(kLongestTagAndLength + header.size() + batch.rows.size());
  AppendVarint(LengthDelimitedTag(v1::ExtractResponse::kRowBatchFieldNumber), &event);
  AppendVarint(header.size() + batch.rows.size(), &event);
  event += header;
  event += batch.rows;
  batch.rows.clear();
  emit_(std::move(event));
}

}  // namespace intercom_extractor

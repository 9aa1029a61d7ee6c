#include "extractor/pipeline/batcher.h"

#include <algorithm>
#include <utility>

#include "extractor/memory/buffer_pool.h"
#include "extractor/tables/wire.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/time_util.h"

namespace intercom_extractor {
namespace {

// Less is copied: a piece costs gRPC about as much as some kilobytes.
constexpr size_t kShareFrom = size_t{8} << 10;

// Of all extractions: a stream that has ended leaves its memory to the others.
BufferPool& Buffers() {
  constexpr size_t kMaxKept = size_t{8} << 20;
  // Never destroyed: gRPC lets go of rows on its own threads, until the very end.
  static auto* const pool = new BufferPool(kMaxKept);
  return *pool;
}

}  // namespace

void Batcher::Rows::Share(std::shared_ptr<const GrowingBuffer> unit, size_t begin, size_t end) {
  EndCopies();
  const absl::string_view bytes(unit->data() + begin, end - begin);
  const size_t held = bytes.size() * unit->capacity() / unit->size();
  pieces_.push_back({std::move(unit), bytes, held});
  size_ += bytes.size();
}

void Batcher::Rows::Copy(std::string_view rows) {
  if (copies_.capacity() == 0) copies_ = Buffers().Take();
  copies_.Append(rows);
  size_ += rows.size();
}

void Batcher::Rows::EndCopies() {
  if (copies_.empty()) return;
  auto shared = Buffers().Share(std::move(copies_));
  const absl::string_view bytes(shared->data(), shared->size());
  const size_t held = shared->capacity();
  pieces_.push_back({std::move(shared), bytes, held});
}

void Batcher::Rows::MoveTo(Event* event) {
  EndCopies();
  for (Event::Piece& piece : pieces_) event->Append(std::move(piece));
  Clear();
}

void Batcher::Rows::Clear() {
  pieces_.clear();
  copies_.Clear();
  size_ = 0;
}

Batcher::Batcher(RunReport* report, absl::AnyInvocable<void(Event)> emit,
                 absl::AnyInvocable<void(int, size_t)> too_large)
    : report_(report),
      emit_(std::move(emit)),
      too_large_(std::move(too_large)),
      batches_(TableCatalog::Get().tables().size()) {}

void Batcher::LendMemory(TableSet tables, UnitRows* unit) const {
  for (size_t table = 0; table < batches_.size(); ++table) {
    if (!tables.test(table)) continue;
    GrowingBuffer& bytes = unit->tables()[table].bytes;
    const Batch& batch = batches_[table];
    if (bytes.capacity() == 0 && (batch.begun || !batch.rows.empty())) bytes = Buffers().Take();
  }
}

void Batcher::Add(UnitRows* unit, absl::Time received_at) {
  for (size_t table = 0; table < batches_.size(); ++table) {
    UnitRows::TableRows& rows = unit->tables()[table];
    if (!rows.ends.empty()) {
      AddTable(static_cast<int>(table), &rows, received_at);
    } else {
      Buffers().Give(std::move(rows.bytes));
    }
    if (!rows.parents.empty()) AddParents(static_cast<int>(table), rows.parents, received_at);
    if (!rows.living.empty()) AddLiving(static_cast<int>(table), rows.living, received_at);
  }
  unit->Clear();
}

void Batcher::AddTable(int table, UnitRows::TableRows* rows, absl::Time received_at) {
  Batch& batch = batches_[table];
  std::shared_ptr<const GrowingBuffer> shared;
  const std::string_view bytes = rows->bytes.view();
  if (bytes.size() >= kShareFrom && rows->bytes.half_full()) {
    shared = Buffers().Share(std::move(rows->bytes));
  }
  size_t begin = 0;
  for (size_t row = 0; row < rows->ends.size();) {
    // As many rows as fit, at least one.
    const size_t room =
        batch.rows.size() < kTargetBytes ? kTargetBytes - batch.rows.size() : size_t{0};
    const auto fits = std::upper_bound(rows->ends.begin() + static_cast<ptrdiff_t>(row),
                                       rows->ends.end(), begin + room);
    auto last = static_cast<size_t>(fits - rows->ends.begin());
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
      if (shared != nullptr) {
        batch.rows.Share(shared, begin, end);
      } else {
        batch.rows.Copy(bytes.substr(begin, end - begin));
      }
      report_->AddRows(table, static_cast<int64_t>(last - row), static_cast<int64_t>(end - begin));
    }
    row = last;
    begin = end;
  }
  Buffers().Give(std::move(rows->bytes));
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

bool Batcher::AnyWaits() const {
  return std::any_of(batches_.begin(), batches_.end(),
                     [](const Batch& batch) { return !batch.empty(); });
}

void Batcher::FlushOlderThan(absl::Duration age, absl::Time now) {
  for (size_t table = 0; table < batches_.size(); ++table) {
    if (!batches_[table].empty() && now - batches_[table].since >= age) {
      Flush(static_cast<int>(table));
    }
  }
}

void Batcher::FlushFirst() {
  for (size_t table = 0; table < batches_.size(); ++table) {
    if (!batches_[table].begun && !batches_[table].rows.empty()) FlushRows(static_cast<int>(table));
  }
}

void Batcher::FlushAll() { FlushOlderThan(-absl::InfiniteDuration(), absl::InfinitePast()); }

void Batcher::Drop(int table) {
  batches_[table].rows.Clear();
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
  Event event = Begin(v1::ExtractResponse::kRowBatchFieldNumber, header, batch.rows.size());
  batch.rows.MoveTo(&event);
  batch.parents.clear();
  batch.begun = true;
  emit_(std::move(event));
}

void Batcher::FlushLiving(int table) {
  Batch& batch = batches_[table];
  if (batch.living.empty()) return;
  std::string header;
  AppendBytesField(v1::LivingRecords::kTableFieldNumber, TableCatalog::Get().tables()[table].name(),
                   &header);
  AppendVarintField(v1::LivingRecords::kGenerationFieldNumber, report_->Generation(table), &header);
  header += batch.living;
  batch.living.clear();
  emit_(Begin(v1::ExtractResponse::kLivingRecordsFieldNumber, header, 0));
}

Event Batcher::Begin(int field, const std::string& header, size_t body) {
  std::string bytes;
  constexpr size_t kLongestTagAndLength = 16;
  bytes.reserve(kLongestTagAndLength + header.size());
  AppendVarint(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED), &bytes);
  AppendVarint(header.size() + body, &bytes);
  bytes += header;
  return Event(std::move(bytes));
}

}  // namespace intercom_extractor

#ifndef EXTRACTOR_PIPELINE_BATCHER_H_
#define EXTRACTOR_PIPELINE_BATCHER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "extractor/memory/growing_buffer.h"
#include "extractor/pipeline/event.h"
#include "extractor/pipeline/run_report.h"
#include "extractor/tables/table_catalog.h"
#include "extractor/tables/unit_rows.h"

namespace intercom_extractor {

// Gathers rows and what is said of their parents into `RowBatch` events, and ids into
// `LivingRecords`. A batch is cut at 256 KiB, where gRPC's throughput is near its best,
// and never exceeds 1 MiB unless a single row does. Lives on the extraction's strand.
class Batcher {
 public:
  static constexpr size_t kTargetBytes = size_t{256} << 10;
  // Clients accept 64 MiB; some is for what is around the row.
  static constexpr size_t kMaxRowBytes = (size_t{64} << 20) - (size_t{4} << 10);

  // `emit` may block. `too_large` hears of rows above kMaxRowBytes, which are left out.
  // `report` must outlive this.
  Batcher(RunReport* report, absl::AnyInvocable<void(Event)> emit,
          absl::AnyInvocable<void(int table, size_t bytes)> too_large);

  // Gives the unit memory for those of the tables that have had rows: to be called before
  // an answer's rows are made, which Add() then takes. Only then, as an extraction may wait
  // for long in between.
  void LendMemory(TableSet tables, UnitRows* unit) const;

  // Takes over a unit's rows and their memory, leaving it empty. Where rows fill the
  // memory that they stand in, batches share it: such rows are not copied again.
  void Add(UnitRows* unit, absl::Time received_at);

  // Emits what waits for tables of which nothing has been emitted yet.
  void FlushFirst();

  bool AnyWaits() const;
  // Emits what has been waiting for longer than `age`, or all of it.
  void FlushOlderThan(absl::Duration age, absl::Time now);
  void FlushAll();
  // Throws away what waits for a table that begins anew.
  void Drop(int table);

 private:
  // Rows in the memory of their units, and rows that were copied.
  class Rows {
   public:
    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    void Share(std::shared_ptr<const GrowingBuffer> unit, size_t begin, size_t end);
    void Copy(std::string_view rows);
    // Appends all to `event`, leaving none.
    void MoveTo(Event* event);
    void Clear();

   private:
    void EndCopies();

    std::vector<Event::Piece> pieces_;
    // Behind the pieces.
    GrowingBuffer copies_;
    size_t size_ = 0;
  };
  struct Batch {
    Rows rows;
    std::string parents;
    std::string living;
    // Of the oldest of all.
    absl::Time since;
    // Something was emitted.
    bool begun = false;

    bool empty() const { return rows.empty() && parents.empty() && living.empty(); }
  };
  void AddTable(int table, UnitRows::TableRows* rows, absl::Time received_at);
  void AddParents(int table, const std::string& parents, absl::Time received_at);
  void AddLiving(int table, const std::string& living, absl::Time received_at);
  void Flush(int table);
  void FlushRows(int table);
  void FlushLiving(int table);
  // The event whose message in `field` is `header` and then `body` more bytes.
  static Event Begin(int field, const std::string& header, size_t body);

  RunReport* const report_;
  absl::AnyInvocable<void(Event)> emit_;
  absl::AnyInvocable<void(int, size_t)> too_large_;
  std::vector<Batch> batches_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_BATCHER_H_

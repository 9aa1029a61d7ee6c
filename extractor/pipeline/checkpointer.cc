#include "extractor/pipeline/checkpointer.h"

#include <utility>

#include "extractor/tables/table_catalog.h"

namespace intercom_extractor {

Checkpointer::Checkpointer(const RunReport* report, Batcher* batcher, absl::Time now,
                           std::function<void(const v1::ExtractResponse&)> emit)
    : report_(report), batcher_(batcher), emit_(std::move(emit)), last_(now) {}

void Checkpointer::Enable(int64_t number,
                          absl::AnyInvocable<std::string(int64_t number)> make_token) {
  number_ = number;
  make_token_ = std::move(make_token);
  // What an earlier stream gave was covered by its token.
  streamed_.resize(TableCatalog::Get().tables().size());
  for (const TableInfo* table : report_->tables()) {
    streamed_[table->index] = {report_->Rows(table->index), report_->Generation(table->index)};
  }
}

void Checkpointer::OnUnit(absl::Time now) {
  any_unit_ = true;
  if (report_->rows_streamed() - last_rows_ >= limits_.rows ||
      report_->bytes_streamed() - last_bytes_ >= limits_.bytes) {
    Emit(now);
  } else {
    OnTick(now);
  }
}

void Checkpointer::OnTick(absl::Time now) {
  if (any_unit_ && now - last_ >= limits_.age) Emit(now);
}

void Checkpointer::Finish(absl::Time now) {
  batcher_->FlushAll();
  Emit(now);
}

void Checkpointer::Emit(absl::Time now) {
  if (!make_token_) return;
  batcher_->FlushAll();
  v1::ExtractResponse event;
  v1::Checkpoint* checkpoint = event.mutable_checkpoint();
  std::string token = make_token_(number_ + 1);
  // Without a token the one before stays the last.
  if (token.empty()) return;
  checkpoint->set_resume_token(std::move(token));
  checkpoint->set_number(++number_);
  for (const TableInfo* table : report_->tables()) {
    Streamed& before = streamed_[table->index];
    const Streamed streamed = {report_->Rows(table->index), report_->Generation(table->index)};
    const int64_t rows =
        streamed.generation == before.generation ? streamed.rows - before.rows : streamed.rows;
    before = streamed;
    if (rows == 0) continue;
    v1::TableRows* entry = checkpoint->add_rows();
    entry->set_table(table->name());
    entry->set_rows(rows);
    entry->set_generation(streamed.generation);
  }
  any_unit_ = false;
  last_ = now;
  last_rows_ = report_->rows_streamed();
  last_bytes_ = report_->bytes_streamed();
  emit_(event);
}

}  // namespace intercom_extractor

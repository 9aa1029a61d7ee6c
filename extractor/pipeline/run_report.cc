#include "extractor/pipeline/run_report.h"

#include <utility>

#include "extractor/intercom/utf8_prefix.h"
#include "extractor/pipeline/proto_duration.h"

namespace intercom_extractor {
namespace {

// Notices of one code and table that are streamed; all are counted.
constexpr int64_t kStreamedNotices = 100;
// Of an error's message, as resume tokens are bounded.
constexpr size_t kMaxSavedMessage = 400;

void FillRequests(const RequestCounters& counters, v1::RequestCounts* requests) {
  requests->set_sent(counters.sent);
  requests->set_retries(counters.retries);
  requests->set_rate_limited(counters.rate_limited);
  requests->set_pending(counters.pending);
  requests->set_bytes_received(counters.bytes_received);
}

}  // namespace

RunReport::RunReport(std::vector<const TableInfo*> tables, absl::Time start)
    : tables_(std::move(tables)), start_(start), states_(TableCatalog::Get().tables().size()) {
  for (const TableInfo* table : tables_) wanted_.set(table->index);
}

void RunReport::AddRows(int table, int64_t rows, int64_t bytes) {
  states_[table].rows += rows;
  states_[table].bytes += bytes;
  states_[table].rows_streamed += rows;
  states_[table].bytes_streamed += bytes;
  rows_streamed_ += rows;
  bytes_streamed_ += bytes;
}

void RunReport::AddRequest(TableSet tables) {
  for (const TableInfo* table : tables_) {
    if (tables.test(table->index)) ++states_[table->index].requests;
  }
}

void RunReport::SetExpected(int table, int64_t rows) { states_[table].expected = rows; }

void RunReport::SetDone(TableSet tables) {
  for (const TableInfo* table : tables_) {
    if (tables.test(table->index)) states_[table->index].done = true;
  }
}

bool RunReport::Done(TableSet tables) const {
  for (const TableInfo* table : tables_) {
    if (tables.test(table->index) && !states_[table->index].done) return false;
  }
  return true;
}

void RunReport::Save(resume::State* saved) const {
  for (const TableInfo* table : tables_) {
    const State& state = states_[table->index];
    resume::Table* entry = saved->add_tables();
    entry->set_batch_field(table->batch_field->number());
    entry->set_rows(state.rows);
    entry->set_bytes(state.bytes);
    entry->set_generation(state.generation);
    entry->set_done(state.done);
    entry->set_partial(state.partial);
    entry->set_lists_done(state.lists_done);
    if (!state.error.has_value()) continue;
    entry->mutable_error()->set_code(static_cast<int>(state.error->code()));
    entry->mutable_error()->set_reason(ReasonOf(*state.error));
    // With half a character a token could not be read.
    entry->mutable_error()->set_message(
        std::string(Utf8Prefix(state.error->message(), kMaxSavedMessage)));
  }
  for (const auto& [key, count] : notices_) {
    const TableInfo* table = TableCatalog::Get().Find(key.first);
    resume::NoticeCount* entry = saved->add_notices();
    entry->set_batch_field(table == nullptr ? 0 : table->batch_field->number());
    entry->set_code(key.second);
    entry->set_count(count);
  }
}

void RunReport::Restore(const resume::State& saved) {
  const auto find = [](int batch_field) -> const TableInfo* {
    for (const TableInfo& table : TableCatalog::Get().tables()) {
      if (table.batch_field->number() == batch_field) return &table;
    }
    return nullptr;
  };
  for (const resume::Table& entry : saved.tables()) {
    const TableInfo* table = find(entry.batch_field());
    if (table == nullptr) continue;
    State& state = states_[table->index];
    state.rows = entry.rows();
    state.bytes = entry.bytes();
    state.generation = entry.generation();
    state.done = entry.done();
    state.partial = entry.partial();
    state.lists_done = entry.lists_done();
    if (entry.has_error()) {
      state.error = StatusWithReason(static_cast<absl::StatusCode>(entry.error().code()),
                                     entry.error().reason(), entry.error().message());
    }
  }
  for (const resume::NoticeCount& entry : saved.notices()) {
    const TableInfo* table = find(entry.batch_field());
    notices_[{table == nullptr ? "" : table->name(), static_cast<v1::NoticeCode>(entry.code())}] =
        entry.count();
  }
}

uint32_t RunReport::Restart(int table) {
  State& state = states_[table];
  state.rows = state.bytes = 0;
  state.lists_done = 0;
  return ++state.generation;
}

bool RunReport::Fail(int table, const absl::Status& why) {
  if (!wanted_.test(table) || states_[table].error.has_value()) return false;
  states_[table].error = why;
  return true;
}

bool RunReport::CountNotice(const std::string& table, v1::NoticeCode code) {
  ++stream_notices_[{table, code}];
  return ++notices_[{table, code}] <= kStreamedNotices;
}

absl::Status RunReport::OverallStatus() const {
  const absl::Status* first = nullptr;
  for (const TableInfo* table : tables_) {
    const State& state = states_[table->index];
    if (!state.error.has_value() || state.rows > 0) return absl::OkStatus();
    const bool everywhere = state.error->code() == absl::StatusCode::kUnauthenticated ||
                            ReasonOf(*state.error) == "INTERCOM_UNREACHABLE";
    if (!everywhere) return absl::OkStatus();
    if (first == nullptr) first = &*state.error;
  }
  return first == nullptr ? absl::OkStatus() : *first;
}

void RunReport::Fill(v1::Progress* progress, absl::Time now,
                     const RequestCounters& requests) const {
  *progress->mutable_elapsed() = ToProto(now - start_);
  FillRequests(requests, progress->mutable_requests());
  for (const TableInfo* table : tables_) {
    const State& state = states_[table->index];
    v1::TableProgress* entry = progress->add_tables();
    entry->set_table(table->name());
    entry->set_rows(state.rows);
    if (state.expected.has_value()) entry->set_rows_expected(*state.expected);
    entry->set_bytes(state.bytes);
    entry->set_requests(state.requests);
    entry->set_done(state.done);
  }
}

void RunReport::Fill(v1::Summary* summary, absl::Time now, const RequestCounters& requests) const {
  *summary->mutable_elapsed() = ToProto(now - start_);
  FillRequests(requests, summary->mutable_requests());
  for (const TableInfo* table : tables_) {
    const State& state = states_[table->index];
    v1::TableSummary* entry = summary->add_tables();
    entry->set_table(table->name());
    entry->set_status(state.error.has_value() ? v1::TABLE_STATUS_FAILED
                      : state.partial         ? v1::TABLE_STATUS_PARTIAL
                                              : v1::TABLE_STATUS_COMPLETE);
    entry->set_rows(state.rows);
    entry->set_bytes(state.bytes);
    entry->set_requests(state.requests);
    entry->set_generation(state.generation);
    if (state.error.has_value()) {
      entry->mutable_error()->set_code(static_cast<int>(state.error->code()));
      entry->mutable_error()->set_reason(ReasonOf(*state.error));
      entry->mutable_error()->set_message(std::string(state.error->message()));
    }
  }
  for (const auto& [key, count] : notices_) {
    v1::NoticeCount* entry = summary->add_notices();
    entry->set_table(key.first);
    entry->set_code(key.second);
    entry->set_count(count);
  }
}

}  // namespace intercom_extractor

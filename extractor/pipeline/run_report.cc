#include "extractor/pipeline/run_report.h"

#include <utility>

#include "extractor/pipeline/proto_duration.h"

namespace intercom_extractor {
namespace {

// Notices of one code and table that are streamed; all are counted.
constexpr int64_t kStreamedNotices = 100;

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

uint32_t RunReport::Restart(int table) {
  State& state = states_[table];
  state.rows = state.bytes = 0;
  return ++state.generation;
}

bool RunReport::Fail(int table, const absl::Status& why) {
  if (!wanted_.test(table) || states_[table].error.has_value()) return false;
  states_[table].error = why;
  return true;
}

bool RunReport::CountNotice(const std::string& table, v1::NoticeCode code) {
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

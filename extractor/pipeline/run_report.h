#ifndef EXTRACTOR_PIPELINE_RUN_REPORT_H_
#define EXTRACTOR_PIPELINE_RUN_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/tables/table_catalog.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// What one extraction knows of its tables: counts, ends and failures. The one
// place that progress and summary are made from. Lives on the extraction's
// strand.
class RunReport {
 public:
  RunReport(std::vector<const TableInfo*> tables, absl::Time start);

  const std::vector<const TableInfo*>& tables() const { return tables_; }
  bool Wants(int table) const { return wanted_.test(table); }
  TableSet wanted() const { return wanted_; }

  void AddRows(int table, int64_t rows, int64_t bytes);
  void AddRequest(TableSet tables);
  void SetExpected(int table, int64_t rows);
  void SetDone(TableSet tables);
  uint32_t Generation(int table) const { return states_[table].generation; }
  // Begins the table anew; returns the new generation.
  uint32_t Restart(int table);

  int64_t Rows(int table) const { return states_[table].rows; }
  bool Failed(int table) const { return states_[table].error.has_value(); }
  bool Done(TableSet tables) const;

  // Rows of all tables since this stream began, also those that were void later.
  int64_t rows_streamed() const { return rows_streamed_; }
  int64_t bytes_streamed() const { return bytes_streamed_; }
  int64_t rows_streamed(int table) const { return states_[table].rows_streamed; }
  int64_t bytes_streamed(int table) const { return states_[table].bytes_streamed; }

  // By table and code.
  using NoticeCounts = std::map<std::pair<std::string, v1::NoticeCode>, int64_t>;
  // Since this stream began.
  const NoticeCounts& stream_notices() const { return stream_notices_; }

  // Tables and notices, for a stream that goes on where this one stands.
  void Save(resume::State* state) const;
  // To be called before anything happens.
  void Restore(const resume::State& state);

  // Of the lists that a table is made of: those that were read.
  int lists_done(int table) const { return states_[table].lists_done; }
  void SetListsDone(int table, int lists) { states_[table].lists_done = lists; }

  // The first failure counts. False when the table had failed already.
  bool Fail(int table, const absl::Status& why);
  void SetPartial(int table) { states_[table].partial = true; }

  // Counts a notice; true while it is to be streamed as well.
  bool CountNotice(const std::string& table, v1::NoticeCode code);

  // Why nothing at all could be read; OK when something could.
  absl::Status OverallStatus() const;

  void Fill(v1::Progress* progress, absl::Time now, const RequestCounters& requests) const;
  void Fill(v1::Summary* summary, absl::Time now, const RequestCounters& requests) const;

 private:
  struct State {
    int64_t rows = 0;
    int64_t bytes = 0;
    // Since this stream began, of all generations.
    int64_t rows_streamed = 0;
    int64_t bytes_streamed = 0;
    int64_t requests = 0;
    std::optional<int64_t> expected;
    uint32_t generation = 1;
    bool done = false;
    bool partial = false;
    int lists_done = 0;
    std::optional<absl::Status> error;
  };

  const std::vector<const TableInfo*> tables_;
  const absl::Time start_;
  TableSet wanted_;
  // By catalog index; only those of `tables_` are used.
  std::vector<State> states_;
  int64_t rows_streamed_ = 0;
  int64_t bytes_streamed_ = 0;
  // Also of the streams that this one continues.
  NoticeCounts notices_;
  NoticeCounts stream_notices_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_PIPELINE_RUN_REPORT_H_

#ifndef CLIENTS_CLI_RUN_OUTPUTS_H_
#define CLIENTS_CLI_RUN_OUTPUTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "clients/cli/bookmarks.h"
#include "clients/cli/checkpoint_keeper.h"
#include "clients/cli/command_line.h"
#include "clients/cli/deleted_records.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/key_lists.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/run_opening.h"
#include "clients/cli/run_state.h"
#include "clients/cli/table_outputs.h"
#include "clients/cpp/rows.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What a failed output comes to.
Outcome OutputOutcome(const absl::Status& status);

// All that a run leaves behind: its tables' files and its state in a directory, or
// rows on standard output alone. For one thread; errors are those of TableOutputs
// and CheckpointKeeper.
class RunOutputs {
 public:
  // `options` must outlive the object.
  RunOutputs(const ExtractOptions& options, std::function<absl::Time()> now);

  // Opens what the options say, for these tables; for standard output, `fd`, one.
  // The outcome where there is nothing to extract or to write to. Once, before all
  // that follows.
  std::optional<Outcome> Open(const std::vector<v1::TableDescription>& tables, int fd);

  // What people should know before the rows come, a line each.
  const std::vector<std::string>& notes() const { return notes_; }

  // What the run reads; not set for a full one.
  std::optional<absl::Time> updated_since() const { return updated_since_; }

  // The events of a stream. `saw_warning` as in RunState.
  absl::Status Write(const std::string& table, const SerializedRows& rows);
  absl::Status OnLiving(const v1::LivingRecords& living);
  absl::Status OnDeleted(const v1::DeletedRecords& deleted);
  absl::Status OnRestart(const v1::TableRestarted& restarted);
  absl::Status OnCheckpoint(const v1::Checkpoint& checkpoint, bool saw_warning);
  // Call after each of the others, which may have taken a while.
  absl::Status OnTime() { return keeper_.has_value() ? keeper_->OnTime() : absl::OkStatus(); }

  // Where the run can be continued, in this process or in another. Null when it
  // cannot.
  const RunState* Continuation() const;

  // Saves the last checkpoint, if that has not been done and there is a state.
  absl::Status Save() { return keeper_.has_value() ? keeper_->Save() : absl::OkStatus(); }

  // Throws away the rows after the last checkpoint, of which there is one.
  absl::Status RollBack() { return keeper_->RollBack(); }

  // The stream has ended with `summary`: finds out which records are gone and moves
  // the files into place. Adds to `notes` what people should know of what was
  // deleted and of the next incremental run.
  absl::Status Complete(const v1::Summary& summary, int exit_code, std::vector<std::string>* notes);

  // The files of deleted records, by table. Empty before Complete().
  const std::map<std::string, DeletedRecordsResult::File>& deleted() const { return deleted_; }

  // Ends a run that was not completed, also one that was never open.
  void Abandon();

  // What became of the rows, also those of an earlier run that is not continued.
  // Empty when nothing was begun.
  const std::vector<TableOutputs::TableOutput>& tables() const;

  // Rows of a table so far.
  int64_t RowsOf(const std::string& table) const;

  // The directory of unfinished files; empty on standard output.
  std::string partial_path() const;

 private:
  TableOutputs::Options HowToWrite() const;
  std::optional<Outcome> OpenStdout(const v1::TableDescription& table, int fd);
  std::optional<Outcome> OpenDirectory();
  // Makes `written_` what --columns asks for.
  std::optional<Outcome> KeepWrittenColumns();

  absl::Status OpenFiles(const RunOpening& opening);
  bool finds_deleted() const {
    return updated_since_.has_value() && options_.incremental.find_deleted;
  }

  // What an earlier run left of a table, for the report.
  void ReportEarlier(const TableMark& mark);

  // A table is complete when all rows came that the server counts and, where they
  // were asked for, all that is deleted.
  std::vector<TableEnd> TableEnds(const v1::Summary& summary) const;

  const ExtractOptions& options_;
  const std::function<absl::Time()> now_;
  std::vector<v1::TableDescription> descriptions_;
  // With the columns that are written alone.
  std::vector<v1::TableDescription> written_;
  std::vector<std::string> notes_;
  std::optional<absl::Time> updated_since_;
  std::unique_ptr<OutputDirectory> directory_;  // Null for standard output.
  std::unique_ptr<TableOutputs> outputs_;       // Null until they are open.
  std::unique_ptr<KeyLists> keys_;              // Null for standard output.
  std::optional<CheckpointKeeper> keeper_;      // None for standard output.
  std::vector<TableOutputs::TableOutput> earlier_;
  std::map<std::string, DeletedRecordsResult::File> deleted_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_RUN_OUTPUTS_H_

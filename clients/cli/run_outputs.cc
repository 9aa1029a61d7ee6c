#include "clients/cli/run_outputs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "extractor/tables/request_tables.h"
#include "proto/v1.h"

namespace intercom_extractor {

Outcome OutputOutcome(const absl::Status& status) {
  // The reader of our output has seen enough, as in `... | head`.
  if (absl::IsCancelled(status)) return {ExitCode::kOutput, ""};
  // The only thing here that is no matter of the disk: a table newer than we are.
  if (absl::IsUnimplemented(status)) return {ExitCode::kUsage, std::string(status.message())};
  return {ExitCode::kOutput, std::string(status.message())};
}

RunOutputs::RunOutputs(const ExtractOptions& options, std::function<absl::Time()> now)
    : options_(options), now_(std::move(now)) {}

std::optional<Outcome> RunOutputs::Open(const std::vector<v1::TableDescription>& tables, int fd) {
  written_ = tables;
  if (auto refused = KeepWrittenColumns(); refused.has_value()) return refused;
  absl::Status known = TableOutputs::CheckTables(written_, options_.columns);
  if (!known.ok()) return OutputOutcome(known);
  if (auto refused = RefuseIncremental(options_, tables); refused.has_value()) return refused;
  descriptions_ = tables;
  return options_.output == "-" ? OpenStdout(written_.front(), fd) : OpenDirectory();
}

std::optional<Outcome> RunOutputs::KeepWrittenColumns() {
  if (options_.column_names.empty()) return std::nullopt;
  if (absl::Status kept = KeepColumns(options_.column_names, /*with_keys=*/false, &written_);
      !kept.ok()) {
    return Outcome{ExitCode::kUsage, std::string(kept.message())};
  }
  if (options_.format != RowFormat::kCsv) return std::nullopt;
  for (const v1::TableDescription& table : written_) {
    const auto& key = table.table().key();
    if (table.columns_size() != 1 ||
        std::find(key.begin(), key.end(), table.columns(0).name()) != key.end()) {
      continue;
    }
    return Outcome{ExitCode::kUsage,
                   absl::StrCat("--columns: ", table.table().name(), ".", table.columns(0).name(),
                                " alone makes a CSV file in which a null is an empty line, which "
                                "readers skip; add a key such as ",
                                table.table().name(), ".", key.empty() ? "*" : key[0],
                                ", or use --format jsonl")};
  }
  return std::nullopt;
}

TableOutputs::Options RunOutputs::HowToWrite() const {
  return {options_.format, options_.gzip, options_.columns, updated_since_.has_value()};
}

std::optional<Outcome> RunOutputs::OpenStdout(const v1::TableDescription& table, int fd) {
  updated_since_ = options_.incremental.since;
  auto outputs = TableOutputs::ToDescriptor(fd, table, HowToWrite());
  if (!outputs.ok()) return OutputOutcome(outputs.status());
  outputs_ = *std::move(outputs);
  return std::nullopt;
}

std::optional<Outcome> RunOutputs::OpenDirectory() {
  auto directory = OutputDirectory::Open(options_.output);
  if (!directory.ok()) return OutputOutcome(directory.status());
  directory_ = *std::move(directory);
  RunOpening opening =
      OpenRun(options_, NewRunState(options_, written_, now_()), descriptions_, directory_.get());
  updated_since_ = opening.state.updated_since;
  if (opening.outcome.has_value()) {
    for (const TableMark& mark : opening.state.tables) ReportEarlier(mark);
    return opening.outcome;
  }
  notes_ = std::move(opening.notes);
  absl::Status status = OpenFiles(opening);
  if (absl::IsDataLoss(status)) {
    return Outcome{ExitCode::kOutput, absl::StrCat("cannot continue: ", status.message(),
                                                   "; run without --resume to begin anew")};
  }
  if (!status.ok()) return OutputOutcome(status);
  keeper_.emplace(StatePath(options_), std::move(opening.state), outputs_.get(), keys_.get(), now_);
  return std::nullopt;
}

absl::Status RunOutputs::OpenFiles(const RunOpening& opening) {
  const std::vector<TableMark>& marks = opening.state.tables;
  auto outputs = opening.continues()
                     ? TableOutputs::Continue(directory_.get(), written_, HowToWrite(), marks)
                     : TableOutputs::InDirectory(directory_.get(), written_, HowToWrite());
  if (!outputs.ok()) return outputs.status();
  outputs_ = *std::move(outputs);
  auto keys = opening.continues()
                  ? KeyLists::Continue(directory_.get(), descriptions_, finds_deleted(), marks)
                  : KeyLists::Begin(directory_.get(), descriptions_, finds_deleted());
  if (!keys.ok()) return keys.status();
  keys_ = *std::move(keys);
  return absl::OkStatus();
}

absl::Status RunOutputs::Write(const std::string& table, const SerializedRows& rows) {
  absl::Status status = outputs_->Write(table, rows);
  return status.ok() && keys_ != nullptr ? keys_->OnRows(table, rows) : status;
}

absl::Status RunOutputs::OnLiving(const v1::LivingRecords& living) {
  return keys_ != nullptr ? keys_->OnLiving(living) : absl::OkStatus();
}

absl::Status RunOutputs::OnDeleted(const v1::DeletedRecords& deleted) {
  return keys_ != nullptr ? keys_->OnDeleted(deleted) : absl::OkStatus();
}

void RunOutputs::ReportEarlier(const TableMark& mark) {
  TableOutputs::TableOutput output;
  output.table = mark.table;
  output.rows = mark.rows;
  output.bytes = mark.bytes;
  output.in_place = mark.whole;
  output.path =
      mark.whole ? directory_->FinishedPath(mark.file) : directory_->PartialPath(mark.file);
  earlier_.push_back(std::move(output));
}

absl::Status RunOutputs::OnRestart(const v1::TableRestarted& restarted) {
  if (keeper_.has_value()) return keeper_->OnRestart(restarted);
  return outputs_->Restart(restarted.table(), restarted.generation());
}

absl::Status RunOutputs::OnCheckpoint(const v1::Checkpoint& checkpoint, bool saw_warning) {
  return keeper_.has_value() ? keeper_->OnCheckpoint(checkpoint, saw_warning) : absl::OkStatus();
}

const RunState* RunOutputs::Continuation() const {
  return keeper_.has_value() && keeper_->has_checkpoint() ? &keeper_->state() : nullptr;
}

std::vector<TableEnd> RunOutputs::TableEnds(const v1::Summary& summary) const {
  std::vector<TableEnd> ends;
  for (const v1::TableDescription& description : descriptions_) {
    TableEnd& end = ends.emplace_back();
    end.table = description.table();
    for (const v1::TableSummary& table : summary.tables()) {
      if (table.table() != end.table.name()) continue;
      end.in_place = HasWholeFile(table);
      end.complete =
          table.status() == v1::TABLE_STATUS_COMPLETE && table.rows() == RowsOf(end.table.name());
    }
    // Else the next run would not ask for what is missing any more.
    for (const v1::NoticeCount& notice : summary.notices()) {
      if (notice.table() != end.table.name()) continue;
      end.complete = end.complete && notice.code() != v1::NOTICE_CODE_DELETED_NOT_LISTED;
    }
  }
  return ends;
}

absl::Status RunOutputs::Complete(const v1::Summary& summary, int exit_code,
                                  std::vector<std::string>* notes) {
  if (!keeper_.has_value()) return outputs_->Close();
  const std::vector<TableEnd> ends = TableEnds(summary);
  std::optional<absl::Time> started_at;
  if (summary.has_started_at()) {
    started_at = absl::FromUnixSeconds(summary.started_at().seconds()) +
                 absl::Nanoseconds(summary.started_at().nanos());
  }
  if (absl::Status status = keys_->Close(); !status.ok()) return status;
  auto deleted = FindDeletedRecords(
      directory_.get(), *keys_, descriptions_, ends,
      {options_.format, options_.gzip, updated_since_.has_value(), finds_deleted()});
  if (!deleted.ok()) return deleted.status();
  *notes = std::move(deleted->notes);
  CheckpointKeeper::Ending ending;
  ending.exit_code = exit_code;
  ending.also_moved = std::move(deleted->to_move);
  ending.bookmarks = AdvanceBookmarks(keeper_->state().bookmarks, ends, updated_since_, started_at,
                                      StandingDeltas(directory_->path()), notes);
  if (absl::Status status = keeper_->Complete(summary, std::move(ending)); !status.ok()) {
    return status;
  }
  deleted_ = std::move(deleted->files);
  for (auto& [table, file] : deleted_) file.name = directory_->FinishedPath(file.name);
  return directory_->RemoveWorkFiles();
}

void RunOutputs::Abandon() {
  if (outputs_ != nullptr) outputs_->Abandon();
  if (keys_ != nullptr) keys_->Abandon();
}

const std::vector<TableOutputs::TableOutput>& RunOutputs::tables() const {
  return outputs_ == nullptr ? earlier_ : outputs_->tables();
}

int64_t RunOutputs::RowsOf(const std::string& table) const {
  for (const auto& output : tables()) {
    if (output.table == table) return output.rows;
  }
  return 0;
}

std::string RunOutputs::partial_path() const {
  return directory_ == nullptr ? "" : directory_->partial_path();
}

}  // namespace intercom_extractor

#include "clients/cli/table_outputs.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cli/output_file.h"
#include "proto/v1.h"

namespace intercom_extractor {

bool HasWholeFile(const v1::TableSummary& table) {
  return table.status() == v1::TABLE_STATUS_COMPLETE || table.status() == v1::TABLE_STATUS_PARTIAL;
}

absl::Status TableOutputs::CheckTables(const std::vector<v1::TableDescription>& tables,
                                       ColumnSelection columns) {
  for (const v1::TableDescription& table : tables) {
    auto resolved = RowColumns::Resolve(table, columns);
    if (!resolved.ok()) return resolved.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<TableOutputs>> TableOutputs::InDirectory(
    OutputDirectory* directory, const std::vector<v1::TableDescription>& tables,
    const Options& options) {
  std::unique_ptr<TableOutputs> outputs(new TableOutputs(directory, options));
  for (const v1::TableDescription& table : tables) {
    absl::Status status = outputs->Add(table, outputs->FileOf(table));
    if (status.ok()) status = outputs->streams_.back().file->Create();
    if (!status.ok()) {
      outputs->Abandon();
      return status;
    }
    const Stream& stream = outputs->streams_.back();
    stream.writer->AppendHeader(stream.buffer());
  }
  return outputs;
}

absl::StatusOr<std::unique_ptr<TableOutputs>> TableOutputs::Continue(
    OutputDirectory* directory, const std::vector<v1::TableDescription>& tables,
    const Options& options, const std::vector<TableMark>& marks) {
  std::unique_ptr<TableOutputs> outputs(new TableOutputs(directory, options));
  for (const v1::TableDescription& table : tables) {
    absl::Status status = outputs->Add(table, outputs->FileOf(table));
    if (!status.ok()) return status;
  }
  if (absl::Status status = outputs->RollBack(marks); !status.ok()) return status;
  return outputs;
}

absl::StatusOr<std::unique_ptr<TableOutputs>> TableOutputs::ToDescriptor(
    int fd, const v1::TableDescription& table, const Options& options) {
  std::unique_ptr<TableOutputs> outputs(new TableOutputs(nullptr, options));
  absl::Status status =
      outputs->Add(table, std::make_unique<RestartableFile>(
                              OutputFile::ForDescriptor(fd, "standard output", options.gzip)));
  if (!status.ok()) return status;
  const Stream& stream = outputs->streams_.back();
  stream.writer->AppendHeader(stream.buffer());
  return outputs;
}

std::unique_ptr<RestartableFile> TableOutputs::FileOf(const v1::TableDescription& table) const {
  const std::string name =
      absl::StrCat(table.table().name(), options_.delta ? kDeltaSuffix : "", ".",
                   FileExtension(options_.format), options_.gzip ? ".gz" : "");
  return std::make_unique<RestartableFile>(directory_, name, options_.gzip);
}

absl::Status TableOutputs::Add(const v1::TableDescription& table,
                               std::unique_ptr<RestartableFile> file) {
  auto columns = RowColumns::Resolve(table, options_.columns);
  if (!columns.ok()) return columns.status();
  Stream stream;
  stream.writer = NewRowWriter(options_.format, *std::move(columns));
  stream.file = std::move(file);

  TableOutput output;
  output.table = table.table().name();
  if (directory_ != nullptr) output.path = directory_->PartialPath(stream.file->name());
  index_.emplace(output.table, streams_.size());
  streams_.push_back(std::move(stream));
  outputs_.push_back(std::move(output));
  return absl::OkStatus();
}

const size_t* TableOutputs::Find(const std::string& table) const {
  const auto found = index_.find(table);
  return found == index_.end() ? nullptr : &found->second;
}

absl::Status TableOutputs::Write(const std::string& table, const SerializedRows& rows) {
  const size_t* index = Find(table);
  if (index == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("the server sent rows of ", table, ", which were not asked for"));
  }
  const Stream& stream = streams_[*index];
  OutputFile* const file = stream.file->file();
  for (const absl::string_view row : rows) {
    if (!stream.writer->AppendRow(row, file->buffer())) {
      return absl::DataLossError(
          absl::StrCat("the server sent a row of ", table, " that is no protobuf message"));
    }
    if (absl::Status status = file->WriteIfFull(); !status.ok()) return status;
  }
  outputs_[*index].rows += static_cast<int64_t>(rows.size());
  // Whoever reads a pipe wants its rows when they come, not 256 KiB later.
  return directory_ == nullptr ? file->Flush() : absl::OkStatus();
}

absl::Status TableOutputs::Restart(const std::string& table, uint32_t generation) {
  const size_t* index = Find(table);
  if (index == nullptr) return absl::OkStatus();
  TableOutput& output = outputs_[*index];
  const Stream& stream = streams_[*index];
  if (directory_ == nullptr) {
    // Rows that were never seen need not be taken back.
    output.repeated = output.repeated || output.rows > 0;
    output.rows = 0;
    return absl::OkStatus();
  }
  if (absl::Status status = stream.file->Restart(generation); !status.ok()) return status;
  output.rows = 0;
  stream.writer->AppendHeader(stream.buffer());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TableMark>> TableOutputs::Mark() {
  std::vector<TableMark> marks;
  for (size_t i = 0; i < streams_.size(); ++i) {
    const RestartableFile& file = *streams_[i].file;
    if (absl::Status status = file.file()->EndPiece(); !status.ok()) return status;
    TableMark mark;
    mark.table = outputs_[i].table;
    mark.file = file.name();
    mark.rows = outputs_[i].rows;
    mark.bytes = file.file()->bytes_written();
    mark.generation = file.generation();
    marks.push_back(std::move(mark));
  }
  return marks;
}

absl::Status TableOutputs::Sync() {
  bool names_changed = false;
  for (const Stream& stream : streams_) {
    if (absl::Status status = stream.file->Sync(&names_changed); !status.ok()) return status;
  }
  return names_changed ? directory_->SyncPartial() : absl::OkStatus();
}

absl::Status TableOutputs::OnSaved() {
  state_saved_ = true;
  for (const Stream& stream : streams_) {
    if (absl::Status status = stream.file->OnSaved(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TableOutputs::RollBack(const std::vector<TableMark>& marks) {
  state_saved_ = true;
  for (const TableMark& mark : marks) {
    if (absl::Status status = OpenAt(mark); !status.ok()) return status;
  }
  for (size_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].file->file() == nullptr) {
      return absl::DataLossError(absl::StrCat("nothing is known of ", outputs_[i].path));
    }
  }
  return absl::OkStatus();
}

absl::Status TableOutputs::OpenAt(const TableMark& mark) {
  const size_t* index = Find(mark.table);
  if (index == nullptr) return absl::OkStatus();
  absl::Status status = streams_[*index].file->OpenAt(mark.bytes, mark.generation);
  if (!status.ok()) return status;
  outputs_[*index].rows = mark.rows;
  return absl::OkStatus();
}

absl::Status TableOutputs::Close() {
  for (size_t i = 0; i < streams_.size(); ++i) {
    if (absl::Status status = streams_[i].file->file()->Close(); !status.ok()) return status;
    outputs_[i].bytes = streams_[i].file->file()->bytes_written();
  }
  return absl::OkStatus();
}

absl::Status TableOutputs::Commit(const v1::Summary& summary,
                                  const std::vector<std::string>& also) {
  if (directory_ == nullptr) return absl::OkStatus();
  std::vector<size_t> whole;
  std::vector<std::string> names;
  for (const v1::TableSummary& table : summary.tables()) {
    const size_t* index = Find(table.table());
    if (index == nullptr || !HasWholeFile(table)) continue;
    whole.push_back(*index);
    names.push_back(streams_[*index].file->name());
  }
  names.insert(names.end(), also.begin(), also.end());
  if (absl::Status status = directory_->Commit(names); !status.ok()) return status;
  for (size_t index : whole) {
    outputs_[index].path = directory_->FinishedPath(streams_[index].file->name());
    outputs_[index].in_place = true;
  }
  state_saved_ = false;  // Nobody continues what has ended.
  for (const Stream& stream : streams_) {
    if (absl::Status status = stream.file->Forget(); !status.ok()) return status;
  }
  RemoveEmptyPartials();
  return absl::OkStatus();
}

void TableOutputs::Abandon() {
  for (size_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].file->file() == nullptr) continue;
    streams_[i].file->file()->Close().IgnoreError();
    outputs_[i].bytes = streams_[i].file->file()->bytes_written();
    streams_[i].file->Drop();
  }
  RemoveEmptyPartials();
}

void TableOutputs::RemoveEmptyPartials() {
  if (directory_ == nullptr || state_saved_) return;
  for (TableOutput& output : outputs_) {
    if (output.rows > 0 || output.in_place || output.path.empty()) continue;
    unlink(output.path.c_str());
    output.path.clear();
  }
}

}  // namespace intercom_extractor

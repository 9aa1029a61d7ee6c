#include "clients/cli/table_outputs.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/v1.h"

namespace intercom_extractor {

absl::StatusOr<std::unique_ptr<TableOutputs>> TableOutputs::InDirectory(
    const std::string& directory, const std::vector<v1::TableDescription>& tables,
    const Options& options) {
  // Before the first file: a table that we do not know leaves no trace.
  for (const v1::TableDescription& table : tables) {
    auto columns = RowColumns::Resolve(table, options.columns);
    if (!columns.ok()) return columns.status();
  }
  std::unique_ptr<TableOutputs> outputs(new TableOutputs(options));
  auto opened = OutputDirectory::Open(directory);
  if (!opened.ok()) return opened.status();
  outputs->directory_ = *std::move(opened);
  for (const v1::TableDescription& table : tables) {
    const std::string file_name = absl::StrCat(
        table.table().name(), ".", FileExtension(options.format), options.gzip ? ".gz" : "");
    auto file = outputs->directory_->CreateFile(file_name, options.gzip);
    absl::Status status = file.status();
    if (status.ok()) status = outputs->Add(table, *std::move(file), file_name);
    if (!status.ok()) {
      outputs->Abandon();
      return status;
    }
  }
  return outputs;
}

absl::StatusOr<std::unique_ptr<TableOutputs>> TableOutputs::ToDescriptor(
    int fd, const v1::TableDescription& table, const Options& options) {
  std::unique_ptr<TableOutputs> outputs(new TableOutputs(options));
  absl::Status status = outputs->Add(
      table, OutputFile::ForDescriptor(fd, "standard output", options.gzip), /*file_name=*/"");
  if (!status.ok()) return status;
  return outputs;
}

absl::Status TableOutputs::Add(const v1::TableDescription& table, std::unique_ptr<OutputFile> file,
                               const std::string& file_name) {
  auto columns = RowColumns::Resolve(table, options_.columns);
  if (!columns.ok()) return columns.status();
  Stream stream;
  stream.batch_field = columns->batch_field();
  stream.writer = NewRowWriter(options_.format, *std::move(columns));
  stream.file = std::move(file);
  stream.file_name = file_name;
  stream.writer->AppendHeader(stream.file->buffer());

  TableOutput output;
  output.table = table.table().name();
  if (directory_ != nullptr) output.path = directory_->PartialPath(file_name);
  index_.emplace(output.table, streams_.size());
  streams_.push_back(std::move(stream));
  outputs_.push_back(std::move(output));
  return absl::OkStatus();
}

const size_t* TableOutputs::Find(const std::string& table) const {
  const auto found = index_.find(table);
  return found == index_.end() ? nullptr : &found->second;
}

absl::Status TableOutputs::Write(const v1::RowBatch& batch) {
  const size_t* index = Find(batch.table());
  if (index == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("the server sent rows of ", batch.table(), ", which were not asked for"));
  }
  Stream& stream = streams_[*index];
  const google::protobuf::Reflection& reflection = *batch.GetReflection();
  const int rows = reflection.FieldSize(batch, stream.batch_field);
  for (int i = 0; i < rows; ++i) {
    stream.writer->AppendRow(reflection.GetRepeatedMessage(batch, stream.batch_field, i),
                             stream.file->buffer());
    if (absl::Status status = stream.file->WriteIfFull(); !status.ok()) return status;
  }
  outputs_[*index].rows += rows;
  // Whoever reads a pipe wants its rows when they come, not 256 KiB later.
  return directory_ == nullptr ? stream.file->Flush() : absl::OkStatus();
}

absl::Status TableOutputs::Restart(const std::string& table) {
  const size_t* index = Find(table);
  if (index == nullptr) return absl::OkStatus();
  TableOutput& output = outputs_[*index];
  if (directory_ == nullptr) {
    // Rows that were never seen need not be taken back.
    output.repeated = output.repeated || output.rows > 0;
    output.rows = 0;
    return absl::OkStatus();
  }
  output.rows = 0;
  Stream& stream = streams_[*index];
  if (absl::Status status = stream.file->Restart(); !status.ok()) return status;
  stream.writer->AppendHeader(stream.file->buffer());
  return absl::OkStatus();
}

absl::Status TableOutputs::Commit(const v1::Summary& summary) {
  for (size_t i = 0; i < streams_.size(); ++i) {
    if (absl::Status status = streams_[i].file->Close(); !status.ok()) return status;
    outputs_[i].bytes = streams_[i].file->bytes_written();
  }
  if (directory_ == nullptr) return absl::OkStatus();
  std::vector<size_t> whole;
  std::vector<std::string> names;
  for (const v1::TableSummary& table : summary.tables()) {
    const size_t* index = Find(table.table());
    if (index == nullptr) continue;
    if (table.status() != v1::TABLE_STATUS_COMPLETE && table.status() != v1::TABLE_STATUS_PARTIAL) {
      continue;
    }
    whole.push_back(*index);
    names.push_back(streams_[*index].file_name);
  }
  if (absl::Status status = directory_->Commit(names); !status.ok()) return status;
  for (size_t index : whole) {
    outputs_[index].path = directory_->FinishedPath(streams_[index].file_name);
    outputs_[index].in_place = true;
  }
  RemoveEmptyPartials();
  return absl::OkStatus();
}

void TableOutputs::Abandon() {
  for (size_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].file == nullptr) continue;
    streams_[i].file->Close().IgnoreError();
    outputs_[i].bytes = streams_[i].file->bytes_written();
    streams_[i].file.reset();
  }
  RemoveEmptyPartials();
}

void TableOutputs::RemoveEmptyPartials() {
  if (directory_ == nullptr) return;
  for (TableOutput& output : outputs_) {
    if (output.rows > 0 || output.in_place || output.path.empty()) continue;
    unlink(output.path.c_str());
    output.path.clear();
  }
}

}  // namespace intercom_extractor

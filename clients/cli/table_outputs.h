#ifndef CLIENTS_CLI_TABLE_OUTPUTS_H_
#define CLIENTS_CLI_TABLE_OUTPUTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/restartable_file.h"
#include "clients/cli/row_columns.h"
#include "clients/cli/row_writer.h"
#include "clients/cli/run_state.h"
#include "clients/cpp/rows.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Whether the rows of a table are worth a finished file: it did not fail.
bool HasWholeFile(const v1::TableSummary& table);

// Writes the rows of an extraction: one file per table in a directory, or one
// table to a descriptor. For one thread.
//
// Mark() says how the files can be continued: cut at that, they hold the rows
// until then. Once a state with these marks is saved, OnSaved() makes all that it
// names stay until the next one, also of tables that begin anew.
//
// After an error nothing more is to be written: call Abandon(). Errors are those
// of OutputError(), kDataLoss for a file that has not the bytes of its mark,
// kUnimplemented for a table that is newer than this program.
class TableOutputs {
 public:
  struct Options {
    RowFormat format = RowFormat::kCsv;
    bool gzip = false;
    ColumnSelection columns = ColumnSelection::kAll;
    bool delta = false;  // Rows of an incremental run, which have a file of their own.
  };

  // What became of one table's rows.
  struct TableOutput {
    std::string table;
    int64_t rows = 0;
    int64_t bytes = 0;      // In the file, once it is closed.
    std::string path;       // Of the finished or unfinished file; empty without one.
    bool in_place = false;  // Whether `path` is the finished file.
    bool repeated = false;  // Began anew on a descriptor: earlier rows are void.
  };

  // kUnimplemented where a table, or the type of a column, is newer than this
  // program. Touches nothing.
  static absl::Status CheckTables(const std::vector<v1::TableDescription>& tables,
                                  ColumnSelection columns);

  // Begins `.partial/<table>.<ext>`, or `<table>.delta.<ext>`, for each table. `directory` must
  // outlive the object.
  static absl::StatusOr<std::unique_ptr<TableOutputs>> InDirectory(
      OutputDirectory* directory, const std::vector<v1::TableDescription>& tables,
      const Options& options);

  // Continues the files of an earlier run at the marks that it saved, of which
  // there is one for each table.
  static absl::StatusOr<std::unique_ptr<TableOutputs>> Continue(
      OutputDirectory* directory, const std::vector<v1::TableDescription>& tables,
      const Options& options, const std::vector<TableMark>& marks);

  // Writes one table to `fd`, which the caller keeps.
  static absl::StatusOr<std::unique_ptr<TableOutputs>> ToDescriptor(
      int fd, const v1::TableDescription& table, const Options& options);

  // Writes a batch's rows. kFailedPrecondition for a table that was not asked for.
  absl::Status Write(const std::string& table, const SerializedRows& rows);

  // Throws away the rows of a table, which begins anew with `generation`. On a
  // descriptor they are gone already: then only `repeated` is set.
  absl::Status Restart(const std::string& table, uint32_t generation);

  // Writes out all rows so far and says where that leaves each file, also after
  // Close(). Not for descriptors, as are the three below.
  absl::StatusOr<std::vector<TableMark>> Mark();

  // Makes durable what Mark() wrote out.
  absl::Status Sync();

  // The marks that Mark() gave last are saved; only these can be continued.
  absl::Status OnSaved();

  // Throws away all that came after the saved marks.
  absl::Status RollBack(const std::vector<TableMark>& marks);

  // Closes all files. Once, at the end.
  absl::Status Close();

  // Moves the closed files of complete and partial tables into place, and with them
  // those of these names, or does nothing on a descriptor.
  absl::Status Commit(const v1::Summary& summary, const std::vector<std::string>& also);

  // Ends without a summary: what came stays in `.partial`. Files without a row are
  // removed, unless a state names them. Ignores errors, as there is one already.
  void Abandon();

  const std::vector<TableOutput>& tables() const { return outputs_; }

 private:
  struct Stream {
    std::unique_ptr<RestartableFile> file;
    std::unique_ptr<RowWriter> writer;

    std::string* buffer() const { return file->file()->buffer(); }
  };

  // `directory` is null for a descriptor.
  TableOutputs(OutputDirectory* directory, const Options& options)
      : options_(options), directory_(directory) {}

  // Adds a table whose rows go to `file`.
  absl::Status Add(const v1::TableDescription& table, std::unique_ptr<RestartableFile> file);

  // The file of a table in the directory, not open yet.
  std::unique_ptr<RestartableFile> FileOf(const v1::TableDescription& table) const;

  // Opens a table's file as it was at its mark.
  absl::Status OpenAt(const TableMark& mark);

  // Removes unfinished files that hold no row: there is nothing to look at.
  void RemoveEmptyPartials();

  // Null when the table was not asked for. Both vectors have its index.
  const size_t* Find(const std::string& table) const;

  const Options options_;
  OutputDirectory* const directory_;  // Null for a descriptor.
  bool state_saved_ = false;          // Whether a state names these files.
  std::vector<Stream> streams_;
  std::vector<TableOutput> outputs_;  // Of the same tables, in the same order.
  absl::flat_hash_map<std::string, size_t> index_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TABLE_OUTPUTS_H_

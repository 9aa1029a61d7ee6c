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
#include "clients/cli/output_file.h"
#include "clients/cli/row_columns.h"
#include "clients/cli/row_writer.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Writes the rows of an extraction: one file per table in a directory, or one
// table to a descriptor. For one thread.
//
// After an error nothing more is to be written: call Abandon(). Errors are those
// of OutputError(), kAborted for a directory in use, kUnimplemented for a table
// that is newer than this program.
class TableOutputs {
 public:
  struct Options {
    RowFormat format = RowFormat::kCsv;
    bool gzip = false;
    ColumnSelection columns = ColumnSelection::kAll;
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

  // Begins `<directory>/.partial/<table>.<ext>` for each table.
  static absl::StatusOr<std::unique_ptr<TableOutputs>> InDirectory(
      const std::string& directory, const std::vector<v1::TableDescription>& tables,
      const Options& options);

  // Writes one table to `fd`, which the caller keeps.
  static absl::StatusOr<std::unique_ptr<TableOutputs>> ToDescriptor(
      int fd, const v1::TableDescription& table, const Options& options);

  // Writes a batch's rows. kFailedPrecondition for a table that was not asked for.
  absl::Status Write(const v1::RowBatch& batch);

  // Throws away the rows of a table, which begins anew. On a descriptor they are
  // gone already: then only `repeated` is set.
  absl::Status Restart(const std::string& table);

  // Closes all files and moves those of complete and partial tables into place;
  // all or, when closing fails, none. Once, at the end.
  absl::Status Commit(const v1::Summary& summary);

  // Ends without a summary: what came stays in `.partial`, files without a row
  // are removed. Ignores errors, as there is one already.
  void Abandon();

  const std::vector<TableOutput>& tables() const { return outputs_; }

  // Null for a descriptor.
  const OutputDirectory* directory() const { return directory_.get(); }

 private:
  struct Stream {
    std::unique_ptr<OutputFile> file;
    std::unique_ptr<RowWriter> writer;
    const google::protobuf::FieldDescriptor* batch_field;
    std::string file_name;
  };

  explicit TableOutputs(const Options& options) : options_(options) {}

  // Adds a table whose rows go to `file`, and writes its header.
  absl::Status Add(const v1::TableDescription& table, std::unique_ptr<OutputFile> file,
                   const std::string& file_name);

  // Removes unfinished files that hold no row: there is nothing to look at.
  void RemoveEmptyPartials();

  // Null when the table was not asked for. Both vectors have its index.
  const size_t* Find(const std::string& table) const;

  const Options options_;
  std::unique_ptr<OutputDirectory> directory_;
  std::vector<Stream> streams_;
  std::vector<TableOutput> outputs_;  // Of the same tables, in the same order.
  absl::flat_hash_map<std::string, size_t> index_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TABLE_OUTPUTS_H_

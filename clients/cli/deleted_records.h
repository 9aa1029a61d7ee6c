#ifndef CLIENTS_CLI_DELETED_RECORDS_H_
#define CLIENTS_CLI_DELETED_RECORDS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/cli/bookmarks.h"
#include "clients/cli/key_lists.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/row_writer.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// What a run that has read its stream to the end knows of deleted records.
struct DeletedRecordsResult {
  // The file that says which records of a table are gone.
  struct File {
    int64_t records = 0;
    std::string name;  // In `.partial`.
  };
  std::map<std::string, File> files;  // By table.
  // All files that are to be moved into place: whole and durable in `.partial`.
  std::vector<std::string> to_move;
  std::vector<std::string> notes;  // For people.
};

struct DeletedRecordsOptions {
  RowFormat format = RowFormat::kCsv;
  bool gzip = false;
  bool incremental = false;
  bool find_deleted = false;  // In an incremental run.
};

// Keeps what later runs need to find deleted records, and finds those that are gone
// now. The directory keeps for each table that has a list of keys (see KeyLists) all
// keys that runs have delivered and not reported as deleted, and those that the last
// `.deleted` file reported: while that file stands, nobody may have loaded it, and
// the next one says them again.
//
// Writes into `.partial` only, so that a run that is killed does it once more. The
// keys of earlier runs are streamed; of this run it takes up to 21 bytes for each
// key of one table at a time. `lists` are closed. Errors are those of OutputFile.
absl::StatusOr<DeletedRecordsResult> FindDeletedRecords(
    OutputDirectory* directory, const KeyLists& lists,
    const std::vector<v1::TableDescription>& tables, const std::vector<TableEnd>& ends,
    const DeletedRecordsOptions& options);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_DELETED_RECORDS_H_

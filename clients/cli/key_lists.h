#ifndef CLIENTS_CLI_KEY_LISTS_H_
#define CLIENTS_CLI_KEY_LISTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/cli/output_directory.h"
#include "clients/cli/record_keys.h"
#include "clients/cli/restartable_file.h"
#include "clients/cli/run_state.h"
#include "clients/cpp/rows.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// How the records of a table that are gone are found.
enum class DeletedFrom {
  kNowhere,   // They are not: its rows go with their parents'.
  kKeys,      // A key of an earlier run is neither among the rows nor among the living.
  kIntercom,  // Intercom lists them.
};

DeletedFrom HowDeletedAreFound(const v1::Table& table);

// Writes down, beside the rows of a run, the keys that say which records exist, or
// do not: in `.partial/<table>.keys`, one line each, for
// * users and leads: the keys of the rows and, with `find_deleted`, of the living;
// * tables that are read whole: the keys of the rows;
// * conversations, with `find_deleted`: the deleted ones, with the time behind.
// A key may stand twice.
//
// Like TableOutputs, with which it shares the marks of the state; for one thread.
class KeyLists {
 public:
  // Begins the lists of those tables that have one. `directory` must outlive the
  // object. `find_deleted` is of an incremental run.
  static absl::StatusOr<std::unique_ptr<KeyLists>> Begin(
      OutputDirectory* directory, const std::vector<v1::TableDescription>& tables,
      bool find_deleted);

  // Continues those of an earlier run. A table whose mark has none has none.
  static absl::StatusOr<std::unique_ptr<KeyLists>> Continue(
      OutputDirectory* directory, const std::vector<v1::TableDescription>& tables,
      bool find_deleted, const std::vector<TableMark>& marks);

  // The events of a stream.
  absl::Status OnRows(const std::string& table, const SerializedRows& rows);
  absl::Status OnLiving(const v1::LivingRecords& living);
  absl::Status OnDeleted(const v1::DeletedRecords& deleted);
  // What is deleted stays so when its table begins anew.
  absl::Status Restart(const std::string& table, uint32_t generation);

  // As in TableOutputs; Mark() adds to the marks of the tables.
  absl::Status Mark(std::vector<TableMark>* marks);
  absl::Status Sync();
  absl::Status OnSaved();
  absl::Status RollBack(const std::vector<TableMark>& marks);
  absl::Status Close();

  // Removes the lists, unless a state names them. Ignores errors.
  void Abandon();

  // Whether the table has a list.
  bool Has(const std::string& table) const;

  static std::string NameOf(const std::string& table);

 private:
  struct List {
    std::string table;
    DeletedFrom kind;
    RecordKeys keys;
    std::unique_ptr<RestartableFile> file;
  };

  KeyLists(OutputDirectory* directory, bool find_deleted)
      : directory_(directory), find_deleted_(find_deleted) {}

  // Adds the tables that have lists, not open yet.
  absl::Status Add(const std::vector<v1::TableDescription>& tables);

  // Null where the table has no list of that kind.
  List* Find(const std::string& table, DeletedFrom kind);

  static absl::Status Append(const KeyValues& values, List* list);

  OutputDirectory* const directory_;
  const bool find_deleted_;
  std::vector<List> lists_;
  bool state_saved_ = false;  // Whether a state names these lists.
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_KEY_LISTS_H_

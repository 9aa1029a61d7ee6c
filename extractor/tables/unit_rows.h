#ifndef EXTRACTOR_TABLES_UNIT_ROWS_H_
#define EXTRACTOR_TABLES_UNIT_ROWS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "extractor/memory/growing_buffer.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// The rows that one answer of Intercom gives, by table, until the whole answer
// turns out to be good. A row is kept as the bytes it will have in a `RowBatch`:
// the tag of its table's field, its length, its columns. Not thread-safe.
class UnitRows {
 public:
  struct TableRows {
    GrowingBuffer bytes;
    // Where each row ends in `bytes`.
    std::vector<size_t> ends;
    // Entries of `RowBatch.parents`, as its fields: of parents whose rows are all here or
    // came before.
    std::string parents;
    // Ids of records that exist and are not read, as fields of `LivingRecords`.
    std::string living;
  };
  // Something about one value or record that a person should know.
  struct RowNotice {
    int table = 0;
    v1::NoticeCode code = v1::NOTICE_CODE_UNSPECIFIED;
    std::string record_id;
    std::string message;
  };

  // `tables`: the size of the catalog.
  explicit UnitRows(size_t tables) : tables_(tables) {}

  std::vector<TableRows>& tables() { return tables_; }
  const std::vector<TableRows>& tables() const { return tables_; }
  std::vector<RowNotice>& notices() { return notices_; }

  // Keeps the memory for the next answer.
  void Clear() {
    for (TableRows& table : tables_) {
      table.bytes.Clear();
      table.ends.clear();
      table.parents.clear();
      table.living.clear();
    }
    notices_.clear();
  }

 private:
  std::vector<TableRows> tables_;
  std::vector<RowNotice> notices_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_TABLES_UNIT_ROWS_H_

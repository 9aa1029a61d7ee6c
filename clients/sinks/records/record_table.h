#ifndef CLIENTS_SINKS_RECORDS_RECORD_TABLE_H_
#define CLIENTS_SINKS_RECORDS_RECORD_TABLE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/cli/row_columns.h"
#include "clients/cli/row_writer.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// How a row becomes the value of a record.
enum class RecordFormat { kProtobuf, kJson };

// As "json" and "protobuf" say; false for another text.
bool ParseRecordFormat(absl::string_view text, RecordFormat* format);
// What is wrong with another one, for people.
inline constexpr char kFormatMistake[] = "format= is protobuf or json";

// How the rows of one table become records of a queue. Pure; immutable, hence thread-safe.
class RecordTable {
 public:
  // `all` are the server's tables, as a table names what it belongs to. kUnimplemented as
  // RowColumns::Resolve(), also where a table has no key.
  static absl::StatusOr<RecordTable> Make(const v1::TableDescription& description,
                                          const std::vector<v1::TableDescription>& all,
                                          RecordFormat format);

  const std::string& name() const { return keys_.table(); }
  // Whether even an incremental run reads it whole.
  bool always_whole() const { return always_whole_; }
  // Whether a record's id alone is its key.
  bool keyed_by_id() const { return keyed_by_id_; }
  // Another one where columns are others: "v1/1f0c22ab".
  const std::string& schema_version() const { return schema_version_; }

  // How a row names the record at the top that it belongs to, for people's programs:
  // `column` is a row's; with `through`, it refers to that table, whose `through_column`
  // is meant. All empty for a table that belongs to none.
  struct Owner {
    std::string column;
    std::string through;
    std::string through_column;
  };
  const Owner& owner() const { return owner_; }

  // Appends the row's key: the value itself where the key is one column that is not null,
  // else a JSON array of all values, as `["5f0a","urgent"]`.
  // `row` is a serialized message of the table. False, and nothing is appended, where it is
  // none.
  bool AppendKey(absl::string_view row, std::string* out) const;

  // The record's value: the row itself, or a JSON object with every column, which `scratch`
  // keeps. `row` is one that AppendKey() took.
  absl::string_view ValueOf(absl::string_view row, std::string* scratch) const;

 private:
  explicit RecordTable(RowColumns keys) : keys_(std::move(keys)) {}

  RowColumns keys_;
  std::unique_ptr<RowWriter> json_;  // Null for protobuf.
  std::string schema_version_;
  Owner owner_;
  bool always_whole_ = false;
  bool keyed_by_id_ = false;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_RECORDS_RECORD_TABLE_H_

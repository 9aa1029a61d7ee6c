#ifndef CLIENTS_CLI_RECORD_KEYS_H_
#define CLIENTS_CLI_RECORD_KEYS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/cli/row_columns.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Null where it is not set.
using KeyValues = std::vector<std::optional<std::string>>;

// The values as one line without a line end, from which SplitKeyLine() gets them
// back: separated by tabs, with a backslash before what would be taken for
// something else.
std::string JoinKeyLine(const KeyValues& values);

// Empty for a line that JoinKeyLine() does not write.
KeyValues SplitKeyLine(absl::string_view line);

// The columns that tell the rows of one table apart. Immutable, hence thread-safe.
class RecordKeys {
 public:
  // kUnimplemented as in RowColumns, also where a key column is missing.
  static absl::StatusOr<RecordKeys> Resolve(const v1::TableDescription& description);

  // In the table's order.
  const std::vector<RowColumns::Column>& columns() const { return columns_.columns(); }

  // The key of a serialized row message. Empty where any of its values is null, or it is
  // none: then nothing tells it from others.
  KeyValues Of(absl::string_view row) const;

 private:
  explicit RecordKeys(RowColumns columns) : columns_(std::move(columns)) {}

  RowColumns columns_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_RECORD_KEYS_H_

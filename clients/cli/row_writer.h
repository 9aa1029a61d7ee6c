#ifndef CLIENTS_CLI_ROW_WRITER_H_
#define CLIENTS_CLI_ROW_WRITER_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "clients/cli/row_columns.h"

namespace intercom_extractor {

// How rows are written.
enum class RowFormat { kCsv, kJsonl };

// "csv" or "jsonl": what a file's name ends with.
const char* FileExtension(RowFormat format);

// Appends a value that is not null as CSV has it: with quotes where they are needed.
void AppendCsvText(absl::string_view text, std::string* out);

// Turns the rows of one table into text. Immutable, hence thread-safe.
class RowWriter {
 public:
  virtual ~RowWriter() = default;

  // Appends what stands before the first row.
  virtual void AppendHeader(std::string* out) const = 0;

  // Appends one serialized row message with its line end. False, and nothing appended,
  // where it is none.
  virtual bool AppendRow(absl::string_view row, std::string* out) const = 0;
};

// CSV as in RFC 4180 with LF at the end of each record: a header, quotes only
// around values with a comma, quote, CR or LF; null is empty, the empty string
// is `""`.
std::unique_ptr<RowWriter> NewCsvRowWriter(RowColumns columns);

// JSON Lines: one object per row with every column, in order, null ones as null.
std::unique_ptr<RowWriter> NewJsonlRowWriter(RowColumns columns);

std::unique_ptr<RowWriter> NewRowWriter(RowFormat format, RowColumns columns);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_ROW_WRITER_H_

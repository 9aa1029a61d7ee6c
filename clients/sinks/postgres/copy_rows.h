#ifndef CLIENTS_SINKS_POSTGRES_COPY_ROWS_H_
#define CLIENTS_SINKS_POSTGRES_COPY_ROWS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "clients/sinks/postgres/postgres_table.h"

namespace intercom_extractor {

// What a "COPY ... FROM STDIN (FORMAT binary)" begins and ends with.
void AppendCopyHeader(std::string* out);
void AppendCopyTrailer(std::string* out);

// Appends a serialized row message of the table. What PostgreSQL cannot hold is written as near as
// it can: a zero character of a text as U+FFFD, a time beyond the year 294276 as infinity, JSON
// that is none as a JSON string with that text. Returns a hash of the row's key; nothing, and
// appends nothing, where the bytes are no message.
std::optional<size_t> AppendCopyRow(const PostgresTable& table, absl::string_view row,
                                    std::string* out);

// Appends a row of one text.
void AppendCopyText(absl::string_view text, std::string* out);

}  // namespace intercom_extractor

#endif  // CLIENTS_SINKS_POSTGRES_COPY_ROWS_H_

#ifndef CLIENTS_CLI_TEXT_TABLE_H_
#define CLIENTS_CLI_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace intercom_extractor {

enum class Alignment { kLeft, kRight };

// Rows of cells in columns as wide as their widest cell (in characters, not
// bytes), two spaces apart, each line with a line end and without spaces before
// it. Rows may be shorter than `alignments`, not longer.
std::string FormatTextTable(const std::vector<Alignment>& alignments,
                            const std::vector<std::vector<std::string>>& rows);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_TEXT_TABLE_H_

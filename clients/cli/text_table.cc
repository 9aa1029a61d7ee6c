#include "clients/cli/text_table.h"

#include <algorithm>

namespace intercom_extractor {
namespace {

// Characters of UTF-8 text; wide and combining ones count as one, which is close
// enough for names.
size_t Width(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

}  // namespace

std::string FormatTextTable(const std::vector<Alignment>& alignments,
                            const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(alignments.size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line.append("  ");
      const std::string padding(widths[i] - Width(row[i]), ' ');
      line.append(alignments[i] == Alignment::kRight ? padding + row[i] : row[i] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text.append(line).push_back('\n');
  }
  return text;
}

}  // namespace intercom_extractor

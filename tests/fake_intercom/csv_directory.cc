#include "tests/fake_intercom/csv_directory.h"

#include <filesystem>
#include <stdexcept>

namespace intercom_extractor::fake {

std::string CsvRecord(const OracleRow& row, size_t columns) {
  std::string record;
  for (size_t i = 0; i < columns; ++i) {
    if (i > 0) record += ',';
    const OracleCell& cell = row.at(i);
    if (!cell) continue;
    if (!cell->empty() && cell->find_first_of(",\"\r\n") == std::string::npos) {
      record += *cell;
      continue;
    }
    record += '"';
    for (const char c : *cell) {
      if (c == '"') record += '"';
      record += c;
    }
    record += '"';
  }
  return record + "\n";
}

CsvDirectory::CsvDirectory(const std::string& directory, bool documented_columns_only)
    : documented_columns_only_(documented_columns_only) {
  std::filesystem::create_directories(directory);
  for (size_t i = 0; i < OracleTables().size(); ++i) {
    const OracleTable& table = OracleTables()[i];
    const std::string path = directory + "/" + table.name + ".csv";
    files_.emplace_back(path, std::ios::binary | std::ios::trunc);
    if (!files_.back()) throw std::runtime_error("cannot write " + path);
    Write(i, OracleRow(table.columns.begin(), table.columns.end()));
  }
}

size_t CsvDirectory::Columns(size_t table) const {
  const OracleTable& described = OracleTables()[table];
  return documented_columns_only_ ? described.documented : described.columns.size();
}

void CsvDirectory::Write(size_t table, const OracleRow& row) {
  files_[table] << CsvRecord(row, Columns(table));
}

void CsvDirectory::Close() {
  for (std::ofstream& file : files_) {
    file.close();
    if (!file) throw std::runtime_error("an expected table could not be written whole");
  }
}

}  // namespace intercom_extractor::fake

#ifndef TESTS_FAKE_INTERCOM_CSV_DIRECTORY_H_
#define TESTS_FAKE_INTERCOM_CSV_DIRECTORY_H_

#include <fstream>
#include <string>
#include <vector>

#include "tests/fake_intercom/oracle.h"

namespace intercom_extractor::fake {

// One record of CSV with its LF: RFC 4180, quotes only where needed, null empty,
// the empty text "".
std::string CsvRecord(const OracleRow& row, size_t columns);

// A directory of <table>.csv files, one per table, also for empty tables.
class CsvDirectory {
 public:
  // Makes the directory where it does not exist and replaces the files. Throws
  // std::runtime_error when it cannot.
  CsvDirectory(const std::string& directory, bool documented_columns_only);

  void Write(size_t table, const OracleRow& row);
  // Throws std::runtime_error when something could not be written.
  void Close();

 private:
  size_t Columns(size_t table) const;

  const bool documented_columns_only_;
  std::vector<std::ofstream> files_;
};

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_CSV_DIRECTORY_H_

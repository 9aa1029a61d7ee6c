#ifndef CLIENTS_CPP_ACCEPTANCE_CSV_FILE_H_
#define CLIENTS_CPP_ACCEPTANCE_CSV_FILE_H_

#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// The CSV file of one table.
class CsvFile {
 public:
  // Begins it with its header.
  CsvFile(std::string path, const v1::TableDescription& table);

  void Write(const google::protobuf::Message& row);

  // Drops all rows: the table begins anew.
  void Restart();

  // kInternal: not all of it could be written.
  absl::Status Close();

 private:
  const std::string path_;
  const v1::TableDescription table_;
  std::vector<const google::protobuf::FieldDescriptor*> columns_;
  std::ofstream file_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_ACCEPTANCE_CSV_FILE_H_

#ifndef CLIENTS_CPP_ACCEPTANCE_EXTRACT_SCENARIO_H_
#define CLIENTS_CPP_ACCEPTANCE_EXTRACT_SCENARIO_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "clients/cpp/acceptance/csv_file.h"
#include "clients/cpp/acceptance/result.h"
#include "clients/cpp/acceptance/scenario.h"
#include "clients/cpp/client.h"
#include "clients/cpp/extraction.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Reads an extraction into CSV files, as far as the scenario wants it.
class ExtractScenario {
 public:
  // `scenario` must outlive the object.
  ExtractScenario(const Scenario& scenario, const Client& client);

  // Reads, writes the result, and stays where the scenario stopped it, until stdin is
  // closed. kInternal: a file cannot be written.
  absl::Status Run();

 private:
  // Asks for the tables and begins their files.
  absl::Status OpenFiles();
  void Read();
  void Handle(const v1::ExtractResponse& event);
  void HandleRows(const v1::RowBatch& batch);
  void Say(const std::string& event) const;

  const Scenario& scenario_;
  const Client client_;
  Extraction extraction_;
  Result result_;
  std::map<std::string, CsvFile> files_;
  int64_t rows_ = 0;
  bool stopped_ = false;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_ACCEPTANCE_EXTRACT_SCENARIO_H_

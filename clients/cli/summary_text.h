#ifndef CLIENTS_CLI_SUMMARY_TEXT_H_
#define CLIENTS_CLI_SUMMARY_TEXT_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clients/cli/deleted_records.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/table_outputs.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// Everything that is known at the end of an extraction.
struct ExtractionReport {
  Outcome outcome;
  // Not set when the call ended without one.
  std::optional<v1::Summary> summary;
  // What became of the rows; empty when nothing was begun.
  std::vector<TableOutputs::TableOutput> outputs;
  // What an incremental run read; not set for a full one.
  std::optional<absl::Time> updated_since;
  // The files that say what is gone, by table; their names are whole paths.
  std::map<std::string, DeletedRecordsResult::File> deleted;
  std::vector<std::string> notes;  // What people should know of the next run.
  std::string output;              // The directory as the user named it, "-", or a sink's name.
  bool into_sink = false;
  bool in_place = false;   // Whether any file was moved into place.
  bool resumable = false;  // Whether --resume can continue a run that was broken off.
};

// For people, several lines: per table rows, bytes, requests and status; totals;
// why tables failed; where the files are. Needs a summary.
std::string FormatSummaryText(const ExtractionReport& report);

// For programs: one JSON object with a line end.
std::string FormatSummaryJson(const ExtractionReport& report);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_SUMMARY_TEXT_H_

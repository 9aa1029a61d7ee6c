#include "clients/cli/extraction_verdict.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/server_errors.h"
#include "proto/v1.h"

namespace intercom_extractor {

Outcome JudgeExtraction(const v1::Summary& summary,
                        const std::vector<TableOutputs::TableOutput>& outputs, bool saw_warning,
                        const ConnectionOptions& connection) {
  Outcome outcome;
  std::vector<std::string> missing;
  bool lost = false;
  bool repeated = false;
  std::map<std::string, const v1::TableSummary*> summaries;
  for (const v1::TableSummary& table : summary.tables()) {
    summaries[table.table()] = &table;
  }
  for (const auto& output : outputs) {
    repeated = repeated || output.repeated;
    const auto found = summaries.find(output.table);
    if (found == summaries.end() || found->second->status() != v1::TABLE_STATUS_COMPLETE) {
      missing.push_back(output.table);
      continue;
    }
    // Both sides count: a row that is lost in between does not go unnoticed.
    if (found->second->rows() != output.rows) {
      lost = true;
      missing.push_back(absl::StrCat(output.table, " (", output.rows, " of ", found->second->rows(),
                                     " rows arrived)"));
    }
  }
  outcome.code = ExitCodeForSummary(summary, saw_warning);
  const bool short_of = !missing.empty() || lost || repeated;
  if (outcome.code == ExitCode::kComplete && short_of) outcome.code = ExitCode::kPartial;
  if (outcome.code == ExitCode::kComplete) return outcome;

  if (outcome.code == ExitCode::kAuthentication) {
    outcome.message =
        absl::StrCat("Intercom refused the access token of connection ", connection.connection,
                     " along the way; ", "create a new token in the Developer Hub, ",
                     HowToGiveToken(connection), " and run again");
  } else if (outcome.code == ExitCode::kUnreachable) {
    outcome.message = "Intercom stopped answering; run again when it does";
  } else if (!missing.empty()) {
    outcome.message = "not everything could be read";
  } else if (repeated) {
    outcome.message =
        "the table began anew, so that some rows are on standard output twice; use --output DIR";
  } else {
    outcome.message = "some values or records are missing; the warnings above say which";
  }
  if (!missing.empty()) {
    absl::StrAppend(&outcome.message, "; incomplete: ", absl::StrJoin(missing, ", "));
  }
  return outcome;
}

}  // namespace intercom_extractor

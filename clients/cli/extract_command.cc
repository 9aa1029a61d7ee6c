#include "clients/cli/extract_command.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "clients/cli/extraction_reader.h"
#include "clients/cli/progress_display.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/server_errors.h"
#include "clients/cli/summary_text.h"
#include "clients/cli/table_outputs.h"
#include "clients/cli/table_selection.h"
#include "clients/cli/ticker.h"
#include "grpcpp/client_context.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// Smooth to the eye, nothing to the processor.
constexpr std::chrono::milliseconds kTickInterval{125};

constexpr char kStdout[] = "-";

v1::ExtractRequest RequestFor(const ExtractOptions& options) {
  v1::ExtractRequest request;
  request.set_connection(options.connection.connection);
  request.set_template_(options.table_template);
  for (const std::string& table : options.tables) request.add_tables(table);
  request.set_body_format(options.body_format);
  return request;
}

ProgressDisplay::Mode DisplayMode(const ExtractOptions& options, const Console& console) {
  if (options.quiet) return ProgressDisplay::Mode::kQuiet;
  if (options.json) return ProgressDisplay::Mode::kJsonLines;
  return console.err_is_terminal ? ProgressDisplay::Mode::kBar : ProgressDisplay::Mode::kLines;
}

Outcome OutputOutcome(const absl::Status& status) {
  // The reader of our output has seen enough, as in `... | head`.
  if (absl::IsCancelled(status)) return {ExitCode::kOutput, ""};
  // The only thing here that is no matter of the disk: a table newer than we are.
  if (absl::IsUnimplemented(status)) return {ExitCode::kUsage, std::string(status.message())};
  return {ExitCode::kOutput, std::string(status.message())};
}

// One run of the command, from the list of tables to the report.
class Extraction {
 public:
  Extraction(const ExtractOptions& options, ExtractorApi* api, const Console& console)
      : options_(options), api_(api), console_(console) {
    report_.output = options.output;
  }

  Outcome Run() {
    report_.outcome = Begin();
    if (report_.outcome.code == ExitCode::kComplete) report_.outcome = Stream();
    if (outputs_ != nullptr) {
      if (!committed_) outputs_->Abandon();
      report_.outputs = outputs_->tables();
      SayWhereRowsAre();
    }
    return Report();
  }

 private:
  // Finds out what is to be read and opens the outputs.
  Outcome Begin() {
    v1::ListTablesResponse all;
    const grpc::Status status = api_->ListTables(v1::ListTablesRequest(), &all);
    if (!status.ok()) return Failed(status);
    TableSelection selection = SelectTables(all, options_.table_template, options_.tables);
    if (!selection.unknown.empty()) return RefuseUnknownTables(selection.unknown);
    if (selection.tables.empty()) return {ExitCode::kUsage, "the server has no table for this"};

    const TableOutputs::Options output_options = {options_.format, options_.gzip, options_.columns};
    auto outputs =
        options_.output == kStdout
            ? TableOutputs::ToDescriptor(console_.data_fd, selection.tables.front(), output_options)
            : TableOutputs::InDirectory(options_.output, selection.tables, output_options);
    if (!outputs.ok()) return OutputOutcome(outputs.status());
    outputs_ = *std::move(outputs);
    return {};
  }

  // Lets the server say it: it knows which names are near.
  Outcome RefuseUnknownTables(const std::vector<std::string>& unknown) {
    grpc::ClientContext context;
    api_->Prepare(&context);
    Interrupt::Scope scope(api_->interrupt(), &context);
    ExtractionReader reader(api_->stub(), &context, RequestFor(options_));
    if (reader.Read() == nullptr) {
      const grpc::Status status = reader.Finish();
      if (!status.ok()) return Failed(status);
    }
    return {ExitCode::kUsage,
            absl::StrCat("the server lists no table ", absl::StrJoin(unknown, ", "),
                         "; intercom-extract tables shows those it has")};
  }

  // Reads the stream to its end and moves the files into place.
  Outcome Stream() {
    grpc::ClientContext context;
    api_->Prepare(&context);
    Interrupt::Scope scope(api_->interrupt(), &context);
    std::vector<std::string> names;
    for (const auto& output : outputs_->tables()) names.push_back(output.table);
    ProgressDisplay display(DisplayMode(options_, console_), &console_, names, absl::Now);
    Ticker ticker(kTickInterval, [&display] { display.Tick(); });

    ExtractionReader reader(api_->stub(), &context, RequestFor(options_));
    absl::Status written;
    while (written.ok()) {
      const v1::ExtractResponse* response = reader.Read();
      if (response == nullptr) break;
      written = Handle(*response, &display);
    }
    if (!written.ok()) reader.Cancel();
    const grpc::Status status = reader.Finish();
    display.End();
    if (!written.ok()) return OutputOutcome(written);
    if (!status.ok()) return StreamFailed(status);

    if (absl::Status commit = outputs_->Commit(*report_.summary); !commit.ok()) {
      return OutputOutcome(commit);
    }
    committed_ = true;
    return Judge(display.saw_warning());
  }

  absl::Status Handle(const v1::ExtractResponse& response, ProgressDisplay* display) {
    switch (response.event_case()) {
      case v1::ExtractResponse::kRowBatch: {
        const v1::RowBatch& batch = response.row_batch();
        const int64_t before = rows_received_[batch.table()];
        if (absl::Status status = outputs_->Write(batch); !status.ok()) return status;
        const int64_t after = RowsOf(batch.table());
        rows_received_[batch.table()] = after;
        display->OnRows(batch.table(), after - before);
        return absl::OkStatus();
      }
      case v1::ExtractResponse::kProgress:
        display->OnProgress(response.progress());
        return absl::OkStatus();
      case v1::ExtractResponse::kNotice:
        display->OnNotice(response.notice());
        return absl::OkStatus();
      case v1::ExtractResponse::kTableRestarted: {
        const std::string& table = response.table_restarted().table();
        display->OnRestart(response.table_restarted());
        rows_received_[table] = 0;
        if (options_.output == kStdout && RowsOf(table) > 0) {
          display->Say(absl::StrCat("warning: the rows of ", table,
                                    " so far are on standard output already; they come again"));
        }
        return outputs_->Restart(table);
      }
      case v1::ExtractResponse::kSummary:
        report_.summary = response.summary();
        return absl::OkStatus();
      default:
        return absl::OkStatus();
    }
  }

  int64_t RowsOf(const std::string& table) const {
    for (const auto& output : outputs_->tables()) {
      if (output.table == table) return output.rows;
    }
    return 0;
  }

  Outcome Failed(const grpc::Status& status) {
    if (api_->interrupt()->triggered()) return {ExitCode::kInterrupted, "interrupted"};
    return DescribeServerError(status, options_.connection);
  }

  // The call was broken off. Rows that came make a difference to what is said.
  Outcome StreamFailed(const grpc::Status& status) {
    Outcome outcome = Failed(status);
    int64_t rows = 0;
    for (const auto& output : outputs_->tables()) rows += output.rows;
    if (rows > 0 && outcome.code == ExitCode::kUnreachable) {
      outcome.message = absl::StrCat("the extraction broke off after ", GroupDigits(rows),
                                     " rows: ", outcome.message);
    }
    return outcome;
  }

  // What the summary and the files amount to.
  Outcome Judge(bool saw_warning) {
    Outcome outcome;
    std::vector<std::string> missing;
    bool lost = false;
    bool repeated = false;
    std::map<std::string, const v1::TableSummary*> summaries;
    for (const v1::TableSummary& table : report_.summary->tables()) {
      summaries[table.table()] = &table;
    }
    for (const auto& output : outputs_->tables()) {
      repeated = repeated || output.repeated;
      const auto found = summaries.find(output.table);
      if (found == summaries.end() || found->second->status() != v1::TABLE_STATUS_COMPLETE) {
        missing.push_back(output.table);
        continue;
      }
      // Both sides count: a row that is lost in between does not go unnoticed.
      if (found->second->rows() != output.rows) {
        lost = true;
        missing.push_back(absl::StrCat(output.table, " (", output.rows, " of ",
                                       found->second->rows(), " rows arrived)"));
      }
    }
    outcome.code = ExitCodeForSummary(*report_.summary, saw_warning);
    const bool short_of = !missing.empty() || lost || repeated;
    if (outcome.code == ExitCode::kComplete && short_of) outcome.code = ExitCode::kPartial;
    if (outcome.code == ExitCode::kComplete) return outcome;

    if (outcome.code == ExitCode::kAuthentication) {
      outcome.message = absl::StrCat("Intercom refused the access token of connection ",
                                     options_.connection.connection, " along the way; ",
                                     "create a new token in the Developer Hub, ",
                                     HowToGiveToken(options_.connection), " and run again");
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

  // After a run that was broken off.
  void SayWhereRowsAre() {
    if (committed_ || outputs_->directory() == nullptr) return;
    std::string& message = report_.outcome.message;
    for (const auto& output : report_.outputs) {
      if (output.path.empty()) continue;
      absl::StrAppend(&message, "; the rows so far, which are incomplete, are in ",
                      outputs_->directory()->partial_path());
      return;
    }
  }

  Outcome Report() {
    for (const auto& output : report_.outputs) {
      report_.in_place = report_.in_place || output.in_place;
    }
    if (options_.json) {
      const std::string json = FormatSummaryJson(report_);
      if (options_.output == kStdout) {
        console_.err(json);  // Standard output is the rows'.
      } else if (!console_.out(json) && report_.outcome.code == ExitCode::kComplete) {
        report_.outcome = {ExitCode::kOutput, "cannot write the summary to standard output"};
      }
    } else if (report_.summary.has_value() && !options_.quiet && committed_) {
      console_.err(FormatSummaryText(report_));
    }
    return report_.outcome;
  }

  const ExtractOptions& options_;
  ExtractorApi* const api_;
  const Console& console_;
  std::unique_ptr<TableOutputs> outputs_;
  std::map<std::string, int64_t> rows_received_;
  bool committed_ = false;
  ExtractionReport report_;
};

}  // namespace

Outcome RunExtract(const ExtractOptions& options, ExtractorApi* api, const Console& console) {
  return Extraction(options, api, console).Run();
}

}  // namespace intercom_extractor

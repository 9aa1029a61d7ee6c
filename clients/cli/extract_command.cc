#include "clients/cli/extract_command.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cli/extraction_verdict.h"
#include "clients/cli/incremental_flags.h"
#include "clients/cli/progress_display.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/run_outputs.h"
#include "clients/cli/run_state.h"
#include "clients/cli/server_errors.h"
#include "clients/cli/summary_text.h"
#include "clients/cli/table_selection.h"
#include "clients/cli/ticker.h"
#include "clients/cpp/extraction.h"
#include "clients/cpp/reconnect_backoff.h"
#include "clients/cpp/rows.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

constexpr char kStdout[] = "-";

// One run of the command, from the list of tables to the report.
class ExtractRun {
 public:
  ExtractRun(const ExtractOptions& options, ExtractorApi* api, const Console& console,
             const ExtractTiming& timing)
      : options_(options),
        api_(api),
        console_(console),
        timing_(timing),
        outputs_(options, timing.now) {
    report_.output = options.output;
  }

  Outcome Run() {
    std::optional<Outcome> ended = Begin();
    report_.outcome = ended.has_value() ? *std::move(ended) : Stream();
    if (!committed_) outputs_.Abandon();
    report_.outputs = outputs_.tables();
    report_.updated_since = outputs_.updated_since();
    report_.deleted = outputs_.deleted();
    if (began_ && !committed_) SayWhatIsLeft();
    return Report();
  }

 private:
  // Finds out what is to be read and opens the outputs. The outcome where that is
  // the end.
  std::optional<Outcome> Begin() {
    const auto all = api_->ListTables();
    if (!all.ok()) return Failed(all.status());
    TableSelection selection = SelectTables(*all, options_.table_template, options_.tables);
    if (!selection.unknown.empty()) return RefuseUnknownTables(selection.unknown);
    if (selection.tables.empty()) {
      return Outcome{ExitCode::kUsage, "the server has no table for this"};
    }
    if (auto ended = outputs_.Open(selection.tables, console_.data_fd); ended.has_value()) {
      return ended;
    }
    began_ = true;
    return std::nullopt;
  }

  // Lets the server say it: it knows which names are near.
  Outcome RefuseUnknownTables(const std::vector<std::string>& unknown) {
    ExtractionOptions options;
    options.cancellation = api_->interrupt();
    Extraction extraction(api_->client(), RequestFor(options_, options_.incremental.since),
                          std::move(options));
    if (extraction.Next() == nullptr && !extraction.status().ok()) {
      return Failed(extraction.status());
    }
    return {ExitCode::kUsage,
            absl::StrCat("the server lists no table ", absl::StrJoin(unknown, ", "),
                         "; intercom-extract tables shows those it has")};
  }

  // Reads the extraction to its end, over as many calls as that takes, and moves
  // the files into place.
  Outcome Stream() {
    std::vector<std::string> names;
    for (const auto& output : outputs_.tables()) names.push_back(output.table);
    ProgressDisplay display(ProgressDisplay::ModeFor(options_.quiet, options_.json, console_),
                            &console_, names, timing_.now);
    if (outputs_.updated_since().has_value()) {
      display.Note(absl::StrCat("incremental: reads what changed since ",
                                FormatSince(*outputs_.updated_since())));
    }
    for (const std::string& note : outputs_.notes()) display.Note(note);
    ShowRows(&display);
    Ticker ticker(ProgressDisplay::kTickInterval, [&display] { display.Tick(); });

    absl::Status written;
    Extraction extraction(api_->client(), Request(), Options(&display, &written));
    while (written.ok()) {
      const v1::ExtractResponse* event = extraction.Next();
      if (event == nullptr) break;
      written = Handle(*event, extraction.serialized_rows(), &display);
    }
    // What came before the end must not be read again, however it ended.
    if (written.ok()) written = outputs_.Save();
    display.End();
    if (!written.ok()) return OutputOutcome(written);
    if (!extraction.status().ok()) return StreamFailed(extraction.status());
    return Finish(display.saw_warning());
  }

  // What is asked of the server: from the run's last checkpoint on, where there is one.
  v1::ExtractRequest Request() const {
    v1::ExtractRequest request = RequestFor(options_, outputs_.updated_since());
    if (const RunState* state = outputs_.Continuation(); state != nullptr) {
      request.set_resume_token(state->resume_token);
    }
    return request;
  }

  ExtractionOptions Options(ProgressDisplay* display, absl::Status* written) {
    ExtractionOptions options;
    options.delivery = Delivery::kRollBack;
    options.serialized_rows = true;
    options.cancellation = api_->interrupt();
    options.timing = {timing_.now, timing_.wait, timing_.random};
    options.position.emplace();
    if (const RunState* state = outputs_.Continuation(); state != nullptr) {
      options.position->checkpoint = state->checkpoint;
      for (const TableMark& table : state->tables) {
        options.position->generations[table.table] = table.generation;
      }
    }
    options.on_reconnect = [this, display, written](const Reconnect& reconnect) {
      return GoBack(reconnect, display, written);
    };
    return options;
  }

  // The connection was lost: whether the run goes on from its last checkpoint.
  bool GoBack(const Reconnect& reconnect, ProgressDisplay* display, absl::Status* written) {
    if (options_.connection.embedded() || outputs_.Continuation() == nullptr) return false;
    // What came after the checkpoint comes again.
    *written = outputs_.RollBack();
    if (!written->ok()) return false;
    report_.summary.reset();
    ShowRows(display);
    display->Note(absl::StrCat(
        "lost the connection to server ", options_.connection.server, " (",
        reconnect.cause.message(), "); goes on from checkpoint ", reconnect.checkpoint, " in ",
        absl::FormatDuration(absl::Trunc(reconnect.wait, absl::Milliseconds(100))), ", try ",
        reconnect.attempt, " of ", ReconnectBackoff::kMaxTries));
    return true;
  }

  // The summary has come: moves the files into place.
  Outcome Finish(bool saw_warning) {
    const RunState* state = outputs_.Continuation();
    saw_warning = saw_warning || (state != nullptr && state->saw_warning);
    const Outcome outcome =
        JudgeExtraction(*report_.summary, outputs_.tables(), saw_warning, options_.connection);
    const absl::Status status =
        outputs_.Complete(*report_.summary, static_cast<int>(outcome.code), &report_.notes);
    if (!status.ok()) return OutputOutcome(status);
    committed_ = true;
    return outcome;
  }

  absl::Status Handle(const v1::ExtractResponse& response, const SerializedRows& rows,
                      ProgressDisplay* display) {
    switch (response.event_case()) {
      case v1::ExtractResponse::kRowBatch: {
        const v1::RowBatch& batch = response.row_batch();
        if (absl::Status status = outputs_.Write(batch.table(), rows); !status.ok()) return status;
        display->OnRows(batch.table(), static_cast<int64_t>(rows.size()));
        break;
      }
      case v1::ExtractResponse::kLivingRecords:
        if (absl::Status status = outputs_.OnLiving(response.living_records()); !status.ok()) {
          return status;
        }
        break;
      case v1::ExtractResponse::kDeletedRecords:
        if (absl::Status status = outputs_.OnDeleted(response.deleted_records()); !status.ok()) {
          return status;
        }
        break;
      case v1::ExtractResponse::kProgress:
        display->OnProgress(response.progress());
        break;
      case v1::ExtractResponse::kNotice:
        display->OnNotice(response.notice());
        break;
      case v1::ExtractResponse::kTableRestarted:
        return Restart(response.table_restarted(), display);
      case v1::ExtractResponse::kSummary:
        report_.summary = response.summary();
        break;
      case v1::ExtractResponse::kCheckpoint:
        return outputs_.OnCheckpoint(response.checkpoint(), display->saw_warning());
      default:
        break;
    }
    return outputs_.OnTime();
  }

  absl::Status Restart(const v1::TableRestarted& restarted, ProgressDisplay* display) {
    display->OnRestart(restarted);
    if (options_.output == kStdout && outputs_.RowsOf(restarted.table()) > 0) {
      display->Say(absl::StrCat("warning: the rows of ", restarted.table(),
                                " so far are on standard output already; they come again"));
    }
    return outputs_.OnRestart(restarted);
  }

  void ShowRows(ProgressDisplay* display) {
    for (const auto& output : outputs_.tables()) display->SetRows(output.table, output.rows);
  }

  Outcome Failed(const absl::Status& status) {
    return CallOutcome(status, *api_->interrupt(), options_.connection);
  }

  // The call was broken off. Rows that came make a difference to what is said.
  Outcome StreamFailed(const absl::Status& status) {
    Outcome outcome = Failed(status);
    int64_t rows = 0;
    for (const auto& output : outputs_.tables()) rows += output.rows;
    if (rows > 0 && outcome.code == ExitCode::kUnreachable) {
      outcome.message = absl::StrCat("the extraction broke off after ", GroupDigits(rows),
                                     " rows: ", outcome.message);
    }
    return outcome;
  }

  // After a run that was broken off.
  void SayWhatIsLeft() {
    std::string& message = report_.outcome.message;
    // What is wrong with a request stays wrong.
    const RunState* state = outputs_.Continuation();
    report_.resumable = state != nullptr && report_.outcome.code != ExitCode::kUsage;
    if (report_.resumable) {
      absl::StrAppend(&message, "; run again with --resume to go on from checkpoint ",
                      state->checkpoint, " (", GroupDigits(state->rows()), " rows)");
      return;
    }
    if (options_.output == kStdout) return;
    for (const auto& output : report_.outputs) {
      if (output.path.empty()) continue;
      absl::StrAppend(&message, "; the rows so far, which are incomplete, are in ",
                      outputs_.partial_path());
      return;
    }
  }

  Outcome Report() {
    for (const auto& output : report_.outputs) {
      report_.in_place = report_.in_place || output.in_place;
    }
    return WriteReport(options_, report_, committed_, console_);
  }

  const ExtractOptions& options_;
  ExtractorApi* const api_;
  const Console& console_;
  const ExtractTiming& timing_;
  RunOutputs outputs_;
  bool began_ = false;  // Whether there is something to extract, and where to.
  bool committed_ = false;
  ExtractionReport report_;
};

}  // namespace

v1::ExtractRequest RequestFor(const ExtractOptions& options, std::optional<absl::Time> since) {
  v1::ExtractRequest request;
  request.set_connection(options.connection.connection);
  request.set_template_(options.table_template);
  for (const std::string& table : options.tables) request.add_tables(table);
  request.set_body_format(options.body_format);
  for (const std::string& column : options.column_names) request.add_columns(column);
  if (since.has_value()) {
    request.mutable_updated_since()->set_seconds(absl::ToUnixSeconds(*since));
    request.set_find_deleted(options.incremental.find_deleted);
  }
  return request;
}

Outcome WriteReport(const ExtractOptions& options, const ExtractionReport& report, bool whole,
                    const Console& console) {
  if (options.json) {
    const std::string json = FormatSummaryJson(report);
    if (options.output == kStdout) {
      console.err(json);  // Standard output is the rows'.
    } else if (!console.out(json) && report.outcome.code == ExitCode::kComplete) {
      return {ExitCode::kOutput, "cannot write the summary to standard output"};
    }
  } else if (report.summary.has_value() && !options.quiet && whole) {
    console.err(FormatSummaryText(report));
  }
  return report.outcome;
}

ExtractTiming ProcessTiming(Cancellation* interrupt) {
  return {absl::Now, [interrupt](absl::Duration duration) { return interrupt->WaitFor(duration); },
          [] {
            absl::BitGen generator;
            return absl::Uniform(generator, 0.0, 1.0);
          }};
}

Outcome RunExtract(const ExtractOptions& options, ExtractorApi* api, const Console& console,
                   const ExtractTiming& timing) {
  return ExtractRun(options, api, console, timing).Run();
}

}  // namespace intercom_extractor

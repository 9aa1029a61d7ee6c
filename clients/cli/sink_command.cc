#include "clients/cli/sink_command.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "clients/cli/extraction_verdict.h"
#include "clients/cli/incremental_flags.h"
#include "clients/cli/progress_display.h"
#include "clients/cli/run_opening.h"
#include "clients/cli/server_errors.h"
#include "clients/cli/summary_text.h"
#include "clients/cli/table_outputs.h"
#include "clients/cli/table_selection.h"
#include "clients/cli/ticker.h"
#include "clients/sinks/incremental_since.h"
#include "clients/sinks/make_sink.h"
#include "clients/sinks/sink.h"
#include "clients/sinks/sink_run.h"
#include "extractor/tables/request_tables.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "sink_position.pb.h"

namespace intercom_extractor {
namespace {

Outcome SinkOutcome(const absl::Status& status) {
  const bool usage = absl::IsInvalidArgument(status) || absl::IsUnimplemented(status);
  return {usage ? ExitCode::kUsage : ExitCode::kOutput, std::string(status.message())};
}

class SinkCommand {
 public:
  SinkCommand(const ExtractOptions& options, ExtractorApi* api, const Console& console,
              const ExtractTiming& timing, const SinkMaker& make)
      : options_(options), api_(api), console_(console), timing_(timing), make_(make) {}

  Outcome Run() {
    std::optional<Outcome> ended = Open();
    report_.outcome = ended.has_value() ? *std::move(ended) : Stream();
    // A run that broke off has no summary any more.
    return WriteReport(options_, report_, /*whole=*/true, console_);
  }

 private:
  std::optional<Outcome> Open() {
    const auto all = api_->ListTables();
    if (!all.ok()) return Failed(all.status());
    TableSelection selection = SelectTables(*all, options_.table_template, options_.tables);
    if (!selection.unknown.empty()) {
      return Outcome{
          ExitCode::kUsage,
          absl::StrCat("the server lists no table ", absl::StrJoin(selection.unknown, ", "),
                       "; intercom-extract tables shows those it has")};
    }
    if (selection.tables.empty()) {
      return Outcome{ExitCode::kUsage, "the server has no table for this"};
    }
    // The sink's tables have all columns; those that nobody asked for are null.
    std::vector<v1::TableDescription> kept = selection.tables;
    if (absl::Status known = KeepColumns(options_.column_names, /*with_keys=*/true, &kept);
        !known.ok()) {
      return Outcome{ExitCode::kUsage, std::string(known.message())};
    }
    if (options_.incremental.incremental()) {
      if (auto refused = RefuseIncremental(options_, selection.tables); refused.has_value()) {
        return refused;
      }
    }
    for (const v1::TableDescription& table : selection.tables) {
      report_.outputs.emplace_back().table = table.table().name();
    }
    auto sink = make_(options_, selection.tables, {all->tables().begin(), all->tables().end()});
    if (!sink.ok()) return SinkOutcome(sink.status());
    sink_ = *std::move(sink);
    report_.output = sink_->name();
    report_.into_sink = true;
    return std::nullopt;
  }

  Outcome Stream() {
    std::vector<std::string> names;
    names.reserve(report_.outputs.size());
    for (const auto& output : report_.outputs) names.push_back(output.table);
    ProgressDisplay display(ProgressDisplay::ModeFor(options_.quiet, options_.json, console_),
                            &console_, names, timing_.now);
    SinkRun run(api_->client(), sink_.get(), OptionsOfRun(&display));
    const auto position = run.Open();
    if (!position.ok()) return SinkOutcome(position.status());
    const absl::StatusOr<v1::ExtractRequest> request = RequestAfter(*position);
    if (!request.ok()) return {ExitCode::kUsage, std::string(request.status().message())};
    if (report_.updated_since.has_value()) {
      display.Note(absl::StrCat("incremental: reads what changed since ",
                                FormatSince(*report_.updated_since)));
    }
    SinkRunResult result;
    {
      Ticker ticker(ProgressDisplay::kTickInterval, [&display] { display.Tick(); });
      result = run.Run(*request);
    }
    display.End();
    report_.summary = result.summary;
    SetRows(result.position, nullptr);
    if (!result.status.ok()) {
      report_.summary.reset();
      Outcome outcome = api_->interrupt()->cancelled() || !result.of_sink
                            ? Failed(result.status)
                            : SinkOutcome(result.status);
      // Another instance goes on with it.
      report_.resumable = outcome.code != ExitCode::kUsage && result.position.checkpoint() > 0 &&
                          !absl::IsAborted(result.status);
      if (report_.resumable) {
        absl::StrAppend(&outcome.message, "; run again to go on from checkpoint ",
                        result.position.checkpoint());
      }
      return outcome;
    }
    report_.in_place = true;
    for (auto& output : report_.outputs) output.in_place = true;
    for (const v1::TableSummary& table : result.summary->tables()) {
      for (auto& output : report_.outputs) {
        if (output.table == table.table()) output.bytes = table.bytes();
      }
    }
    return JudgeExtraction(*result.summary, report_.outputs, result.position.saw_warning(),
                           options_.connection);
  }

  SinkRunOptions OptionsOfRun(ProgressDisplay* display) {
    SinkRunOptions options;
    options.timing = {timing_.now, timing_.wait, timing_.random};
    options.cancellation = api_->interrupt();
    options.on_note = [display](const std::string& note) { display->Note(note); };
    options.on_position = [this, display](const sinks::SinkPosition& position) {
      SetRows(position, display);
    };
    options.on_event = [display](const v1::ExtractResponse& event, size_t rows) {
      if (event.has_row_batch()) {
        display->OnRows(event.row_batch().table(), static_cast<int64_t>(rows));
      } else if (event.has_progress()) {
        display->OnProgress(event.progress());
      } else if (event.has_notice()) {
        display->OnNotice(event.notice());
      } else if (event.has_table_restarted()) {
        display->OnRestart(event.table_restarted());
      }
    };
    return options;
  }

  void SetRows(const sinks::SinkPosition& position, ProgressDisplay* display) {
    for (auto& output : report_.outputs) {
      const auto found = position.rows().find(output.table);
      output.rows = found == position.rows().end() ? 0 : found->second;
      if (display != nullptr) display->SetRows(output.table, output.rows);
    }
  }

  // What is asked of the server, where the sink is at `position`. An error where nothing says
  // since when.
  absl::StatusOr<v1::ExtractRequest> RequestAfter(const sinks::SinkPosition& position) {
    if (!options_.incremental.incremental()) return RequestFor(options_, std::nullopt);
    absl::StatusOr<absl::Time> since =
        options_.incremental.since.has_value()
            ? absl::FromUnixSeconds(absl::ToUnixSeconds(*options_.incremental.since))
            : SinceLast(position);
    if (!since.ok()) return since.status();
    report_.updated_since = *since;
    return IncrementalRequest(*since);
  }

  v1::ExtractRequest IncrementalRequest(absl::Time since) const {
    v1::ExtractRequest request = RequestFor(options_, since);
    request.set_with_parents(true);
    return request;
  }

  absl::StatusOr<absl::Time> SinceLast(const sinks::SinkPosition& position) const {
    std::vector<std::string> tables;
    tables.reserve(report_.outputs.size());
    for (const auto& output : report_.outputs) tables.push_back(output.table);
    absl::StatusOr<absl::Time> since =
        SinceLastRun(position, tables, options_.incremental.overlap,
                     [this](absl::Time time) { return IncrementalRequest(time); });
    if (!absl::IsNotFound(since.status())) return since;
    return absl::FailedPreconditionError(
        absl::StrCat("no run with sink id ", options_.sink_id, " has read ",
                     since.status().message(), " to its end; run once without --updated-since"));
  }

  Outcome Failed(const absl::Status& status) {
    return CallOutcome(status, *api_->interrupt(), options_.connection);
  }

  const ExtractOptions& options_;
  ExtractorApi* const api_;
  const Console& console_;
  const ExtractTiming& timing_;
  const SinkMaker& make_;
  std::unique_ptr<Sink> sink_;
  ExtractionReport report_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Sink>> SinkOfUrl(const ExtractOptions& options,
                                                const std::vector<v1::TableDescription>& tables,
                                                const std::vector<v1::TableDescription>& all) {
  const char* const password = std::getenv("INTERCOM_SINK_PASSWORD");
  return MakeSink({options.sink, options.sink_id, password == nullptr ? "" : password}, tables,
                  all);
}

Outcome RunSink(const ExtractOptions& options, ExtractorApi* api, const Console& console,
                const ExtractTiming& timing, const SinkMaker& make) {
  return SinkCommand(options, api, console, timing, make).Run();
}

}  // namespace intercom_extractor

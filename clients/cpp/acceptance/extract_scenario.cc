#include "clients/cpp/acceptance/extract_scenario.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "clients/cpp/rows.h"

namespace intercom_extractor {
namespace {

ExtractionOptions OptionsOf(const Scenario& scenario) {
  ExtractionOptions options;
  options.delivery = scenario.delivery;
  options.deadline = scenario.deadline;
  return options;
}

bool AsksFor(const v1::ExtractRequest& request, const v1::Table& table) {
  return request.template_() == v1::TEMPLATE_ALL ||
         (request.template_() != v1::TEMPLATE_UNSPECIFIED &&
          request.template_() == table.template_()) ||
         std::find(request.tables().begin(), request.tables().end(), table.name()) !=
             request.tables().end();
}

}  // namespace

ExtractScenario::ExtractScenario(const Scenario& scenario, const Client& client)
    : scenario_(scenario),
      client_(client),
      extraction_(client, scenario.request, OptionsOf(scenario)) {}

absl::Status ExtractScenario::Run() {
  absl::Status error;
  if (scenario_.stop_after_rows == 0) {
    // As soon as the server has said anything.
    stopped_ = extraction_.Next() != nullptr;
    error = extraction_.status();
  } else {
    error = OpenFiles();
    if (error.ok()) {
      Read();
      error = extraction_.status();
    }
  }
  if (stopped_) {
    extraction_.Cancel();
    extraction_.Next();
  }
  for (auto& [table, file] : files_) {
    if (absl::Status status = file.Close(); !status.ok()) return status;
  }
  result_.OnEnd(error, extraction_.resume_token(), extraction_.reconnects());
  if (absl::Status status = result_.Write(scenario_.result); !status.ok()) return status;
  if (!stopped_) return absl::OkStatus();
  Say("stopped");
  while (std::cin.get() != std::istream::traits_type::eof()) {
  }
  return absl::OkStatus();
}

absl::Status ExtractScenario::OpenFiles() {
  CallOptions options;
  options.deadline = scenario_.deadline;
  const auto tables = client_.ListTables({}, options);
  if (!tables.ok()) return tables.status();
  for (const v1::TableDescription& table : tables->tables()) {
    if (!AsksFor(scenario_.request, table.table())) continue;
    const std::string& name = table.table().name();
    files_.try_emplace(name, absl::StrCat(scenario_.output, "/", name, ".csv"), table);
  }
  return absl::OkStatus();
}

void ExtractScenario::Read() {
  while (!stopped_) {
    const v1::ExtractResponse* event = extraction_.Next();
    if (event == nullptr) return;
    Handle(*event);
  }
}

void ExtractScenario::Handle(const v1::ExtractResponse& event) {
  switch (event.event_case()) {
    case v1::ExtractResponse::kRowBatch:
      HandleRows(event.row_batch());
      break;
    case v1::ExtractResponse::kCheckpoint:
      result_.OnCheckpoint();
      Say("checkpoint");
      stopped_ = scenario_.stop_after_checkpoints == result_.checkpoints();
      break;
    case v1::ExtractResponse::kTableRestarted:
      result_.OnRestart(event.table_restarted());
      files_.at(event.table_restarted().table()).Restart();
      break;
    case v1::ExtractResponse::kNotice:
      result_.OnNotice(event.notice());
      break;
    case v1::ExtractResponse::kProgress:
      result_.OnProgress();
      break;
    case v1::ExtractResponse::kSummary:
      result_.OnSummary(event.summary());
      break;
    default:
      break;
  }
}

void ExtractScenario::HandleRows(const v1::RowBatch& batch) {
  CsvFile& file = files_.at(batch.table());
  for (int i = 0; i < RowCount(batch); ++i) {
    file.Write(RowAt(batch, i));
    result_.OnRow(batch.table());
    if (++rows_ == 1) Say("row");
    if (scenario_.stop_after_rows == rows_) {
      stopped_ = true;
      return;
    }
    if (scenario_.pause.has_value() && scenario_.pause->after_rows == rows_) {
      Say("paused");
      absl::SleepFor(scenario_.pause->duration);
      Say("resumed");
    }
  }
}

void ExtractScenario::Say(const std::string& event) const {
  std::cout << R"({"event": ")" << event << R"(", "rows": )" << rows_ << "}" << std::endl;
}

}  // namespace intercom_extractor

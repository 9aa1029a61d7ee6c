#include "clients/cli/summary_text.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "clients/cli/console.h"
#include "clients/cli/incremental_flags.h"
#include "clients/cli/json_text.h"
#include "clients/cli/plan_text.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/text_table.h"

namespace intercom_extractor {
namespace {

absl::Duration Elapsed(const v1::Summary& summary) {
  return absl::Seconds(summary.elapsed().seconds()) + absl::Nanoseconds(summary.elapsed().nanos());
}

absl::string_view StatusName(v1::TableStatus status) {
  switch (status) {
    case v1::TABLE_STATUS_COMPLETE:
      return "complete";
    case v1::TABLE_STATUS_PARTIAL:
      return "partial";
    case v1::TABLE_STATUS_FAILED:
      return "failed";
    default:
      return "unknown";
  }
}

absl::string_view ExitName(ExitCode code) {
  switch (code) {
    case ExitCode::kComplete:
      return "complete";
    case ExitCode::kPartial:
      return "partial";
    case ExitCode::kInterrupted:
      return "interrupted";
    default:
      return "failed";
  }
}

// Null when nothing of the table was written.
const TableOutputs::TableOutput* FindOutput(const ExtractionReport& report,
                                            const std::string& table) {
  for (const TableOutputs::TableOutput& output : report.outputs) {
    if (output.table == table) return &output;
  }
  return nullptr;
}

void AppendTable(const ExtractionReport& report, const std::string& name,
                 const v1::TableSummary* summary, JsonText* json) {
  const TableOutputs::TableOutput* output = FindOutput(report, name);
  json->BeginObject();
  json->Key("table").String(name);
  json->Key("status").String(summary == nullptr ? "unknown" : StatusName(summary->status()));
  json->Key("rows").Int(output == nullptr ? 0 : output->rows);
  json->Key("bytes").Int(output == nullptr ? 0 : output->bytes);
  json->Key("requests").Int(summary == nullptr ? 0 : summary->requests());
  json->Key("file");
  if (output != nullptr && !output->path.empty()) {
    json->String(output->path);
  } else {
    json->Null();
  }
  json->Key("in_place").Bool(output != nullptr && output->in_place);
  const auto deleted = report.deleted.find(name);
  json->Key("deleted");
  if (deleted != report.deleted.end()) {
    json->Int(deleted->second.records);
    json->Key("deleted_file").String(deleted->second.name);
  } else {
    json->Null();
    json->Key("deleted_file").Null();
  }
  json->Key("error");
  if (summary != nullptr && summary->has_error()) {
    json->BeginObject();
    json->Key("reason").String(summary->error().reason());
    json->Key("message").String(summary->error().message());
    json->EndObject();
  } else {
    json->Null();
  }
  json->EndObject();
}

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() / 1e9;
}

// To the millisecond.
double Rounded(const google::protobuf::Duration& duration) {
  return std::round(Seconds(duration) * 1000) / 1000;
}

// "time: 82% quota, 11% Intercom, 7% CPU": what it was that the run waited for.
std::string FormatTimeSpent(const v1::TimeSpent& spent) {
  const std::pair<absl::string_view, double> parts[] = {{"quota", Seconds(spent.quota())},
                                                        {"Intercom", Seconds(spent.intercom())},
                                                        {"this reader", Seconds(spent.consumer())},
                                                        {"CPU", Seconds(spent.cpu())}};
  double total = 0;
  for (const auto& [name, seconds] : parts) total += seconds;
  std::string text;
  for (const auto& [name, seconds] : parts) {
    const auto percent = static_cast<int64_t>(std::lround(100 * seconds / total));
    // Of nothing, or of what does not show.
    if (!(total > 0) || percent == 0) continue;
    absl::StrAppend(&text, text.empty() ? "time: " : ", ", percent, "% ", name);
  }
  return text.empty() ? text : absl::StrCat(text, "\n");
}

}  // namespace

std::string FormatSummaryText(const ExtractionReport& report) {
  const v1::Summary& summary = *report.summary;
  const bool deleted = !report.deleted.empty();
  std::vector<std::vector<std::string>> rows = {{"table", "rows", "bytes", "requests", "status"}};
  if (deleted) rows[0].emplace_back("deleted");
  std::string failures;
  int64_t total_rows = 0;
  int64_t total_bytes = 0;
  int64_t total_deleted = 0;
  for (const v1::TableSummary& table : summary.tables()) {
    const TableOutputs::TableOutput* output = FindOutput(report, table.table());
    const int64_t table_rows = output == nullptr ? 0 : output->rows;
    const int64_t table_bytes = output == nullptr ? 0 : output->bytes;
    total_rows += table_rows;
    total_bytes += table_bytes;
    rows.push_back({table.table(), GroupDigits(table_rows), FormatBytes(table_bytes),
                    GroupDigits(table.requests()), std::string(StatusName(table.status()))});
    if (const auto found = report.deleted.find(table.table()); found != report.deleted.end()) {
      rows.back().push_back(GroupDigits(found->second.records));
      total_deleted += found->second.records;
    }
    if (table.has_error()) {
      absl::StrAppend(&failures, table.table(), ": ", ForTerminal(table.error().message()), "\n");
    }
    const bool left_behind = output != nullptr && !output->in_place && !output->path.empty();
    if (left_behind && report.output != "-") {
      absl::StrAppend(&failures, table.table(), ": the incomplete rows are in ", output->path,
                      "; an older file stays as it was\n");
    }
  }
  // Tables share requests, so that the total is less than the column's sum.
  rows.push_back({"total", GroupDigits(total_rows), FormatBytes(total_bytes),
                  GroupDigits(summary.requests().sent()),
                  absl::StrCat("in ", FormatElapsed(Elapsed(summary)))});
  if (deleted) rows.back().push_back(GroupDigits(total_deleted));
  std::string text = FormatTextTable({Alignment::kLeft, Alignment::kRight, Alignment::kRight,
                                      Alignment::kRight, Alignment::kLeft, Alignment::kRight},
                                     rows);
  const v1::RequestCounts& requests = summary.requests();
  if (requests.retries() > 0 || requests.rate_limited() > 0) {
    absl::StrAppend(&text, GroupDigits(requests.retries()), " requests were tried again, ",
                    GroupDigits(requests.rate_limited()), " met the rate limit\n");
  }
  if (summary.has_first_estimate()) {
    absl::StrAppend(&text, "the first estimate was ", FormatEstimate(summary.first_estimate()),
                    " requests\n");
  }
  absl::StrAppend(&text, FormatTimeSpent(summary.time_spent()), failures);
  if (report.updated_since.has_value()) {
    absl::StrAppend(&text, "incremental: what changed since ", FormatSince(*report.updated_since),
                    "\n");
  }
  for (const std::string& note : report.notes) absl::StrAppend(&text, "note: ", note, "\n");
  if (report.in_place) {
    absl::StrAppend(&text, report.into_sink ? "rows are in " : "files are in ", report.output,
                    "\n");
  }
  return text;
}

std::string FormatSummaryJson(const ExtractionReport& report) {
  JsonText json;
  json.BeginObject();
  json.Key("event").String("summary");
  json.Key("status").String(ExitName(report.outcome.code));
  json.Key("exit_code").Int(static_cast<int>(report.outcome.code));
  json.Key("message").String(report.outcome.message);
  int64_t rows = 0;
  int64_t bytes = 0;
  for (const TableOutputs::TableOutput& output : report.outputs) {
    rows += output.rows;
    bytes += output.bytes;
  }
  json.Key("rows").Int(rows);
  json.Key("bytes").Int(bytes);
  json.Key("output").String(report.output);
  json.Key("resumable").Bool(report.resumable);
  json.Key("updated_since");
  if (report.updated_since.has_value()) {
    json.String(FormatSince(*report.updated_since));
  } else {
    json.Null();
  }
  json.Key("notes").BeginArray();
  for (const std::string& note : report.notes) json.String(note);
  json.EndArray();
  json.Key("elapsed_seconds");
  if (report.summary.has_value()) {
    json.Double(absl::ToInt64Milliseconds(Elapsed(*report.summary)) / 1000.0);
    json.Key("requests").BeginObject();
    json.Key("sent").Int(report.summary->requests().sent());
    json.Key("retries").Int(report.summary->requests().retries());
    json.Key("rate_limited").Int(report.summary->requests().rate_limited());
    json.Key("bytes_received").Int(report.summary->requests().bytes_received());
    json.EndObject();
    json.Key("plan");
    AppendPlan(report.summary->plan(), &json);
    json.Key("first_estimate");
    if (report.summary->has_first_estimate()) {
      AppendEstimate(report.summary->first_estimate(), &json);
    } else {
      json.Null();
    }
    json.Key("time_spent").BeginObject();
    const v1::TimeSpent& spent = report.summary->time_spent();
    json.Key("quota_seconds").Double(Rounded(spent.quota()));
    json.Key("intercom_seconds").Double(Rounded(spent.intercom()));
    json.Key("consumer_seconds").Double(Rounded(spent.consumer()));
    json.Key("cpu_seconds").Double(Rounded(spent.cpu()));
    json.EndObject();
  } else {
    json.Null();
    json.Key("requests").Null();
  }
  json.Key("tables").BeginArray();
  if (report.summary.has_value()) {
    for (const v1::TableSummary& table : report.summary->tables()) {
      AppendTable(report, table.table(), &table, &json);
    }
  } else {
    for (const TableOutputs::TableOutput& output : report.outputs) {
      AppendTable(report, output.table, nullptr, &json);
    }
  }
  json.EndArray();
  json.Key("notices").BeginArray();
  if (report.summary.has_value()) {
    for (const v1::NoticeCount& notice : report.summary->notices()) {
      json.BeginObject();
      json.Key("table").String(notice.table());
      json.Key("code").String(
          absl::StripPrefix(v1::NoticeCode_Name(notice.code()), "NOTICE_CODE_"));
      json.Key("count").Int(notice.count());
      json.EndObject();
    }
  }
  json.EndArray();
  json.EndObject();
  return absl::StrCat(json.text(), "\n");
}

}  // namespace intercom_extractor

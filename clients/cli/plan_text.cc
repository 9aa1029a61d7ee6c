#include "clients/cli/plan_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "clients/cli/console.h"
#include "clients/cli/progress_text.h"
#include "clients/cli/text_table.h"

namespace intercom_extractor {
namespace {

std::string WayPhrase(v1::ReadWay way) {
  switch (way) {
    case v1::READ_WAY_LIST:
      return "list";
    case v1::READ_WAY_WINDOWS:
      return "windows, in parallel";
    case v1::READ_WAY_SCROLL:
      return "company scroll";
    case v1::READ_WAY_PER_RECORD:
      return "one per record";
    case v1::READ_WAY_PER_SEGMENT:
      return "one search per segment";
    case v1::READ_WAY_LOOKUP:
      return "look-up by ids";
    default:
      return "";
  }
}

std::string WayName(v1::ReadWay way) {
  const std::string name = v1::ReadWay_Name(way);
  return absl::AsciiStrToLower(absl::StripPrefix(name, "READ_WAY_"));
}

// Rounded up: a run of half a second is not one of none.
std::string Elapsed(const google::protobuf::Duration& duration) {
  return FormatElapsed(absl::Seconds(duration.seconds() + (duration.nanos() > 0 ? 1 : 0)));
}

double Seconds(const google::protobuf::Duration& duration) {
  const double seconds =
      static_cast<double>(duration.seconds()) + static_cast<double>(duration.nanos()) / 1e9;
  return std::round(seconds * 1000) / 1000;
}

std::string FormatDuration(const v1::PlanExtractionResponse& response) {
  if (!response.plan().has_duration()) {
    return "Intercom states no quota, so nothing can be said about the time\n";
  }
  const v1::DurationEstimate& duration = response.plan().duration();
  const std::string min = Elapsed(duration.min());
  const std::string max = Elapsed(duration.max());
  std::string text = absl::StrCat("time: about ", Elapsed(duration.likely()));
  if (min != max) absl::StrAppend(&text, " (", min, " to ", max, ")");
  absl::StrAppend(&text, ", as the quota of ", GroupDigits(response.quota().limit()),
                  " requests per window less the reserve allows\n");
  return text;
}

}  // namespace

std::string FormatEstimate(const v1::CountEstimate& estimate) {
  if (estimate.min() == estimate.max()) return GroupDigits(estimate.likely());
  return absl::StrCat("about ", GroupDigits(estimate.likely()), " (", GroupDigits(estimate.min()),
                      " to ", GroupDigits(estimate.max()), ")");
}

std::string FormatPlanText(const v1::PlanExtractionResponse& response) {
  const v1::ExtractionPlan& plan = response.plan();
  std::vector<std::vector<std::string>> operations = {{"operation", "requests", "how"}};
  for (const v1::PlannedRequests& line : plan.requests()) {
    std::string how = WayPhrase(line.way());
    if (!line.reason().empty()) absl::StrAppend(&how, ": ", ForTerminal(line.reason()));
    operations.push_back({line.operation(), FormatEstimate(line.requests()), how});
  }
  operations.push_back({"total", FormatEstimate(plan.total()), ""});
  // Tables share requests, so that this column's sum is more than the total.
  std::vector<std::vector<std::string>> tables = {{"table", "requests", "rows"}};
  for (const v1::TablePlan& table : plan.tables()) {
    tables.push_back({table.table(), FormatEstimate(table.requests()),
                      table.has_rows() ? FormatEstimate(table.rows()) : ""});
  }
  const std::vector<Alignment> columns(3, Alignment::kLeft);
  return absl::StrCat(FormatTextTable(columns, operations), "\n", FormatTextTable(columns, tables),
                      "\n", FormatDuration(response), "Planning took ",
                      GroupDigits(response.requests().sent()), " requests. No rows were read.\n");
}

void AppendEstimate(const v1::CountEstimate& estimate, JsonText* json) {
  json->BeginObject();
  json->Key("min").Int(estimate.min());
  json->Key("likely").Int(estimate.likely());
  json->Key("max").Int(estimate.max());
  json->EndObject();
}

void AppendPlan(const v1::ExtractionPlan& plan, JsonText* json) {
  json->BeginObject();
  json->Key("total");
  AppendEstimate(plan.total(), json);
  json->Key("duration_seconds");
  if (plan.has_duration()) {
    json->BeginObject();
    json->Key("min").Double(Seconds(plan.duration().min()));
    json->Key("likely").Double(Seconds(plan.duration().likely()));
    json->Key("max").Double(Seconds(plan.duration().max()));
    json->EndObject();
  } else {
    json->Null();
  }
  json->Key("requests").BeginArray();
  for (const v1::PlannedRequests& line : plan.requests()) {
    json->BeginObject();
    json->Key("operation").String(line.operation());
    json->Key("way").String(WayName(line.way()));
    json->Key("tables").BeginArray();
    for (const std::string& table : line.tables()) json->String(table);
    json->EndArray();
    json->Key("requests");
    AppendEstimate(line.requests(), json);
    json->Key("reason").String(line.reason());
    json->EndObject();
  }
  json->EndArray();
  json->Key("tables").BeginArray();
  for (const v1::TablePlan& table : plan.tables()) {
    json->BeginObject();
    json->Key("table").String(table.table());
    json->Key("requests");
    AppendEstimate(table.requests(), json);
    json->Key("rows");
    if (table.has_rows()) {
      AppendEstimate(table.rows(), json);
    } else {
      json->Null();
    }
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

}  // namespace intercom_extractor

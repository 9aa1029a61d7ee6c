#include "clients/cli/plan_command.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clients/cli/incremental_flags.h"
#include "clients/cli/json_text.h"
#include "clients/cli/plan_text.h"
#include "clients/cli/server_errors.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

Outcome RunPlan(const PlanOptions& options, ExtractorApi* api, const Console& console) {
  v1::PlanExtractionRequest request;
  request.set_connection(options.connection.connection);
  request.set_template_(options.table_template);
  for (const std::string& table : options.tables) request.add_tables(table);
  request.set_body_format(options.body_format);
  const IncrementalOptions& incremental = options.incremental;
  if (incremental.since.has_value()) {
    request.mutable_updated_since()->set_seconds(absl::ToUnixSeconds(*incremental.since));
    request.set_find_deleted(incremental.find_deleted);
  }
  const auto response = api->PlanExtraction(request);
  if (!response.ok()) {
    return CallOutcome(response.status(), *api->interrupt(), options.connection);
  }
  std::string text;
  if (options.json) {
    JsonText json;
    json.BeginObject();
    json.Key("connection").String(options.connection.connection);
    json.Key("updated_since");
    if (incremental.since.has_value()) {
      json.String(FormatSince(*incremental.since));
    } else {
      json.Null();
    }
    json.Key("find_deleted").Bool(request.find_deleted());
    json.Key("plan");
    AppendPlan(response->plan(), &json);
    json.Key("requests_made").Int(response->requests().sent());
    json.EndObject();
    text = absl::StrCat(json.text(), "\n");
  } else {
    if (incremental.since.has_value()) {
      text = absl::StrCat("incremental: what changed since ", FormatSince(*incremental.since),
                          request.find_deleted() ? ", and what was deleted" : "", "\n\n");
    }
    absl::StrAppend(&text, FormatPlanText(*response));
  }
  if (!console.out(text)) return {ExitCode::kOutput, "cannot write to standard output"};
  return {};
}

}  // namespace intercom_extractor

#include "clients/cli/check_command.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "clients/cli/json_text.h"
#include "clients/cli/server_errors.h"
#include "clients/cli/text_table.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// For people, then for programs.
struct AccessName {
  const char* text;
  const char* json;
};

AccessName NameOf(v1::TableAccess access) {
  switch (access) {
    case v1::TABLE_ACCESS_OK:
      return {"ok", "ok"};
    case v1::TABLE_ACCESS_MISSING_SCOPE:
      return {"missing scope", "missing_scope"};
    case v1::TABLE_ACCESS_NOT_ON_PLAN:
      return {"not on this plan", "not_on_plan"};
    default:
      return {"unknown", "unknown"};
  }
}

std::string OrUnknown(const std::string& value) {
  return value.empty() ? "unknown" : ForTerminal(value);
}

std::string FormatText(const CheckOptions& options, const v1::CheckConnectionResponse& response) {
  const v1::Workspace& workspace = response.workspace();
  const std::string name =
      workspace.id_code().empty()
          ? OrUnknown(workspace.name())
          : absl::StrCat(OrUnknown(workspace.name()), " (", ForTerminal(workspace.id_code()), ")");
  const std::string quota =
      response.has_quota() ? absl::StrCat(response.quota().limit(), " requests per window, ",
                                          response.quota().remaining(), " left in the present one")
                           : "not stated by Intercom";
  std::string text = FormatTextTable({Alignment::kLeft, Alignment::kLeft},
                                     {{"connection", options.connection.connection},
                                      {"workspace", name},
                                      {"region", OrUnknown(workspace.region())},
                                      {"time zone", OrUnknown(workspace.time_zone())},
                                      {"API version", OrUnknown(response.api_version())},
                                      {"quota", quota}});
  std::vector<std::vector<std::string>> rows;
  for (const v1::TableCheck& table : response.tables()) {
    rows.push_back({table.table(), NameOf(table.access()).text, ForTerminal(table.message())});
  }
  return absl::StrCat(
      text, "\n", FormatTextTable({Alignment::kLeft, Alignment::kLeft, Alignment::kLeft}, rows));
}

std::string FormatJson(const CheckOptions& options, const v1::CheckConnectionResponse& response) {
  JsonText json;
  json.BeginObject();
  json.Key("connection").String(options.connection.connection);
  json.Key("workspace").BeginObject();
  json.Key("id_code").String(response.workspace().id_code());
  json.Key("name").String(response.workspace().name());
  json.Key("region").String(response.workspace().region());
  json.Key("time_zone").String(response.workspace().time_zone());
  json.EndObject();
  json.Key("api_version").String(response.api_version());
  json.Key("quota");
  if (response.has_quota()) {
    json.BeginObject();
    json.Key("limit").Int(response.quota().limit());
    json.Key("remaining").Int(response.quota().remaining());
    json.EndObject();
  } else {
    json.Null();
  }
  json.Key("tables").BeginArray();
  for (const v1::TableCheck& table : response.tables()) {
    json.BeginObject();
    json.Key("table").String(table.table());
    json.Key("access").String(NameOf(table.access()).json);
    json.Key("message").String(table.message());
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return absl::StrCat(json.text(), "\n");
}

}  // namespace

Outcome RunCheck(const CheckOptions& options, ExtractorApi* api, const Console& console) {
  v1::CheckConnectionRequest request;
  request.set_connection(options.connection.connection);
  const auto response = api->CheckConnection(request);
  if (!response.ok()) {
    return CallOutcome(response.status(), *api->interrupt(), options.connection);
  }
  if (!console.out(options.json ? FormatJson(options, *response)
                                : FormatText(options, *response))) {
    return {ExitCode::kOutput, "cannot write to standard output"};
  }
  Outcome outcome;
  outcome.code = ExitCodeForCheck(*response);
  if (outcome.code == ExitCode::kPartial) {
    int unreadable = 0;
    for (const v1::TableCheck& table : response->tables()) {
      unreadable += table.access() != v1::TABLE_ACCESS_OK ? 1 : 0;
    }
    outcome.message = absl::StrCat(unreadable, " of ", response->tables_size(),
                                   " tables cannot be read for sure; their lines say what to do");
  }
  return outcome;
}

}  // namespace intercom_extractor

#include "clients/cli/tables_command.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "clients/cli/console.h"
#include "clients/cli/json_text.h"
#include "clients/cli/server_errors.h"
#include "clients/cli/table_selection.h"
#include "clients/cli/text_table.h"
#include "intercom/extractor/v1/annotations.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// "COLUMN_FORMAT_UNIX_SECONDS" as "unix_seconds".
std::string EnumWord(const std::string& name, absl::string_view prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

std::string TypeName(v1::ColumnType type) {
  return EnumWord(v1::ColumnType_Name(type), "COLUMN_TYPE_");
}

// Empty when the format says no more than the type.
std::string FormatName(v1::ColumnFormat format) {
  if (format == v1::COLUMN_FORMAT_UNSPECIFIED) return "";
  return EnumWord(v1::ColumnFormat_Name(format), "COLUMN_FORMAT_");
}

std::string TemplateName(v1::Template value) {
  return EnumWord(v1::Template_Name(value), "TEMPLATE_");
}

std::string DerivationName(v1::Derivation derivation) {
  return EnumWord(v1::Derivation_Name(derivation), "DERIVATION_");
}

// Where a column's values come from.
std::string Origin(const v1::Column& column) {
  if (column.has_constant()) return absl::StrCat("always ", column.constant());
  const std::string paths = absl::StrJoin(column.paths(), ", ");
  if (column.derivation() != v1::DERIVATION_UNSPECIFIED) {
    const std::string rule = absl::StrCat("rule ", DerivationName(column.derivation()));
    return paths.empty() ? rule : absl::StrCat(rule, " of ", paths);
  }
  return paths.empty() ? "always null" : paths;
}

// Empty where nothing is done.
std::string PrivacyName(v1::PrivacyAction action) {
  if (action == v1::PRIVACY_ACTION_UNSPECIFIED) return "";
  return EnumWord(v1::PrivacyAction_Name(action), "PRIVACY_ACTION_");
}

// What happens to a column's values, and to members of it by name.
std::string Privacy(const v1::ColumnDescription& column) {
  std::vector<std::string> parts;
  if (column.privacy() != v1::PRIVACY_ACTION_UNSPECIFIED) {
    parts.push_back(PrivacyName(column.privacy()));
  }
  for (const v1::AttributePrivacy& attribute : column.attributes()) {
    parts.push_back(
        absl::StrCat(ForTerminal(attribute.name()), ": ", PrivacyName(attribute.privacy())));
  }
  return absl::StrJoin(parts, ", ");
}

std::string FormatTable(const v1::TableDescription& description) {
  const v1::Table& table = description.table();
  std::string text = absl::StrCat(table.name(), "\n");
  std::vector<std::vector<std::string>> facts;
  if (!table.description().empty()) facts.push_back({"  what", table.description()});
  facts.push_back({"  key", absl::StrJoin(table.key(), ", ")});
  if (!table.parent().empty()) facts.push_back({"  parent", table.parent()});
  facts.push_back({"  template", TemplateName(table.template_())});
  facts.push_back({"  endpoint", table.endpoint()});
  absl::StrAppend(&text, FormatTextTable({Alignment::kLeft, Alignment::kLeft}, facts));

  // Of interest only where there is something.
  const bool privacy =
      std::any_of(description.columns().begin(), description.columns().end(),
                  [](const v1::ColumnDescription& column) { return !Privacy(column).empty(); });
  std::vector<std::vector<std::string>> rows = {
      {"  column", "type", "format", "kind", "refers to", "from"}};
  if (privacy) rows[0].insert(rows[0].begin() + 1, "privacy");
  for (const v1::ColumnDescription& column : description.columns()) {
    rows.push_back({absl::StrCat("  ", column.name()), TypeName(column.type()),
                    FormatName(column.column().format()),
                    column.documented() ? "documented" : "extension",
                    absl::StrJoin(column.column().references(), ", "), Origin(column.column())});
    if (privacy) rows.back().insert(rows.back().begin() + 1, Privacy(column));
  }
  const std::vector<Alignment> left(rows[0].size(), Alignment::kLeft);
  return absl::StrCat(text, "\n", FormatTextTable(left, rows));
}

template <typename Strings>
void AppendStrings(const Strings& strings, JsonText* json) {
  json->BeginArray();
  for (const auto& text : strings) json->String(text);
  json->EndArray();
}

void StringOrNull(const std::string& text, JsonText* json) {
  if (text.empty()) {
    json->Null();
  } else {
    json->String(text);
  }
}

std::string FormatJson(const std::vector<v1::TableDescription>& tables) {
  JsonText json;
  json.BeginObject();
  json.Key("tables").BeginArray();
  for (const v1::TableDescription& description : tables) {
    const v1::Table& table = description.table();
    json.BeginObject();
    json.Key("table").String(table.name());
    json.Key("description").String(table.description());
    json.Key("template").String(TemplateName(table.template_()));
    AppendStrings(table.key(), &json.Key("key"));
    StringOrNull(table.parent(), &json.Key("parent"));
    json.Key("endpoint").String(table.endpoint());
    json.Key("row_message").String(description.row_message());
    json.Key("columns").BeginArray();
    for (const v1::ColumnDescription& column : description.columns()) {
      json.BeginObject();
      json.Key("column").String(column.name());
      json.Key("number").Int(column.number());
      json.Key("type").String(TypeName(column.type()));
      StringOrNull(FormatName(column.column().format()), &json.Key("format"));
      json.Key("documented").Bool(column.documented());
      json.Key("primary_key").Bool(column.column().primary_key());
      AppendStrings(column.column().paths(), &json.Key("paths"));
      json.Key("constant");
      if (column.column().has_constant()) {
        json.String(column.column().constant());
      } else {
        json.Null();
      }
      const v1::Derivation derivation = column.column().derivation();
      StringOrNull(derivation == v1::DERIVATION_UNSPECIFIED ? "" : DerivationName(derivation),
                   &json.Key("derivation"));
      AppendStrings(column.column().references(), &json.Key("references"));
      json.Key("description").String(column.column().description());
      StringOrNull(PrivacyName(column.privacy()), &json.Key("privacy"));
      if (!column.attributes().empty()) {
        json.Key("attributes").BeginObject();
        for (const v1::AttributePrivacy& attribute : column.attributes()) {
          json.Key(attribute.name()).String(PrivacyName(attribute.privacy()));
        }
        json.EndObject();
      }
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return absl::StrCat(json.text(), "\n");
}

}  // namespace

Outcome RunTables(const TablesOptions& options, ExtractorApi* api, const Console& console) {
  const auto response = api->ListTables(options.of_connection ? options.connection.connection : "");
  if (!response.ok()) {
    return CallOutcome(response.status(), *api->interrupt(), options.connection);
  }
  const v1::Template wanted = options.table_template == v1::TEMPLATE_UNSPECIFIED
                                  ? v1::TEMPLATE_ALL
                                  : options.table_template;
  const std::vector<v1::TableDescription> tables = SelectTables(*response, wanted, {}).tables;
  std::string text;
  if (options.json) {
    text = FormatJson(tables);
  } else {
    for (const v1::TableDescription& table : tables) {
      absl::StrAppend(&text, text.empty() ? "" : "\n", FormatTable(table));
    }
  }
  if (!console.out(text)) return {ExitCode::kOutput, "cannot write to standard output"};
  return {};
}

}  // namespace intercom_extractor

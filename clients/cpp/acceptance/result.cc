#include "clients/cpp/acceptance/result.h"

#include <cstdio>
#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clients/cpp/errors.h"
#include "google/protobuf/util/json_util.h"

namespace intercom_extractor {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

Value Text(const std::string& text) {
  Value value;
  value.set_string_value(text);
  return value;
}

Value Number(double number) {
  Value value;
  value.set_number_value(number);
  return value;
}

Value Null() {
  Value value;
  value.set_null_value(google::protobuf::NULL_VALUE);
  return value;
}

Value Failure(const absl::Status& error) {
  const ErrorDetails details = DetailsOf(error);
  const std::string code = absl::StatusCodeToString(error.code());
  Value value;
  auto& fields = *value.mutable_struct_value()->mutable_fields();
  // What callers tell errors apart by.
  fields["type"] = Text(RefusesResumeToken(error) ? "RefusesResumeToken" : code);
  fields["code"] = Text(code);
  fields["reason"] = Text(details.reason);
  fields["message"] = Text(std::string(error.message()));
  auto& metadata = *fields["metadata"].mutable_struct_value()->mutable_fields();
  for (const auto& [name, text] : details.metadata) metadata[name] = Text(text);
  fields["retry_delay_seconds"] = details.retry_delay.has_value()
                                      ? Number(absl::ToDoubleSeconds(*details.retry_delay))
                                      : Null();
  return value;
}

}  // namespace

absl::StatusOr<std::string> AsJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) {
    return absl::InternalError(absl::StrCat("no JSON for a ", message.GetTypeName()));
  }
  return text;
}

absl::Status WriteWhole(const std::string& path, const std::string& content) {
  const std::string unfinished = path + ".unfinished";
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file || std::rename(unfinished.c_str(), path.c_str()) != 0) {
    return absl::InternalError(absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

void Result::Set(const std::string& name, const google::protobuf::Message& message) {
  Value& value = (*said_.mutable_fields())[name];
  const auto text = AsJson(message);
  // Without it the suite misses the value.
  if (!text.ok() ||
      !google::protobuf::util::JsonStringToMessage(*text, value.mutable_struct_value()).ok()) {
    value = Null();
  }
}

void Result::OnRestart(const v1::TableRestarted& restarted) {
  auto& fields = *restarts_.add_values()->mutable_struct_value()->mutable_fields();
  fields["table"] = Text(restarted.table());
  fields["generation"] = Number(restarted.generation());
}

void Result::OnNotice(const v1::Notice& notice) {
  auto& fields = *notices_.add_values()->mutable_struct_value()->mutable_fields();
  fields["code"] = Text(v1::NoticeCode_Name(notice.code()));
  fields["table"] = Text(notice.table());
}

void Result::OnEnd(const absl::Status& error, const std::string& resume_token, int reconnects) {
  auto& fields = *said_.mutable_fields();
  fields["error"] = error.ok() ? Null() : Failure(error);
  fields["resume_token"] = resume_token.empty() ? Null() : Text(absl::Base64Escape(resume_token));
  fields["reconnects"] = Number(reconnects);
}

absl::Status Result::Write(const std::string& path) const {
  Struct whole = said_;
  auto& fields = *whole.mutable_fields();
  for (const char* name : {"response", "summary", "error", "resume_token"}) {
    if (fields.find(name) == fields.end()) fields[name] = Null();
  }
  auto& rows = *fields["rows"].mutable_struct_value()->mutable_fields();
  for (const auto& [table, count] : rows_) rows[table] = Number(static_cast<double>(count));
  fields["checkpoints"] = Number(static_cast<double>(checkpoints_));
  fields["progress"] = Number(static_cast<double>(progress_));
  *fields["restarts"].mutable_list_value() = restarts_;
  *fields["notices"].mutable_list_value() = notices_;
  const auto text = AsJson(whole);
  return text.ok() ? WriteWhole(path, *text) : text.status();
}

}  // namespace intercom_extractor

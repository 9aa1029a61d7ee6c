#include "clients/cpp/acceptance/scenario.h"

#include <fstream>
#include <sstream>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace intercom_extractor {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

// What an object has under a name; null where that is missing.
const Value& Get(const Struct& object, const std::string& name) {
  const auto found = object.fields().find(name);
  return found == object.fields().end() ? Value::default_instance() : found->second;
}

// Empty for null.
std::string Text(const Struct& object, const std::string& name) {
  return Get(object, name).string_value();
}

std::optional<int64_t> Number(const Struct& object, const std::string& name) {
  const Value& value = Get(object, name);
  if (!value.has_number_value()) return std::nullopt;
  return static_cast<int64_t>(value.number_value());
}

absl::StatusOr<v1::ExtractRequest> ReadRequest(const Struct& said) {
  v1::ExtractRequest request;
  const std::string name = Text(said, "template");
  v1::Template chosen = v1::TEMPLATE_UNSPECIFIED;
  if (!name.empty() &&
      !v1::Template_Parse(absl::StrCat("TEMPLATE_", absl::AsciiStrToUpper(name)), &chosen)) {
    return absl::InvalidArgumentError(absl::StrCat("no such template: ", name));
  }
  request.set_template_(chosen);
  for (const Value& table : Get(said, "tables").list_value().values()) {
    request.add_tables(table.string_value());
  }
  if (const auto since = Number(said, "updated_since"); since.has_value()) {
    request.mutable_updated_since()->set_seconds(*since);
  }
  request.set_find_deleted(Get(said, "find_deleted").bool_value());
  if (!absl::Base64Unescape(Text(said, "resume_token"), request.mutable_resume_token())) {
    return absl::InvalidArgumentError("the resume token is no base64");
  }
  return request;
}

}  // namespace

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  // Of an empty file nothing can be copied, which is no failure.
  if (file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  if (!file.is_open()) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return content.str();
}

absl::StatusOr<Scenario> ReadScenario(const std::string& path) {
  const auto text = ReadWhole(path);
  if (!text.ok()) return text.status();
  Struct said;
  if (!google::protobuf::util::JsonStringToMessage(*text, &said).ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no scenario"));
  }
  Scenario scenario;
  scenario.action = Text(said, "action");
  scenario.result = Text(said, "result");
  scenario.output = Text(said, "output");
  scenario.connect.target = Text(said, "target");
  scenario.connect.caller_token = Text(said, "token");
  const Struct& tls = Get(said, "tls").struct_value();
  scenario.connect.ca_file = Text(tls, "ca");
  scenario.connect.cert_file = Text(tls, "cert");
  scenario.connect.key_file = Text(tls, "key");
  auto request = ReadRequest(Get(said, "request").struct_value());
  if (!request.ok()) return request.status();
  scenario.request = *std::move(request);
  scenario.request.set_connection(Text(said, "connection"));
  if (Text(said, "delivery") == "at_least_once") scenario.delivery = Delivery::kAtLeastOnce;
  if (const Value& seconds = Get(said, "deadline_seconds"); seconds.has_number_value()) {
    scenario.deadline = absl::Now() + absl::Seconds(seconds.number_value());
  }
  scenario.stop_after_rows = Number(said, "stop_after_rows");
  scenario.stop_after_checkpoints = Number(said, "stop_after_checkpoints");
  if (const Value& pause = Get(said, "pause"); pause.has_struct_value()) {
    scenario.pause =
        Scenario::Pause{Number(pause.struct_value(), "after_rows").value_or(0),
                        absl::Seconds(Get(pause.struct_value(), "seconds").number_value())};
  }
  for (const Value& value : Get(said, "files").list_value().values()) {
    const Struct& file = value.struct_value();
    scenario.files.push_back({Text(file, "message"), Text(file, "bytes"), Text(file, "json")});
  }
  return scenario;
}

}  // namespace intercom_extractor

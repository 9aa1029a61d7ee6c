// The acceptance suite's driver: tests/clients/README.md says what it must do.

#include <iostream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "clients/cpp/acceptance/extract_scenario.h"
#include "clients/cpp/acceptance/result.h"
#include "clients/cpp/acceptance/scenario.h"
#include "clients/cpp/client.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

// What one answer ends.
template <typename Response>
absl::Status WriteAnswer(const absl::StatusOr<Response>& answer, const Scenario& scenario) {
  Result result;
  if (answer.ok()) result.OnResponse(*answer);
  result.OnEnd(answer.status(), /*resume_token=*/"", /*reconnects=*/0);
  return result.Write(scenario.result);
}

absl::Status ListTables(const Client& client, const Scenario& scenario) {
  v1::ListTablesRequest request;
  request.set_template_(scenario.request.template_());
  return WriteAnswer(client.ListTables(request), scenario);
}

absl::Status Check(const Client& client, const Scenario& scenario) {
  v1::CheckConnectionRequest request;
  request.set_connection(scenario.request.connection());
  return WriteAnswer(client.CheckConnection(request), scenario);
}

absl::Status Plan(const Client& client, const Scenario& scenario) {
  v1::PlanExtractionRequest request;
  request.set_connection(scenario.request.connection());
  request.set_template_(scenario.request.template_());
  *request.mutable_tables() = scenario.request.tables();
  return WriteAnswer(client.PlanExtraction(request), scenario);
}

absl::Status Decode(const Scenario& scenario) {
  for (const Scenario::File& file : scenario.files) {
    const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
        absl::StrCat("intercom.extractor.v1.", file.message));
    if (type == nullptr) return absl::NotFoundError(absl::StrCat("no message ", file.message));
    const std::unique_ptr<google::protobuf::Message> message(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    const auto bytes = ReadWhole(file.bytes);
    if (!bytes.ok()) return bytes.status();
    if (!message->ParseFromString(*bytes)) return absl::DataLossError(file.bytes);
    const auto json = AsJson(*message);
    if (!json.ok()) return json.status();
    if (absl::Status status = WriteWhole(file.json, *json); !status.ok()) return status;
  }
  return Result().Write(scenario.result);
}

absl::Status Run(const std::string& path) {
  const auto scenario = ReadScenario(path);
  if (!scenario.ok()) return scenario.status();
  if (scenario->action == "decode") return Decode(*scenario);
  const auto client = Client::Connect(scenario->connect);
  if (!client.ok()) return client.status();
  if (scenario->action == "tables") return ListTables(*client, *scenario);
  if (scenario->action == "check") return Check(*client, *scenario);
  if (scenario->action == "plan") return Plan(*client, *scenario);
  if (scenario->action == "extract") return ExtractScenario(*scenario, *client).Run();
  return absl::InvalidArgumentError(absl::StrCat("no such action: ", scenario->action));
}

}  // namespace
}  // namespace intercom_extractor

int main(int argc, char** argv) {
  const absl::Status status = argc == 2 ? intercom_extractor::Run(argv[1])
                                        : absl::InvalidArgumentError("usage: driver SCENARIO");
  if (status.ok()) return 0;
  std::cerr << status << "\n";
  return 1;
}

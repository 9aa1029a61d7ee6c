#ifndef CLIENTS_CPP_SCRIPTED_EXTRACTOR_H_
#define CLIENTS_CPP_SCRIPTED_EXTRACTOR_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/channel.h"
#include "clients/cpp/client.h"
#include "clients/cpp/event_script.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/sync_stream.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// An extractor with a script instead of an Intercom, in this process and on no port. Set
// the script before the first call.
class ScriptedExtractor : public v1::ExtractorService::Service, public EventScript {
 public:
  ScriptedExtractor() {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~ScriptedExtractor() override { Stop(); }

  // A client with the token "caller-secret"; it must be gone before this is.
  Client NewClient() {
    return Client(server_->InProcessChannel(ClientChannelArguments()), "caller-secret");
  }

  // Ends all calls and waits for them. Idempotent.
  void Stop() {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  // What was scripted so far is for one call of Extract; what follows is for the
  // next one. Calls after the last script get that again.
  void NextCall() {
    earlier_.push_back({std::move(events), status, std::move(after_events)});
    events.clear();
    status = grpc::Status();
    after_events = nullptr;
  }

  // Forgets all scripts and calls.
  void Forget() {
    earlier_.clear();
    events.clear();
    status = grpc::Status();
    after_events = nullptr;
    requests.clear();
  }

  grpc::Status ListTables(grpc::ServerContext* context, const v1::ListTablesRequest* request,
                          v1::ListTablesResponse* response) override {
    NoteCaller(*context);
    connection = request->connection();
    *response = tables;
    return list_status;
  }

  grpc::Status CheckConnection(grpc::ServerContext* context,
                               const v1::CheckConnectionRequest* request,
                               v1::CheckConnectionResponse* response) override {
    NoteCaller(*context);
    connection = request->connection();
    *response = check;
    return status;
  }
  grpc::Status PlanExtraction(grpc::ServerContext* context,
                              const v1::PlanExtractionRequest* plan_request,
                              v1::PlanExtractionResponse* response) override {
    NoteCaller(*context);
    connection = plan_request->connection();
    planned = *plan_request;
    *response = plan;
    return status;
  }

  grpc::Status ListExtractions(grpc::ServerContext* context,
                               const v1::ListExtractionsRequest* list_request,
                               v1::ListExtractionsResponse* response) override {
    NoteCaller(*context);
    connection = list_request->connection();
    *response = extractions;
    return list_status;
  }

  grpc::Status Extract(grpc::ServerContext* context, const v1::ExtractRequest* extract_request,
                       grpc::ServerWriter<v1::ExtractResponse>* writer) override {
    NoteCaller(*context);
    request = *extract_request;
    requests.push_back(request);
    if (requests.size() <= earlier_.size()) {
      return Play(earlier_[requests.size() - 1], context, writer);
    }
    return Play({events, status, after_events}, context, writer);
  }

  // The script, besides the events.
  v1::ListTablesResponse tables;
  grpc::Status list_status;
  v1::CheckConnectionResponse check;
  v1::PlanExtractionResponse plan;
  v1::ListExtractionsResponse extractions;
  std::function<void(grpc::ServerContext*)> after_events;
  grpc::Status status;  // How CheckConnection and Extract end.

  // What was asked, for after the call.
  v1::ExtractRequest request;
  std::vector<v1::ExtractRequest> requests;  // Of all calls of Extract.
  v1::PlanExtractionRequest planned;
  std::string connection;
  std::string authorization;

 private:
  struct Script {
    std::vector<v1::ExtractResponse> events;
    grpc::Status status;
    std::function<void(grpc::ServerContext*)> after_events;
  };

  static grpc::Status Play(const Script& script, grpc::ServerContext* context,
                           grpc::ServerWriter<v1::ExtractResponse>* writer) {
    for (const v1::ExtractResponse& event : script.events) {
      if (!writer->Write(event)) break;
    }
    if (script.after_events) script.after_events(context);
    return script.status;
  }

  void NoteCaller(const grpc::ServerContext& context) {
    const auto found = context.client_metadata().find("authorization");
    if (found == context.client_metadata().end()) return;
    authorization.assign(found->second.data(), found->second.size());
  }

  std::vector<Script> earlier_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_SCRIPTED_EXTRACTOR_H_

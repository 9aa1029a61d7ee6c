#ifndef CLIENTS_CLI_FAKE_EXTRACTOR_H_
#define CLIENTS_CLI_FAKE_EXTRACTOR_H_

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "clients/cli/console.h"
#include "clients/cli/extractor_api.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/remote_server.h"
#include "clients/cli/test_tables.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/sync_stream.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {

// An extractor with a script instead of an Intercom, in this process and on no
// port. Set the script before the first call.
class FakeExtractor : public v1::ExtractorService::Service {
 public:
  FakeExtractor() : tables(DescribeAllTables()) {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    api = std::make_unique<ExtractorApi>(server_->InProcessChannel(ClientChannelArguments()),
                                         "caller-secret", &interrupt);
    console.out = [this](absl::string_view text) {
      out.append(text.data(), text.size());
      return out_works;
    };
    console.err = [this](absl::string_view text) {
      std::lock_guard<std::mutex> lock(err_mutex_);
      err.append(text.data(), text.size());
    };
    console.columns = [] { return 80; };
  }
  ~FakeExtractor() override {
    api.reset();
    Stop();
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

  // Adds an event to the script.
  v1::ExtractResponse* Add() { return &events.emplace_back(); }

  // Adds a batch of tags whose names are `names`.
  void AddTags(const std::vector<std::string>& names, uint32_t generation = 1) {
    v1::RowBatch* batch = Add()->mutable_row_batch();
    batch->set_table("tags");
    batch->set_generation(generation);
    for (const std::string& name : names) batch->add_tags()->set_name(name);
  }

  // Adds a batch of users with these ids.
  void AddUsers(const std::vector<std::string>& ids, uint32_t generation = 1) {
    v1::RowBatch* batch = Add()->mutable_row_batch();
    batch->set_table("users");
    batch->set_generation(generation);
    for (const std::string& id : ids) batch->add_users()->set_id(id);
  }

  // Adds users that exist, changed or not.
  void AddLivingUsers(const std::vector<std::string>& ids, uint32_t generation = 1) {
    v1::LivingRecords* living = Add()->mutable_living_records();
    living->set_table("users");
    living->set_generation(generation);
    for (const std::string& id : ids) living->add_ids(id);
  }

  // Adds conversations that were deleted at a second of that number.
  void AddDeletedConversations(const std::vector<std::string>& ids, int64_t deleted_at) {
    v1::DeletedRecords* deleted = Add()->mutable_deleted_records();
    deleted->set_table("conversations");
    for (const std::string& id : ids) {
      v1::DeletedRecords::Record* record = deleted->add_records();
      record->set_id(id);
      record->set_deleted_at(deleted_at);
    }
  }

  // Adds a batch of tags with these ids.
  void AddTagIds(const std::vector<std::string>& ids) {
    v1::RowBatch* batch = Add()->mutable_row_batch();
    batch->set_table("tags");
    batch->set_generation(1);
    for (const std::string& id : ids) batch->add_tags()->set_id(id);
  }

  // Adds a checkpoint with the token "token <number>" that covers so many rows of
  // tables.
  void AddCheckpoint(int64_t number, const std::map<std::string, int64_t>& rows,
                     uint32_t generation = 1) {
    v1::Checkpoint* checkpoint = Add()->mutable_checkpoint();
    checkpoint->set_number(number);
    checkpoint->set_resume_token("token " + std::to_string(number));
    for (const auto& [table, count] : rows) {
      v1::TableRows* covered = checkpoint->add_rows();
      covered->set_table(table);
      covered->set_rows(count);
      covered->set_generation(generation);
    }
  }

  void AddRestart(const std::string& table, uint32_t generation) {
    v1::TableRestarted* restarted = Add()->mutable_table_restarted();
    restarted->set_table(table);
    restarted->set_generation(generation);
    restarted->set_reason("the scroll expired");
  }

  // Adds the summary, if there is none yet, and a table to it.
  v1::TableSummary* AddSummary(const std::string& table, v1::TableStatus status, int64_t rows) {
    if (events.empty() || !events.back().has_summary()) Add();
    v1::TableSummary* summary = events.back().mutable_summary()->add_tables();
    summary->set_table(table);
    summary->set_status(status);
    summary->set_rows(rows);
    return summary;
  }

  // Says in the summary, which is the last event, when the extraction began.
  void SetStartedAt(int64_t unix_seconds) {
    events.back().mutable_summary()->mutable_started_at()->set_seconds(unix_seconds);
  }

  grpc::Status ListTables(grpc::ServerContext* context, const v1::ListTablesRequest*,
                          v1::ListTablesResponse* response) override {
    NoteCaller(*context);
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

  // The script.
  v1::ListTablesResponse tables;
  grpc::Status list_status;
  v1::CheckConnectionResponse check;
  v1::PlanExtractionResponse plan;
  std::vector<v1::ExtractResponse> events;
  std::function<void(grpc::ServerContext*)> after_events;
  grpc::Status status;  // How CheckConnection and Extract end.

  // What was asked, for after the call.
  v1::ExtractRequest request;
  std::vector<v1::ExtractRequest> requests;  // Of all calls of Extract.
  v1::PlanExtractionRequest planned;
  std::string connection;
  std::string authorization;

  // For the command under test.
  Interrupt interrupt;
  std::unique_ptr<ExtractorApi> api;
  Console console;
  bool out_works = true;
  std::string out;
  std::string err;

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
  std::mutex err_mutex_;  // The ticker writes, too.
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_FAKE_EXTRACTOR_H_

#ifndef SERVER_SERVER_FIXTURE_H_
#define SERVER_SERVER_FIXTURE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/extractor_server.h"
#include "server/server_config.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

// A whole server with a fake Intercom behind it, and what its tests ask it for.
namespace intercom_extractor {

// What a client reads from an error's details.
struct ErrorDetails {
  std::string reason;
  std::map<std::string, std::string> metadata;
  bool has_retry_info = false;
};

inline ErrorDetails DetailsOf(const grpc::Status& status) {
  ErrorDetails result;
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  for (const auto& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) {
      EXPECT_EQ(info.domain(), "intercom-extractor");
      result.reason = info.reason();
      result.metadata.insert(info.metadata().begin(), info.metadata().end());
    }
    if (any.UnpackTo(&retry)) result.has_retry_info = true;
  }
  return result;
}
struct RawAnswer {
  grpc::Status status;
  std::string bytes;
};

// Sends one message to a method that has no stub here, and reads one.
inline RawAnswer CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                         const std::string& request) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto await = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  await();
  const grpc::Slice slice(request);
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  await();
  call->WritesDone(nullptr);
  await();
  RawAnswer answer;
  grpc::ByteBuffer bytes;
  call->Read(&bytes, nullptr);
  if (await()) {
    grpc::Slice received;
    EXPECT_TRUE(bytes.DumpToSingleSlice(&received).ok());
    answer.bytes.assign(received.begin(), received.end());
  }
  call->Finish(&answer.status, nullptr);
  await();
  return answer;
}

inline RawAnswer CheckHealth(const std::shared_ptr<grpc::Channel>& channel,
                             const std::string& service) {
  return CallRaw(channel, "/grpc.health.v1.Health/Check",
                 "\x0A" + std::string(1, static_cast<char>(service.size())) + service);
}

// `status: SERVING`.
constexpr char kServing[] = "\x08\x01";
class ServerFixture : public ::testing::Test {
 protected:
  ServerFixture() {
    config_.listen = "127.0.0.1:0";
    Connection connection;
    connection.access_token = options_.access_token;
    config_.connections.push_back(connection);
  }

  // Starts the fake Intercom with `options_`, then the server with `config_`.
  void Start(const fake::GeneratorOptions& generator = {}) {
    intercom_ = std::make_unique<fake::FakeIntercom>(
        options_, std::make_shared<fake::GeneratedWorkspace>(generator));
    for (Connection& connection : config_.connections) {
      connection.base_url = intercom_->base_url();
    }
    StartServer();
  }

  void StartServer() {
    auto server = ExtractorServer::Start(config_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    Connect(config_.listen.empty()
                ? server_->InProcessChannel()
                : grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                      grpc::InsecureChannelCredentials()));
  }

  void Connect(std::shared_ptr<grpc::Channel> channel) {
    channel_ = std::move(channel);
    stub_ = v1::ExtractorService::NewStub(channel_);
  }

  std::string StartError() const {
    const auto server = ExtractorServer::Start(config_);
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(server.status().message());
  }

  struct Extracted {
    grpc::Status status;
    std::map<std::string, int64_t> rows;
    v1::Summary summary;
    // The last one.
    std::string resume_token;
  };

  // Adds what tests want each call to show.
  void Prepare(grpc::ClientContext* context) const {
    if (!authorization_.empty()) context->AddMetadata("authorization", authorization_);
  }

  Extracted Extract(const v1::ExtractRequest& request) {
    grpc::ClientContext context;
    Prepare(&context);
    const auto reader = stub_->Extract(&context, request);
    Extracted result;
    v1::ExtractResponse event;
    while (reader->Read(&event)) {
      EXPECT_FALSE(result.summary.tables_size() > 0) << "an event follows the summary";
      if (event.has_summary()) result.summary = event.summary();
      if (event.has_checkpoint()) result.resume_token = event.checkpoint().resume_token();
      if (!event.has_row_batch()) continue;
      const v1::RowBatch& batch = event.row_batch();
      const auto* field = v1::RowBatch::descriptor()->FindFieldByName(batch.table());
      result.rows[batch.table()] += batch.GetReflection()->FieldSize(batch, field);
    }
    result.status = reader->Finish();
    return result;
  }

  Extracted ExtractTable(const std::string& table) {
    v1::ExtractRequest request;
    request.add_tables(table);
    return Extract(request);
  }

  grpc::Status List(v1::ListTablesResponse* response) {
    grpc::ClientContext context;
    Prepare(&context);
    return stub_->ListTables(&context, v1::ListTablesRequest(), response);
  }

  grpc::Status Check(const std::string& connection, v1::CheckConnectionResponse* response) {
    grpc::ClientContext context;
    Prepare(&context);
    v1::CheckConnectionRequest request;
    request.set_connection(connection);
    return stub_->CheckConnection(&context, request, response);
  }

  grpc::Status Plan(const v1::PlanExtractionRequest& request,
                    v1::PlanExtractionResponse* response) {
    grpc::ClientContext context;
    Prepare(&context);
    return stub_->PlanExtraction(&context, request, response);
  }

  fake::FakeIntercomOptions options_;
  ServerConfig config_;
  // Sent as `authorization` with each call; empty: nothing.
  std::string authorization_;
  std::unique_ptr<fake::FakeIntercom> intercom_;
  std::unique_ptr<ExtractorServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ExtractorService::Stub> stub_;
};

}  // namespace intercom_extractor

#endif  // SERVER_SERVER_FIXTURE_H_

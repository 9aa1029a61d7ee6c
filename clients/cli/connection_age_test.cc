// Connections that the server lets become only so old: what began on one goes on over
// the next, and no row is lost or repeated.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cli/command_line.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/extract_command.h"
#include "clients/cli/extractor_api.h"
#include "clients/cli/test_files.h"
#include "clients/cpp/cancellation.h"
#include "clients/cpp/channel.h"
#include "clients/cpp/client.h"
#include "clients/cpp/errors.h"
#include "extractor/intercom/connection.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/extractor_server.h"
#include "server/server_config.h"
#include "tests/end_to_end/resuming_consumer.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

constexpr absl::Duration kAge = absl::Milliseconds(250);
// An extraction of Workspace() lasts for many ages, however fast the machine, and an age for
// several requests.
constexpr std::chrono::milliseconds kLatency(60);
// Further ends would only say the same again.
constexpr int kMostStreams = 200;

// All of which can be continued at any place.
std::vector<std::string> Tables() {
  return {"users", "users_tags", "leads", "conversations", "tags"};
}

fake::GeneratorOptions Workspace() {
  fake::GeneratorOptions generator;
  generator.users = 4000;
  generator.leads = 1000;
  generator.conversations = 3000;
  return generator;
}

class ConnectionAgeTest : public ::testing::Test {
 protected:
  void StartIntercom(const fake::GeneratorOptions& generator, std::chrono::milliseconds latency) {
    fake::FakeIntercomOptions options;
    options.latency = latency;
    intercom_ = std::make_unique<fake::FakeIntercom>(
        options, std::make_shared<fake::GeneratedWorkspace>(generator));
  }

  // `age` zero: connections live on.
  void StartServer(absl::Duration age, absl::Duration grace = absl::Minutes(1)) {
    ServerConfig config;
    config.listen = "127.0.0.1:0";
    if (age > absl::ZeroDuration()) config.max_connection_age = age;
    config.max_connection_age_grace = grace;
    Connection connection;
    connection.base_url = intercom_->base_url();
    connection.access_token = fake::FakeIntercomOptions().access_token;
    config.connections.push_back(connection);
    auto server = ExtractorServer::Start(config);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    connection_.server = absl::StrCat("127.0.0.1:", server_->port());
    ConnectOptions options;
    options.target = connection_.server;
    auto channel = MakeChannel(options);
    ASSERT_TRUE(channel.ok()) << channel.status();
    channel_ = *std::move(channel);
    stub_ = v1::ExtractorService::NewStub(channel_);
  }

  // One stream: goes on from what the consumer has kept. On a busy machine a connection
  // of this age may be closed before its first call arrives; that call brings nothing,
  // and another is made.
  grpc::Status Stream(ResumingConsumer* consumer,
                      const std::vector<std::string>& tables = Tables()) {
    v1::ExtractRequest request;
    for (const std::string& table : tables) request.add_tables(table);
    request.set_resume_token(consumer->token());
    grpc::Status status;
    bool arrived = false;
    for (int calls = 0; !arrived && calls < kMostStreams; ++calls) {
      grpc::ClientContext context;
      const auto reader = stub_->Extract(&context, request);
      v1::ExtractResponse event;
      while (reader->Read(&event)) {
        arrived = true;
        consumer->OnEvent(event);
      }
      status = reader->Finish();
      arrived = arrived || !ErrorReason(FromGrpc(status)).empty();
    }
    return status;
  }

  // Returns when Intercom is no longer asked: the extraction waits for its reader.
  void AwaitStalled() {
    int64_t total = -1;
    for (int unchanged = 0; unchanged < 200;) {
      grpc::ClientContext context;
      v1::ListTablesResponse response;
      stub_->ListTables(&context, v1::ListTablesRequest(), &response);
      const int64_t now = intercom_->stats().total;
      unchanged = now == total && now > 1 ? unchanged + 1 : 0;
      total = now;
    }
  }

  // The command line as it is, but that it waits for nothing.
  Outcome RunCommandLine(const std::string& output, int* waits, std::string* said) {
    ExtractOptions options;
    options.connection = connection_;
    options.tables = Tables();
    options.output = output;
    Cancellation interrupt;
    ExtractorApi api(Client(channel_, /*caller_token=*/""), &interrupt);
    Console console;
    console.out = [](absl::string_view) { return true; };
    console.err = [said](absl::string_view text) { absl::StrAppend(said, text); };
    console.columns = [] { return 80; };
    ExtractTiming timing;
    timing.now = absl::Now;
    timing.wait = [waits](absl::Duration) {
      ++*waits;
      return false;
    };
    timing.random = [] { return 0.0; };
    return RunExtract(options, &api, console, timing);
  }

  // A row may be several lines; their sum is still that of the rows.
  static std::vector<std::string> SortedLines(const std::string& file) {
    std::vector<std::string> lines = absl::StrSplit(ReadAll(file), '\n');
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  TestDirectory directory_;
  std::unique_ptr<fake::FakeIntercom> intercom_;
  std::unique_ptr<ExtractorServer> server_;
  ConnectionOptions connection_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ExtractorService::Stub> stub_;
};

TEST_F(ConnectionAgeTest, ConsumerHasEachRowOnceAfterSeveralConnections) {
  StartIntercom(Workspace(), kLatency);
  StartServer(absl::ZeroDuration());
  ResumingConsumer undisturbed;
  ASSERT_TRUE(Stream(&undisturbed).ok());

  StartServer(kAge);
  ResumingConsumer consumer;
  int ends = 0;
  while (!consumer.complete()) {
    ASSERT_LT(ends, kMostStreams);
    const grpc::Status status = Stream(&consumer);
    if (status.ok()) break;
    ++ends;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ErrorReason(FromGrpc(status)), "CONNECTION_AGE") << status.error_message();
    consumer.Cut();
    // The connection has been told to take no more calls, so that the next call
    // makes another. Returns as soon as that has arrived.
    EXPECT_TRUE(channel_->WaitForStateChange(
        GRPC_CHANNEL_READY, std::chrono::system_clock::now() + std::chrono::seconds(30)));
  }
  EXPECT_GT(ends, 2);
  // Each end came with a checkpoint.
  EXPECT_EQ(consumer.rows_lost_by_cuts(), 0);
  EXPECT_TRUE(consumer.broken_promises().empty()) << consumer.broken_promises().front();
  for (const std::string& table : Tables()) {
    EXPECT_FALSE(undisturbed.Rows(table).empty()) << table;
    EXPECT_TRUE(consumer.Rows(table) == undisturbed.Rows(table)) << table;
  }
}

TEST_F(ConnectionAgeTest, WhatWouldBeginAnewIsReadToItsEndFirst) {
  fake::GeneratorOptions generator = Workspace();
  // A scroll that takes several times as long as the age.
  generator.companies = 2500;
  generator.conversations = 9000;
  StartIntercom(generator, std::chrono::milliseconds(30));
  StartServer(kAge);
  const std::vector<std::string> tables = {"companies", "users_segments", "conversations"};
  ResumingConsumer consumer;
  ASSERT_EQ(Stream(&consumer, tables).error_code(), grpc::StatusCode::UNAVAILABLE);
  consumer.Cut();
  EXPECT_EQ(consumer.Rows("companies").size(), 2500U);
  int ends = 1;
  while (true) {
    const grpc::Status status = Stream(&consumer, tables);
    if (status.ok()) break;
    ASSERT_EQ(ErrorReason(FromGrpc(status)), "CONNECTION_AGE") << status.error_message();
    ASSERT_LT(++ends, kMostStreams);
    consumer.Cut();
  }
  EXPECT_TRUE(consumer.restarts().empty()) << consumer.restarts().front().ShortDebugString();
  EXPECT_TRUE(consumer.broken_promises().empty()) << consumer.broken_promises().front();
  EXPECT_EQ(consumer.Rows("conversations").size(), 9000U);
}

TEST_F(ConnectionAgeTest, WhatWouldBeginAnewIsNotWaitedForLongerThanTheGrace) {
  fake::GeneratorOptions generator;
  generator.companies = 20000;
  StartIntercom(generator, std::chrono::milliseconds(30));
  StartServer(kAge, absl::Milliseconds(100));
  ResumingConsumer consumer;
  const grpc::Status status = Stream(&consumer, {"companies"});
  EXPECT_EQ(ErrorReason(FromGrpc(status)), "CONNECTION_AGE") << status.error_message();
  EXPECT_FALSE(consumer.complete());
}

TEST_F(ConnectionAgeTest, CommandLineGoesOnByItselfAndItsFilesHaveEachRowOnce) {
  StartIntercom(Workspace(), kLatency);
  StartServer(absl::ZeroDuration());
  int waits = 0;
  std::string said;
  ASSERT_EQ(RunCommandLine(directory_.Path("whole"), &waits, &said).code, ExitCode::kComplete)
      << said;
  EXPECT_EQ(waits, 0);

  StartServer(kAge);
  const Outcome outcome = RunCommandLine(directory_.Path("parts"), &waits, &said);
  ASSERT_EQ(outcome.code, ExitCode::kComplete) << outcome.message << "\n" << said;
  EXPECT_GT(waits, 2);
  for (const std::string& table : Tables()) {
    const std::string file = absl::StrCat("/", table, ".csv");
    const std::vector<std::string> expected = SortedLines(directory_.Path("whole" + file));
    EXPECT_GT(expected.size(), 2U) << table;
    EXPECT_TRUE(SortedLines(directory_.Path("parts" + file)) == expected) << table;
  }
}

TEST_F(ConnectionAgeTest, ReaderThatLagsIsCutAfterTheGraceAndGoesOn) {
  fake::GeneratorOptions many;
  many.users = 30000;
  many.leads = 0;
  // More than gRPC and the server hold for a reader that does not read.
  StartIntercom(many, std::chrono::milliseconds(0));
  // Long enough for what fills all buffers to come before.
  StartServer(absl::Seconds(3), absl::Milliseconds(50));
  ResumingConsumer consumer;
  v1::ExtractRequest request;
  request.add_tables("users");
  {
    grpc::ClientContext context;
    const auto reader = stub_->Extract(&context, request);
    v1::ExtractResponse event;
    ASSERT_TRUE(reader->Read(&event));
    consumer.OnEvent(event);
    AwaitStalled();
    // Returns when the stream is over, and while nobody reads only the cut ends it.
    server_->Shutdown(absl::InfiniteDuration());
    while (reader->Read(&event)) consumer.OnEvent(event);
    const grpc::Status status = reader->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ErrorReason(FromGrpc(status)), "") << status.error_message();
    consumer.Cut();
  }
  EXPECT_LT(consumer.Rows("users").size(), 30000U);

  StartServer(absl::ZeroDuration());
  request.set_resume_token(consumer.token());
  grpc::ClientContext context;
  const auto reader = stub_->Extract(&context, request);
  v1::ExtractResponse event;
  while (reader->Read(&event)) consumer.OnEvent(event);
  ASSERT_TRUE(reader->Finish().ok());
  std::vector<std::string> rows = consumer.Rows("users");
  EXPECT_EQ(rows.size(), 30000U);
  EXPECT_EQ(std::unique(rows.begin(), rows.end()), rows.end());
}

}  // namespace
}  // namespace intercom_extractor

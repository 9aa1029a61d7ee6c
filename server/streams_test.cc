// Streams and how they end: gRPC's own streaming scenarios by their names, and
// servers that stop.
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/server_fixture.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

// Two requests a contact and one a conversation, so that there is something to stop.
fake::GeneratorOptions LongExtraction() {
  fake::GeneratorOptions generator;
  generator.users = 20000;
  generator.conversations = 5000;
  return generator;
}
// Far from all of its 45,000, however slow the machine was to cancel it.
constexpr int64_t kStoppedEarly = 20000;

class StreamsTest : public ServerFixture {
 protected:
  // Cancels an extraction of all tables at once, or when it has given rows.
  void Cancel(bool after_rows) {
    options_.latency = std::chrono::milliseconds(20);
    Start(LongExtraction());
    grpc::ClientContext context;
    v1::ExtractRequest request;
    request.set_template_(v1::TEMPLATE_ALL);
    const auto reader = stub_->Extract(&context, request);
    v1::ExtractResponse event;
    while (after_rows && !event.has_row_batch()) ASSERT_TRUE(reader->Read(&event));
    context.TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
    // Returns when the call has ended.
    server_->Shutdown(absl::InfiniteDuration());
    server_ = nullptr;
    EXPECT_LT(intercom_->stats().total, kStoppedEarly);
  }
};

// The names of gRPC's interoperability tests, for a stream of rows.

TEST_F(StreamsTest, EmptyStreamEndsWellWithASummary) {
  fake::GeneratorOptions nobody;
  nobody.users = 0;
  nobody.leads = 0;
  Start(nobody);
  const Extracted result = ExtractTable("users");
  ASSERT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_TRUE(result.rows.empty());
  ASSERT_EQ(result.summary.tables_size(), 1);
  EXPECT_EQ(result.summary.tables(0).status(), v1::TABLE_STATUS_COMPLETE);
}

TEST_F(StreamsTest, CancelAfterBeginAsksIntercomForLittle) { Cancel(/*after_rows=*/false); }

TEST_F(StreamsTest, CancelAfterFirstResponseStopsRequestsToIntercom) {
  Cancel(/*after_rows=*/true);
}

TEST_F(StreamsTest, TimeoutOnSleepingServerEndsTheCallOnBothSides) {
  options_.latency = std::chrono::minutes(10);
  Start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  v1::ExtractRequest request;
  request.add_tables("tags");
  const auto reader = stub_->Extract(&context, request);
  v1::ExtractResponse event;
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // Returns when the call has ended, though Intercom has not answered.
  server_->Shutdown(absl::InfiniteDuration());
  server_ = nullptr;
}

TEST_F(StreamsTest, SlowConsumerGetsEveryRow) {
  // More than gRPC and the server hold for a reader that does not read.
  fake::GeneratorOptions many;
  many.users = 30000;
  many.leads = 0;
  Start(many);
  grpc::ClientContext context;
  v1::ExtractRequest request;
  request.add_tables("users");
  const auto reader = stub_->Extract(&context, request);
  // Asks until Intercom is no longer asked: the extraction waits for its reader.
  int64_t total = -1;
  for (int unchanged = 0; unchanged < 200;) {
    CheckHealth(channel_, "");
    const int64_t now = intercom_->stats().total;
    unchanged = now == total && now > 1 ? unchanged + 1 : 0;
    total = now;
  }
  int64_t rows = 0;
  v1::ExtractResponse event;
  while (reader->Read(&event)) rows += event.row_batch().users_size();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(rows, 30000);
  EXPECT_GT(intercom_->stats().total, total) << "was not slowed down";
}

TEST_F(StreamsTest, UnimplementedMethodAndServiceSaySo) {
  Start();
  EXPECT_EQ(
      CallRaw(channel_, "/intercom.extractor.v1.ExtractorService/Nothing", "").status.error_code(),
      grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(CallRaw(channel_, "/intercom.extractor.v1.NoService/Extract", "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(StreamsTest, ShutdownEndsARunningStreamAfterItsGrace) {
  options_.latency = std::chrono::milliseconds(20);
  Start(LongExtraction());
  grpc::ClientContext context;
  v1::ExtractRequest request;
  request.set_template_(v1::TEMPLATE_ALL);
  const auto reader = stub_->Extract(&context, request);
  v1::ExtractResponse event;
  ASSERT_TRUE(reader->Read(&event));
  server_->Shutdown(absl::Milliseconds(100));
  EXPECT_LT(intercom_->stats().total, kStoppedEarly);
  while (reader->Read(&event)) {
  }
  // What tells a client to go on elsewhere.
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(StreamsTest, ShutdownEndsAnExtractionWithACheckpointThatAnotherServerContinues) {
  options_.latency = std::chrono::milliseconds(20);
  // Not companies, whose scroll the next server would have to wait for.
  v1::ExtractRequest request;
  for (const char* table : {"users", "users_segments", "conversations", "tags"}) {
    request.add_tables(table);
  }
  fake::GeneratorOptions generator;
  generator.users = 2000;
  generator.conversations = 300;
  Start(generator);
  const std::map<std::string, int64_t> all = Extract(request).rows;

  std::map<std::string, int64_t> rows;
  {
    grpc::ClientContext context;
    const auto reader = stub_->Extract(&context, request);
    v1::ExtractResponse event;
    v1::ExtractResponse last;
    ASSERT_TRUE(reader->Read(&event));
    std::thread shutdown;
    do {
      last = event;
      if (!event.has_row_batch()) continue;
      const v1::RowBatch& batch = event.row_batch();
      const auto* field = v1::RowBatch::descriptor()->FindFieldByName(batch.table());
      rows[batch.table()] += batch.GetReflection()->FieldSize(batch, field);
      if (!shutdown.joinable()) {
        shutdown = std::thread([this] { server_->Shutdown(absl::Minutes(1)); });
      }
    } while (reader->Read(&event));
    const grpc::Status status = reader->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(DetailsOf(status).reason, "SERVER_STOPPING");
    shutdown.join();
    ASSERT_TRUE(last.has_checkpoint());
    request.set_resume_token(last.checkpoint().resume_token());
  }
  EXPECT_NE(rows, all);
  StartServer();
  const Extracted rest = Extract(request);
  ASSERT_TRUE(rest.status.ok()) << rest.status.error_message();
  // As a whole where a table had to begin anew.
  for (const v1::TableSummary& table : rest.summary.tables()) {
    EXPECT_EQ(table.rows(), all.at(table.table())) << table.table();
  }
}

TEST_F(StreamsTest, ShutdownLetsARunningCheckFinish) {
  options_.latency = std::chrono::milliseconds(20);
  Start();
  grpc::Status status;
  std::thread check([&] {
    v1::CheckConnectionResponse response;
    status = Check("default", &response);
  });
  while (intercom_->stats().total == 0) std::this_thread::yield();
  server_->Shutdown(absl::Minutes(1));
  check.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(StreamsTest, StoppingServerRefusesNewCallsAndDoesNotWaitForIdleConnections) {
  options_.latency = std::chrono::milliseconds(300);
  Start();
  // Keeps the server from stopping.
  std::thread check([&] {
    v1::CheckConnectionResponse response;
    EXPECT_TRUE(Check("default", &response).ok());
  });
  while (intercom_->stats().total == 0) std::this_thread::yield();
  std::thread shutdown([this] { server_->Shutdown(absl::InfiniteDuration()); });
  while (CheckHealth(channel_, "").bytes == kServing) std::this_thread::yield();

  v1::CheckConnectionResponse response;
  grpc::Status status = Check("default", &response);
  while (status.ok()) status = Check("default", &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).reason, "SERVER_STOPPING");
  EXPECT_EQ(DetailsOf(ExtractTable("tags").status).reason, "SERVER_STOPPING");

  // The channel stays open, though nobody uses it any more.
  check.join();
  shutdown.join();
}

TEST_F(StreamsTest, ShutdownTwiceIsHarmless) {
  Start();
  std::thread other([this] { server_->Shutdown(absl::Seconds(1)); });
  server_->Shutdown(absl::ZeroDuration());
  other.join();
  server_->Shutdown(absl::ZeroDuration());
}

TEST_F(StreamsTest, ShutdownDoesNotWaitForACheckThatHangs) {
  options_.latency = std::chrono::hours(1);
  Start();
  auto check = std::async(std::launch::async, [this] {
    v1::CheckConnectionResponse response;
    return Check("default", &response);
  });
  while (intercom_->stats().total == 0) std::this_thread::yield();
  server_->Shutdown(absl::ZeroDuration());
  server_ = nullptr;
  EXPECT_FALSE(check.get().ok());
}
}  // namespace
}  // namespace intercom_extractor

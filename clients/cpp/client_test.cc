#include "clients/cpp/client.h"

#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "clients/cpp/errors.h"
#include "clients/cpp/scripted_extractor.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

class ClientTest : public ::testing::Test {
 protected:
  ScriptedExtractor server_;
  const Client client_ = server_.NewClient();
};

TEST_F(ClientTest, AnswersComeThroughWithTheCallersToken) {
  server_.tables.add_tables()->mutable_table()->set_name("tags");
  const auto tables = client_.ListTables();
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ(tables->tables(0).table().name(), "tags");
  EXPECT_EQ(server_.authorization, "Bearer caller-secret");

  server_.check.mutable_workspace()->set_region("EU");
  v1::CheckConnectionRequest check;
  check.set_connection("acme");
  EXPECT_EQ(client_.CheckConnection(check)->workspace().region(), "EU");
  EXPECT_EQ(server_.connection, "acme");

  server_.plan.mutable_requests()->set_sent(3);
  v1::PlanExtractionRequest plan;
  plan.add_tables("tags");
  EXPECT_EQ(client_.PlanExtraction(plan)->requests().sent(), 3);
  EXPECT_EQ(server_.planned.tables(0), "tags");
}

TEST_F(ClientTest, ErrorOfTheServerComesThrough) {
  server_.status = grpc::Status(grpc::StatusCode::NOT_FOUND, "no such connection");
  const absl::Status status = client_.CheckConnection({}).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.message(), "no such connection");
}

TEST_F(ClientTest, CancellationEndsCallsAlsoIfItCameBefore) {
  Cancellation cancellation;
  cancellation.Cancel();
  CallOptions options;
  options.cancellation = &cancellation;
  EXPECT_TRUE(absl::IsCancelled(client_.ListTables({}, options).status()));
}

TEST_F(ClientTest, DeadlineEndsCalls) {
  CallOptions options;
  options.deadline = absl::Now() - absl::Seconds(1);
  EXPECT_TRUE(absl::IsDeadlineExceeded(client_.ListTables({}, options).status()));
}

TEST(ClientConnectTest, TokenThatCannotBeSentIsRefused) {
  ConnectOptions options;
  options.target = "localhost:1";
  options.caller_token = "two words";
  EXPECT_TRUE(absl::IsInvalidArgument(Client::Connect(options).status()));
}

TEST(ClientConnectTest, ServerThatIsNotThereIsSaidByTheFirstCall) {
  ConnectOptions options;
  options.target = "unix:/nonexistent/socket";
  const auto client = Client::Connect(options);
  ASSERT_TRUE(client.ok()) << client.status();
  const absl::Status status = client->ListTables().status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(ErrorReason(status), "");
}

}  // namespace
}  // namespace intercom_extractor

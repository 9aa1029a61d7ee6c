// Who may call, and what each may do: a whole server with callers.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/caller_config.h"
#include "server/caller_token.h"
#include "server/server_fixture.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kNightly[] = "nightly-token-of-at-least-thirty-two-characters";
constexpr char kSearch[] = "search-token-of-at-least-thirty-two-characters";

CallerConfig MakeCaller(const std::string& name, const std::string& token,
                        const std::vector<std::string>& connections) {
  CallerConfig caller;
  caller.name = name;
  caller.token_hashes = {HashCallerToken(token)};
  caller.connections = connections;
  return caller;
}

class AccessTest : public ServerFixture {
 protected:
  AccessTest() {
    config_.connections.push_back(config_.connections[0]);
    config_.connections[1].name = "europe";
    config_.callers = {MakeCaller("nightly", kNightly, {"default"}),
                       MakeCaller("search", kSearch, {"default", "europe"})};
    As(kNightly);
  }

  void As(const std::string& token) { authorization_ = token.empty() ? "" : "Bearer " + token; }

  // What each call that names a connection says of it.
  std::vector<grpc::Status> EveryCall(const std::string& connection,
                                      const std::string& table = "tags") {
    v1::CheckConnectionResponse check;
    v1::PlanExtractionRequest plan;
    plan.set_connection(connection);
    plan.add_tables(table);
    v1::PlanExtractionResponse planned;
    v1::ExtractRequest extract;
    extract.set_connection(connection);
    extract.add_tables(table);
    return {Check(connection, &check), Plan(plan, &planned), Extract(extract).status};
  }

  static void ExpectRefused(const grpc::Status& status, grpc::StatusCode code,
                            const std::string& reason) {
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_EQ(DetailsOf(status).reason, reason);
    for (const char* token : {kNightly, kSearch}) {
      EXPECT_THAT(status.error_message() + status.error_details(), Not(HasSubstr(token)));
    }
  }
};

TEST_F(AccessTest, AKnownCallerMayUseWhatItMay) {
  Start();
  v1::ListTablesResponse tables;
  EXPECT_TRUE(List(&tables).ok());
  for (const grpc::Status& status : EveryCall("default")) {
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  As(kSearch);
  for (const grpc::Status& status : EveryCall("europe")) {
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
}

TEST_F(AccessTest, NobodyAndSomebodyElseAreUnauthenticated) {
  Start();
  for (const char* authorization : {"", "Bearer ", "Bearer nonsense", kNightly}) {
    authorization_ = authorization;
    v1::ListTablesResponse tables;
    ExpectRefused(List(&tables), grpc::StatusCode::UNAUTHENTICATED, "CALLER_UNKNOWN");
    EXPECT_EQ(tables.tables_size(), 0);
    for (const grpc::Status& status : EveryCall("default")) {
      ExpectRefused(status, grpc::StatusCode::UNAUTHENTICATED, "CALLER_UNKNOWN");
    }
  }
  EXPECT_EQ(intercom_->stats().total, 0);
  // Balancers have no token.
  EXPECT_EQ(CheckHealth(channel_, "").bytes, kServing);
}

TEST_F(AccessTest, AForbiddenConnectionLooksLikeOneThatDoesNotExist) {
  Start();
  std::vector<std::string> messages;
  for (const char* connection : {"europe", "nowhere"}) {
    for (const grpc::Status& status : EveryCall(connection)) {
      ExpectRefused(status, grpc::StatusCode::PERMISSION_DENIED, "CONNECTION_FORBIDDEN");
      EXPECT_EQ(DetailsOf(status).metadata.count("connection"), 0u);
      std::string message = status.error_message();
      const size_t name = message.find(connection);
      ASSERT_NE(name, std::string::npos) << message;
      messages.push_back(message.erase(name, std::string(connection).size()));
    }
  }
  for (const std::string& message : messages) EXPECT_EQ(message, messages[0]);
  EXPECT_EQ(intercom_->stats().total, 0);
}

TEST_F(AccessTest, OnlyExtractionsOfItsOwnConnectionsAreShownToACaller) {
  Start();
  const auto shown = [this](const std::string& connection) {
    grpc::ClientContext context;
    Prepare(&context);
    v1::ListExtractionsRequest request;
    request.set_connection(connection);
    v1::ListExtractionsResponse list;
    const grpc::Status status = stub_->ListExtractions(&context, request, &list);
    std::vector<std::string> names;
    for (const auto& one : list.ended()) names.push_back(one.connection());
    return std::make_pair(status, names);
  };
  // The server shows an extraction until it has ended in every respect, which may be after the
  // status.
  const auto await_ended = [&](size_t count) {
    std::vector<std::string> names;
    while ((names = shown("").second).size() < count) {
    }
    return names;
  };
  EXPECT_TRUE(ExtractTable("tags").status.ok());
  As(kSearch);
  v1::ExtractRequest europe;
  europe.set_connection("europe");
  europe.add_tables("tags");
  EXPECT_TRUE(Extract(europe).status.ok());
  EXPECT_THAT(await_ended(2), UnorderedElementsAre("default", "europe"));
  As(kNightly);
  EXPECT_THAT(shown("").second, ElementsAre("default"));
  ExpectRefused(shown("europe").first, grpc::StatusCode::PERMISSION_DENIED, "CONNECTION_FORBIDDEN");
  As("");
  ExpectRefused(shown("").first, grpc::StatusCode::UNAUTHENTICATED, "CALLER_UNKNOWN");
}

TEST_F(AccessTest, AForbiddenTableIsNamedAndTheRestIsNotReadEither) {
  config_.callers[0].tables = {"tags", "users"};
  Start();
  v1::ExtractRequest request;
  request.add_tables("tags");
  request.add_tables("leads");
  grpc::Status status = Extract(request).status;
  ExpectRefused(status, grpc::StatusCode::PERMISSION_DENIED, "TABLE_FORBIDDEN");
  EXPECT_THAT(status.error_message(), HasSubstr("may not read: leads;"));
  request.clear_tables();
  request.set_template_(v1::TEMPLATE_BASIC);
  status = Extract(request).status;
  ExpectRefused(status, grpc::StatusCode::PERMISSION_DENIED, "TABLE_FORBIDDEN");
  v1::PlanExtractionRequest plan;
  plan.add_tables("leads");
  v1::PlanExtractionResponse planned;
  ExpectRefused(Plan(plan, &planned), grpc::StatusCode::PERMISSION_DENIED, "TABLE_FORBIDDEN");
  // A table that does not exist is a mistake, not a secret.
  EXPECT_EQ(DetailsOf(ExtractTable("tag").status).reason, "BAD_REQUEST");
  EXPECT_EQ(intercom_->stats().total, 0);

  EXPECT_TRUE(ExtractTable("tags").status.ok());
  v1::CheckConnectionResponse check;
  EXPECT_TRUE(Check("default", &check).ok());
  ASSERT_EQ(check.tables_size(), 2);
  EXPECT_EQ(check.tables(0).table(), "users");
  EXPECT_EQ(check.tables(1).table(), "tags");
}

TEST_F(AccessTest, ACallTooManyIsRefusedAndSaysWhenToComeBack) {
  config_.callers[0].limits.max_requests_per_minute = 3;
  Start();
  v1::ListTablesResponse tables;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(List(&tables).ok());
  const grpc::Status status = List(&tables);
  ExpectRefused(status, grpc::StatusCode::RESOURCE_EXHAUSTED, "CALLER_LIMIT");
  EXPECT_TRUE(DetailsOf(status).has_retry_info);
  ExpectRefused(ExtractTable("tags").status, grpc::StatusCode::RESOURCE_EXHAUSTED, "CALLER_LIMIT");
  EXPECT_EQ(intercom_->stats().total, 0);
  // The other's calls are its own.
  As(kSearch);
  EXPECT_TRUE(List(&tables).ok());
}

TEST_F(AccessTest, AStreamTooManyIsRefusedUntilTheOtherHasEnded) {
  options_.latency = std::chrono::hours(1);
  config_.callers[0].limits.max_streams = 1;
  Start();
  grpc::ClientContext context;
  Prepare(&context);
  v1::ExtractRequest request;
  request.add_tables("tags");
  const auto running = stub_->Extract(&context, request);
  v1::ExtractResponse event;
  ASSERT_TRUE(running->Read(&event));
  const grpc::Status status = ExtractTable("tags").status;
  ExpectRefused(status, grpc::StatusCode::RESOURCE_EXHAUSTED, "CALLER_LIMIT");
  EXPECT_TRUE(DetailsOf(status).has_retry_info);
  context.TryCancel();
  EXPECT_EQ(running->Finish().error_code(), grpc::StatusCode::CANCELLED);
  // The server learns of it a little later.
  while (true) {
    grpc::ClientContext again;
    Prepare(&again);
    const auto next = stub_->Extract(&again, request);
    if (next->Read(&event)) break;
    ExpectRefused(next->Finish(), grpc::StatusCode::RESOURCE_EXHAUSTED, "CALLER_LIMIT");
  }
}

TEST_F(AccessTest, StreamsOneAfterTheOtherNeedOnlyOne) {
  config_.callers[0].limits.max_streams = 1;
  Start();
  for (int i = 0; i < 20; ++i) {
    const grpc::Status status = ExtractTable("tags").status;
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
}

TEST_F(AccessTest, TheServersOwnLimitIsForAllTogether) {
  options_.latency = std::chrono::hours(1);
  config_.max_streams = 1;
  Start();
  grpc::ClientContext context;
  Prepare(&context);
  v1::ExtractRequest request;
  request.add_tables("tags");
  const auto running = stub_->Extract(&context, request);
  v1::ExtractResponse event;
  ASSERT_TRUE(running->Read(&event));
  As(kSearch);
  const grpc::Status status = ExtractTable("tags").status;
  ExpectRefused(status, grpc::StatusCode::RESOURCE_EXHAUSTED, "CALLER_LIMIT");
  EXPECT_THAT(status.error_message(), HasSubstr("this server has 1 streams already"));
}

TEST_F(AccessTest, AStreamIsSlowedToItsCallersBytesAndLosesNoRow) {
  fake::GeneratorOptions generator;
  generator.users = 1500;
  config_.callers[0].limits.max_bytes_per_second = 200'000;
  Start(generator);
  const auto begin = std::chrono::steady_clock::now();
  const Extracted result = ExtractTable("users");
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  ASSERT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.rows.at("users"), 1500);
  // A second's worth goes at once.
  ASSERT_GT(result.summary.tables(0).bytes(), 400'000);
  EXPECT_GT(elapsed.count(),
            static_cast<double>(result.summary.tables(0).bytes()) / 200'000 - 1 - 0.6);
}

TEST_F(AccessTest, AStreamThatWaitsForItsCallersBytesEndsWhenTheClientGoes) {
  fake::GeneratorOptions generator;
  generator.users = 20000;
  // An hour's worth.
  config_.callers[0].limits.max_bytes_per_second = 2000;
  Start(generator);
  grpc::ClientContext context;
  Prepare(&context);
  v1::ExtractRequest request;
  request.add_tables("users");
  const auto reader = stub_->Extract(&context, request);
  v1::ExtractResponse event;
  while (!event.has_row_batch()) ASSERT_TRUE(reader->Read(&event));
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  // Returns when the call has ended.
  server_->Shutdown(absl::InfiniteDuration());
}

TEST_F(AccessTest, AResumeTokenIsOfNoUseToAnotherCaller) {
  Start();
  const Extracted whole = ExtractTable("tags");
  ASSERT_NE(whole.resume_token, "");
  v1::ExtractRequest request;
  request.add_tables("tags");
  request.set_resume_token(whole.resume_token);
  EXPECT_TRUE(Extract(request).status.ok());
  const int64_t asked = intercom_->stats().total;
  As(kSearch);
  ExpectRefused(Extract(request).status, grpc::StatusCode::FAILED_PRECONDITION,
                "RESUME_TOKEN_MISMATCH");
  EXPECT_EQ(intercom_->stats().total, asked);
}

}  // namespace
}  // namespace intercom_extractor

// Callers, connections and certificates that are replaced while streams run: no stream ends,
// no row is lost, and calls to come see what is new.
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/tables/privacy_rules.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/caller_config.h"
#include "server/caller_token.h"
#include "server/extractor_server.h"
#include "server/server_config.h"
#include "server/server_fixture.h"
#include "server/test_certificates.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kOld[] = "the-old-token-of-at-least-thirty-two-characters";
constexpr char kNew[] = "the-new-token-of-at-least-thirty-two-characters";

CallerConfig MakeCaller(const std::vector<std::string>& tokens) {
  CallerConfig caller;
  caller.name = "nightly";
  for (const std::string& token : tokens) caller.token_hashes.push_back(HashCallerToken(token));
  caller.connections = {"default"};
  return caller;
}

class ReloadTest : public ServerFixture {
 protected:
  void As(const std::string& token) { authorization_ = absl::StrCat("Bearer ", token); }

  // Its reason; empty for OK.
  std::string ListReason() {
    v1::ListTablesResponse response;
    const grpc::Status status = List(&response);
    return status.ok() ? "" : DetailsOf(status).reason;
  }
  std::string CheckReason(const std::string& connection) {
    v1::CheckConnectionResponse response;
    const grpc::Status status = Check(connection, &response);
    return status.ok() ? "" : DetailsOf(status).reason;
  }

  void Reload() {
    const auto for_restart = server_->Reload(config_);
    ASSERT_TRUE(for_restart.ok()) << for_restart.status();
    EXPECT_THAT(*for_restart, IsEmpty());
  }
};

TEST_F(ReloadTest, ATokenIsRotatedWithoutAMomentWithoutOne) {
  config_.callers = {MakeCaller({kOld})};
  Start();
  As(kOld);
  EXPECT_EQ(ListReason(), "");
  config_.callers = {MakeCaller({kOld, kNew})};
  Reload();
  EXPECT_EQ(ListReason(), "");
  As(kNew);
  EXPECT_EQ(ListReason(), "");
  config_.callers = {MakeCaller({kNew})};
  Reload();
  EXPECT_EQ(ListReason(), "");
  As(kOld);
  EXPECT_EQ(ListReason(), "CALLER_UNKNOWN");
}

TEST_F(ReloadTest, ConnectionsComeAndGo) {
  Start();
  EXPECT_EQ(CheckReason("europe"), "CONNECTION_UNKNOWN");
  config_.connections.push_back(config_.connections[0]);
  config_.connections[1].name = "europe";
  Reload();
  EXPECT_EQ(CheckReason("europe"), "");
  config_.connections.pop_back();
  Reload();
  EXPECT_EQ(CheckReason("europe"), "CONNECTION_UNKNOWN");
  EXPECT_EQ(CheckReason("default"), "");
}

TEST_F(ReloadTest, PrivacyRulesAreForStreamsToCome) {
  Start();
  v1::ExtractRequest request;
  request.add_tables("admins");
  const std::string token = Extract(request).resume_token;
  ASSERT_NE(token, "");
  v1::ListTablesResponse tables;
  const auto described = [&] {
    grpc::ClientContext context;
    v1::ListTablesRequest list;
    list.set_connection("default");
    EXPECT_TRUE(stub_->ListTables(&context, list, &tables).ok());
    for (const auto& table : tables.tables()) {
      if (table.table().name() == "admins") return table.columns(3).privacy();
    }
    return v1::PRIVACY_ACTION_UNSPECIFIED;
  };
  EXPECT_EQ(described(), v1::PRIVACY_ACTION_UNSPECIFIED);

  auto rules = std::make_shared<PrivacyRules>();
  ASSERT_TRUE(rules->AddColumn("admins.email", v1::PRIVACY_ACTION_MASK).ok());
  config_.connections[0].privacy = rules;
  Reload();
  EXPECT_EQ(described(), v1::PRIVACY_ACTION_MASK);
  grpc::ClientContext context;
  const auto reader = stub_->Extract(&context, request);
  v1::ExtractResponse event;
  int masked = 0;
  while (reader->Read(&event)) {
    for (const v1::Admin& admin : event.row_batch().admins()) {
      if (!admin.has_email()) continue;
      EXPECT_EQ(admin.email(), "[masked]");
      ++masked;
    }
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_GT(masked, 0);

  request.set_resume_token(token);
  const Extracted resumed = Extract(request);
  EXPECT_EQ(DetailsOf(resumed.status).reason, "RESUME_TOKEN_MISMATCH");
  EXPECT_NE(resumed.status.error_message().find("privacy rules"), std::string::npos);
}

TEST_F(ReloadTest, WhatIsWrongLeavesEverythingAsItIs) {
  config_.callers = {MakeCaller({kOld})};
  Start();
  As(kOld);
  const ServerConfig good = config_;
  config_.callers.clear();
  config_.connections.clear();
  EXPECT_EQ(server_->Reload(config_).status().code(), absl::StatusCode::kInvalidArgument);
  config_ = good;
  config_.callers.clear();
  config_.connections[0].base_url = "http://intercom.example";
  EXPECT_EQ(server_->Reload(config_).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckReason("default"), "");
  As(kNew);
  EXPECT_EQ(ListReason(), "CALLER_UNKNOWN");
}

TEST_F(ReloadTest, WhatNeedsARestartIsNamed) {
  Start();
  ServerConfig other = config_;
  other.listen = "127.0.0.1:1";
  other.http.max_connections = 1;
  other.max_streams = 7;
  other.connections[0].quota_reserve = 0.5;
  const auto for_restart = server_->Reload(other);
  ASSERT_TRUE(for_restart.ok());
  EXPECT_THAT(*for_restart, ElementsAre("listen", "http.max_connections"));
}

TEST_F(ReloadTest, AnAnswerThatIsStillToComeOutlivesItsConnection) {
  options_.latency = std::chrono::milliseconds(200);
  Start();
  std::string reason = "none";
  std::thread check([&] { reason = CheckReason("default"); });
  while (intercom_->stats().total == 0) std::this_thread::yield();
  config_.connections[0].name = "other";
  Reload();
  check.join();
  EXPECT_EQ(reason, "");
  EXPECT_EQ(CheckReason("default"), "CONNECTION_UNKNOWN");
}

TEST_F(ReloadTest, AServerEndsWhileACheckOfARemovedConnectionHangs) {
  options_.latency = std::chrono::hours(1);
  Start();
  grpc::Status status;
  std::thread check([&] {
    v1::CheckConnectionResponse response;
    status = Check("default", &response);
  });
  while (intercom_->stats().total == 0) std::this_thread::yield();
  config_.connections[0].name = "other";
  Reload();
  server_->Shutdown(absl::ZeroDuration());
  server_ = nullptr;
  check.join();
  EXPECT_FALSE(status.ok());
}

class ReloadUnderLoadTest : public ReloadTest {
 protected:
  ReloadUnderLoadTest() {
    generator_.users = 3000;
    generator_.leads = 500;
    generator_.conversations = 400;
    options_.latency = std::chrono::milliseconds(10);
    config_.callers = {MakeCaller({kOld})};
    As(kOld);
    for (const char* table :
         {"users", "users_tags", "leads", "conversations", "conversation_parts", "tags"}) {
      request_.add_tables(table);
    }
  }

  void ReplaceCertificates(int number) {
    // Every third time a broken file, which must change nothing.
    if (number % 3 == 2) {
      WriteTestFile("reload.crt", "half a certifi");
      return;
    }
    const TestCertificate next = MakeTestCertificate(SignedByCa());
    WriteTestFile("reload.crt", next.certificate);
    WriteTestFile("reload.key", next.key);
  }

  TestCertificateOptions SignedByCa() const {
    TestCertificateOptions options;
    options.issuer = &ca_;
    return options;
  }

  static TestCertificate MakeCa() {
    TestCertificateOptions options;
    options.common_name = "the authority";
    options.alternative_names = "";
    return MakeTestCertificate(options);
  }

  std::shared_ptr<grpc::Channel> NewChannel() const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ca_.certificate;
    options.pem_cert_chain = client_.certificate;
    options.pem_private_key = client_.key;
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(absl::StrCat("localhost:", server_->port()),
                                     grpc::SslCredentials(options), arguments);
  }

  const TestCertificate ca_ = MakeCa();
  const TestCertificate client_ = MakeTestCertificate(SignedByCa());
  fake::GeneratorOptions generator_;
  v1::ExtractRequest request_;
};

TEST_F(ReloadUnderLoadTest, NoStreamIsDroppedAndNoRowIsLost) {
  ReplaceCertificates(0);
  config_.tls_cert_file = ::testing::TempDir() + "/reload.crt";
  config_.tls_key_file = ::testing::TempDir() + "/reload.key";
  config_.tls_client_ca_file = WriteTestFile("reload-ca.crt", ca_.certificate);
  intercom_ = std::make_unique<fake::FakeIntercom>(
      options_, std::make_shared<fake::GeneratedWorkspace>(generator_));
  config_.connections[0].base_url = intercom_->base_url();
  auto started = ExtractorServer::Start(config_);
  ASSERT_TRUE(started.ok()) << started.status();
  server_ = *std::move(started);
  Connect(NewChannel());
  const std::map<std::string, int64_t> all = Extract(request_).rows;
  ASSERT_GT(all.at("users"), 0);
  ASSERT_GT(all.at("conversation_parts"), 0);

  std::atomic<bool> done{false};
  std::atomic<int> reloads{0};
  std::thread reloading([&] {
    for (int i = 1; !done; ++i) {
      ReplaceCertificates(i);
      ServerConfig next = config_;
      // The connection that streams use changes and goes; so does their caller's token.
      if (i % 2 == 0) next.connections[0].quota_reserve = 0.2;
      if (i % 5 == 4) next.connections[0].name = "elsewhere";
      if (i % 4 == 3) next.callers = {MakeCaller({kNew})};
      EXPECT_TRUE(server_->Reload(next).ok());
      ++reloads;
      std::this_thread::yield();
    }
    EXPECT_TRUE(server_->Reload(config_).ok());
  });
  std::vector<std::thread> streams;
  std::atomic<int> complete{0};
  for (int i = 0; i < 4; ++i) {
    streams.emplace_back([&, channel = NewChannel()] {
      const auto stub = v1::ExtractorService::NewStub(channel);
      for (int run = 0; run < 3;) {
        grpc::ClientContext context;
        Prepare(&context);
        const auto reader = stub->Extract(&context, request_);
        std::map<std::string, int64_t> rows;
        v1::ExtractResponse event;
        while (reader->Read(&event)) {
          if (!event.has_row_batch()) continue;
          const v1::RowBatch& batch = event.row_batch();
          const auto* field = v1::RowBatch::descriptor()->FindFieldByName(batch.table());
          rows[batch.table()] += batch.GetReflection()->FieldSize(batch, field);
        }
        const grpc::Status status = reader->Finish();
        // It began while its token was no good, or its connection was not there.
        if (!status.ok() && rows.empty() &&
            (DetailsOf(status).reason == "CALLER_UNKNOWN" ||
             DetailsOf(status).reason == "CONNECTION_UNKNOWN")) {
          continue;
        }
        EXPECT_TRUE(status.ok()) << status.error_message();
        EXPECT_EQ(rows, all);
        ++complete;
        ++run;
      }
    });
  }
  for (std::thread& stream : streams) stream.join();
  done = true;
  reloading.join();
  EXPECT_EQ(complete, 12);
  EXPECT_GT(reloads, 12);
  RecordProperty("reloads", reloads);
}

TEST_F(ReloadUnderLoadTest, NewConnectionsGetTheNewCertificateAndOldOnesStay) {
  const TestCertificate first = MakeTestCertificate();
  const TestCertificate second = MakeTestCertificate();
  config_.tls_cert_file = WriteTestFile("swap.crt", first.certificate);
  config_.tls_key_file = WriteTestFile("swap.key", first.key);
  auto started = ExtractorServer::Start(config_);
  ASSERT_TRUE(started.ok()) << started.status();
  server_ = *std::move(started);
  const auto channel_trusting = [&](const TestCertificate& certificate) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = certificate.certificate;
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(absl::StrCat("localhost:", server_->port()),
                                     grpc::SslCredentials(options), arguments);
  };
  const auto before = channel_trusting(first);
  Connect(before);
  EXPECT_EQ(ListReason(), "");
  WriteTestFile("swap.crt", second.certificate);
  WriteTestFile("swap.key", second.key);
  Reload();
  EXPECT_EQ(ListReason(), "") << "over the connection from before";
  Connect(channel_trusting(second));
  EXPECT_EQ(ListReason(), "");
  v1::ListTablesResponse response;
  Connect(channel_trusting(first));
  EXPECT_EQ(List(&response).error_code(), grpc::StatusCode::UNAVAILABLE);
  // Broken files: the second stays.
  WriteTestFile("swap.key", "nonsense");
  Reload();
  Connect(channel_trusting(second));
  EXPECT_EQ(ListReason(), "");
}

}  // namespace
}  // namespace intercom_extractor

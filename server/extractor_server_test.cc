#include "server/extractor_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "extractor/tables/privacy_rules.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/server_fixture.h"
#include "server/test_certificates.h"
#include "server/test_socket.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A port of the loopback on which nobody listens.
int UnusedPort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}
RawAnswer ListServices(const std::shared_ptr<grpc::Channel>& channel) {
  // `list_services: ""`.
  return CallRaw(channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                 std::string("\x3A\x00", 2));
}
class ExtractorServerTest : public ServerFixture {};

TEST_F(ExtractorServerTest, RowsOfEveryTableArriveAndAgreeWithTheSummary) {
  Start();
  v1::ExtractRequest request;
  request.set_template_(v1::TEMPLATE_ALL);
  const Extracted result = Extract(request);
  ASSERT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.summary.tables_size(), 22);
  for (const v1::TableSummary& table : result.summary.tables()) {
    const auto rows = result.rows.find(table.table());
    EXPECT_EQ(rows == result.rows.end() ? 0 : rows->second, table.rows()) << table.table();
  }
  EXPECT_EQ(result.rows.at("users"), 200);
  EXPECT_EQ(result.rows.at("leads"), 100);
  EXPECT_EQ(result.rows.at("companies"), 170);
}

TEST_F(ExtractorServerTest, InProcessChannelServesWithoutASocket) {
  config_.listen = "";
  Start();
  EXPECT_EQ(server_->port(), 0);
  const Extracted result = ExtractTable("tags");
  ASSERT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.rows.at("tags"), 200);
}

TEST_F(ExtractorServerTest, ManyCallsShareOneConnection) {
  Start();
  std::vector<std::future<Extracted>> calls;
  calls.reserve(8);
  for (int i = 0; i < 8; ++i) {
    calls.push_back(std::async(std::launch::async, [this] { return ExtractTable("users"); }));
  }
  for (auto& call : calls) {
    const Extracted result = call.get();
    ASSERT_TRUE(result.status.ok()) << result.status.error_message();
    EXPECT_EQ(result.rows.at("users"), 200);
  }
}

TEST_F(ExtractorServerTest, ListTablesDescribesAllOrATemplate) {
  Start();
  const auto list = [this](v1::Template wanted, v1::ListTablesResponse* response) {
    grpc::ClientContext context;
    v1::ListTablesRequest request;
    request.set_template_(wanted);
    return stub_->ListTables(&context, request, response);
  };
  v1::ListTablesResponse all;
  ASSERT_TRUE(list(v1::TEMPLATE_UNSPECIFIED, &all).ok());
  EXPECT_EQ(all.tables_size(), 22);
  EXPECT_GT(all.tables(0).columns_size(), 0);
  v1::ListTablesResponse conversations;
  ASSERT_TRUE(list(v1::TEMPLATE_CONVERSATIONS, &conversations).ok());
  EXPECT_EQ(conversations.tables_size(), 6);
  v1::ListTablesResponse none;
  const grpc::Status status = list(static_cast<v1::Template>(99), &none);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailsOf(status).reason, "BAD_REQUEST");
  EXPECT_EQ(intercom_->stats().total, 0);
}

TEST_F(ExtractorServerTest, ListTablesOfAConnectionSaysWhatHappensToItsValues) {
  auto rules = std::make_shared<PrivacyRules>();
  ASSERT_TRUE(rules->AddColumn("*.phone", v1::PRIVACY_ACTION_MASK).ok());
  ASSERT_TRUE(rules->AddAttribute("salary", v1::PRIVACY_ACTION_LEAVE_OUT).ok());
  config_.connections[0].privacy = rules;
  Start();
  const auto list = [this](const std::string& connection) {
    grpc::ClientContext context;
    v1::ListTablesRequest request;
    request.set_connection(connection);
    v1::ListTablesResponse response;
    const grpc::Status status = stub_->ListTables(&context, request, &response);
    return status.ok() ? response.DebugString() : DetailsOf(status).reason;
  };
  EXPECT_EQ(list("").find("privacy"), std::string::npos);
  const std::string said = list("default");
  EXPECT_NE(said.find("privacy: PRIVACY_ACTION_MASK"), std::string::npos);
  EXPECT_NE(said.find("name: \"salary\"\n      privacy: PRIVACY_ACTION_LEAVE_OUT"),
            std::string::npos);
  EXPECT_EQ(list("unknown"), "CONNECTION_UNKNOWN");
}

TEST_F(ExtractorServerTest, OnlyTheColumnsAskedForAndKeysAreSent) {
  Start();
  v1::ExtractRequest request;
  request.add_tables("users");
  request.add_columns("email");
  request.add_columns("users.created_at");
  grpc::ClientContext context;
  const auto reader = stub_->Extract(&context, request);
  v1::ExtractResponse event;
  int rows = 0;
  int dated = 0;
  while (reader->Read(&event)) {
    for (v1::User user : event.row_batch().users()) {
      ++rows;
      EXPECT_TRUE(user.has_id());
      if (user.has_created_at()) ++dated;
      user.clear_id();
      user.clear_created_at();
      user.clear_email();
      EXPECT_EQ(user.ByteSizeLong(), 0) << user.ShortDebugString();
    }
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(rows, 200);
  EXPECT_GT(dated, 150);

  request.add_columns("emial");
  const Extracted refused = Extract(request);
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailsOf(refused.status).reason, "BAD_REQUEST");
  EXPECT_NE(refused.status.error_message().find("did you mean \"email\"?"), std::string::npos);
}

TEST_F(ExtractorServerTest, CheckConnectionTellsWorkspaceAndTables) {
  Start();
  v1::CheckConnectionResponse response;
  const grpc::Status status = Check("", &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.tables_size(), 22);
  EXPECT_NE(response.workspace().id_code(), "");
}

TEST_F(ExtractorServerTest, PlanExtractionTellsRequestsOfEveryTable) {
  Start();
  v1::PlanExtractionRequest request;
  request.set_template_(v1::TEMPLATE_ALL);
  v1::PlanExtractionResponse response;
  const grpc::Status status = Plan(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.plan().tables_size(), 22);
  EXPECT_EQ(response.requests().sent(), intercom_->stats().total);
  EXPECT_NE(response.workspace().id_code(), "");
}

TEST_F(ExtractorServerTest, PlanExtractionRefusesWhatExtractRefuses) {
  Start();
  v1::PlanExtractionRequest request;
  v1::PlanExtractionResponse response;
  EXPECT_EQ(DetailsOf(Plan(request, &response)).reason, "BAD_REQUEST");
  request.add_tables("user");
  grpc::Status status = Plan(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("users"));
  EXPECT_EQ(DetailsOf(status).reason, "BAD_REQUEST");
  request.set_connection("nowhere");
  status = Plan(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailsOf(status).reason, "CONNECTION_UNKNOWN");
  EXPECT_EQ(intercom_->stats().total, 0);
}

TEST_F(ExtractorServerTest, UnknownTableIsABadRequestThatNamesTheNearest) {
  Start();
  const Extracted result = ExtractTable("user");
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(result.status.error_message(), HasSubstr("users"));
  EXPECT_EQ(DetailsOf(result.status).reason, "BAD_REQUEST");
  EXPECT_EQ(DetailsOf(result.status).metadata.at("connection"), "default");
  EXPECT_EQ(intercom_->stats().total, 0);
}

TEST_F(ExtractorServerTest, RequestWithoutTablesIsABadRequest) {
  Start();
  const Extracted result = Extract(v1::ExtractRequest());
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailsOf(result.status).reason, "BAD_REQUEST");
}

TEST_F(ExtractorServerTest, UnknownConnectionIsNotFoundAndNamesThoseThatExist) {
  config_.connections.push_back(config_.connections[0]);
  config_.connections[1].name = "europe";
  Start();
  v1::ExtractRequest request;
  // Whatever it looks like, it is only a name.
  request.set_connection("http://127.0.0.1:1/");
  request.add_tables("tags");
  v1::CheckConnectionResponse response;
  for (const grpc::Status& status :
       {Extract(request).status, Check(request.connection(), &response)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(DetailsOf(status).reason, "CONNECTION_UNKNOWN");
    EXPECT_THAT(status.error_message(),
                AllOf(HasSubstr("http://127.0.0.1:1/"), HasSubstr("default, europe")));
  }
  EXPECT_EQ(intercom_->stats().total, 0);
}

TEST_F(ExtractorServerTest, HugeConnectionNameGivesASmallError) {
  Start();
  v1::ExtractRequest request;
  request.set_connection(std::string(40000, 'x'));
  const grpc::Status status = Extract(request).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_LT(status.error_message().size() + status.error_details().size(), 2048u);
}

TEST_F(ExtractorServerTest, RequestThatDoesNotParseIsABadRequest) {
  Start();
  const RawAnswer answer =
      CallRaw(channel_, "/intercom.extractor.v1.ExtractorService/Extract", "\x0A\x7F");
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailsOf(answer.status).reason, "BAD_REQUEST");
}

TEST_F(ExtractorServerTest, OversizedRequestIsRefused) {
  Start();
  v1::ExtractRequest request;
  request.set_connection(std::string(100 << 10, 'x'));
  EXPECT_EQ(Extract(request).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(ExtractorServerTest, RefusedTokenIsUnauthenticatedAndNotRepeated) {
  config_.connections[0].access_token = "dG9rOndyb25n";
  Start();
  v1::CheckConnectionResponse response;
  for (const grpc::Status& status : {ExtractTable("users").status, Check("default", &response)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(DetailsOf(status).reason, "TOKEN_INVALID");
    EXPECT_FALSE(DetailsOf(status).has_retry_info);
    EXPECT_THAT(status.error_message() + status.error_details(), Not(HasSubstr("dG9r")));
  }
}

TEST_F(ExtractorServerTest, UnreachableIntercomIsUnavailableAndSaysWhenToRetry) {
  config_.connections[0].base_url = "http://127.0.0.1:" + std::to_string(UnusedPort());
  StartServer();
  const grpc::Status status = ExtractTable("users").status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).reason, "INTERCOM_UNREACHABLE");
  EXPECT_TRUE(DetailsOf(status).has_retry_info);
}
TEST_F(ExtractorServerTest, HealthIsServingForServerAndService) {
  Start();
  EXPECT_EQ(CheckHealth(channel_, "").bytes, kServing);
  EXPECT_EQ(CheckHealth(channel_, "intercom.extractor.v1.ExtractorService").bytes, kServing);
  EXPECT_EQ(CheckHealth(channel_, "unknown").status.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ExtractorServerTest, ReflectionListsTheServiceUnlessTurnedOff) {
  Start();
  EXPECT_THAT(ListServices(channel_).bytes, HasSubstr("intercom.extractor.v1.ExtractorService"));
  server_ = nullptr;
  config_.reflection = false;
  StartServer();
  EXPECT_EQ(ListServices(channel_).status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ExtractorServerTest, PlainTextIsForThisMachineOnly) {
  for (const char* listen : {"0.0.0.0:0", "[::]:0", "example.com:0"}) {
    config_.listen = listen;
    EXPECT_THAT(StartError(), AllOf(HasSubstr(listen), HasSubstr("needs TLS; set tls.cert_file")));
  }
  config_.listen = "nonsense";
  EXPECT_THAT(StartError(), HasSubstr("listen: \"nonsense\" has no port"));
}

TEST_F(ExtractorServerTest, UnusableConnectionsAreRefused) {
  config_.connections.push_back(config_.connections[0]);
  EXPECT_EQ(StartError(), "connection default: the name is used twice");
  config_.connections[1].name = "europe";
  config_.connections[1].base_url = "http://intercom.example";
  EXPECT_THAT(StartError(), HasSubstr("connection europe: base_url"));
  config_.connections.clear();
  EXPECT_THAT(StartError(), HasSubstr("configure at least one"));
}

TEST_F(ExtractorServerTest, PortInUseIsUnavailable) {
  Start();
  config_.listen = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = ExtractorServer::Start(config_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("cannot bind " + config_.listen));
}

TEST_F(ExtractorServerTest, ServesAUnixSocket) {
  const TestSocket socket;
  config_.listen = socket.address();
  intercom_ = std::make_unique<fake::FakeIntercom>(
      options_, std::make_shared<fake::GeneratedWorkspace>(fake::GeneratorOptions()));
  config_.connections[0].base_url = intercom_->base_url();
  auto server = ExtractorServer::Start(config_);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ((*server)->port(), 0);
  Connect(grpc::CreateChannel(config_.listen, grpc::InsecureChannelCredentials()));
  EXPECT_EQ(ExtractTable("tags").rows.at("tags"), 200);
}

class TlsServerTest : public ExtractorServerTest {
 protected:
  TlsServerTest() : certificate_(MakeTestCertificate()) {
    // With TLS, all interfaces are allowed.
    config_.listen = "0.0.0.0:0";
    config_.tls_cert_file = WriteTestFile("server.crt", certificate_.certificate);
    config_.tls_key_file = WriteTestFile("server.key", certificate_.key);
  }

  grpc::Status ListTablesWith(const grpc::SslCredentialsOptions& options) {
    Connect(grpc::CreateChannel("localhost:" + std::to_string(server_->port()),
                                grpc::SslCredentials(options)));
    grpc::ClientContext context;
    v1::ListTablesResponse response;
    return stub_->ListTables(&context, v1::ListTablesRequest(), &response);
  }

  const TestCertificate certificate_;
};

TEST_F(TlsServerTest, ServesClientsThatTrustTheCertificate) {
  StartServer();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = certificate_.certificate;
  const grpc::Status status = ListTablesWith(options);
  EXPECT_TRUE(status.ok()) << status.error_message();
  options.pem_root_certs = MakeTestCertificate().certificate;
  EXPECT_FALSE(ListTablesWith(options).ok());
}

TEST_F(TlsServerTest, MutualTlsTurnsAwayClientsWithoutOrWithAForeignCertificate) {
  config_.tls_client_ca_file = config_.tls_cert_file;
  StartServer();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = certificate_.certificate;
  EXPECT_FALSE(ListTablesWith(options).ok());
  const TestCertificate foreign = MakeTestCertificate();
  options.pem_cert_chain = foreign.certificate;
  options.pem_private_key = foreign.key;
  EXPECT_FALSE(ListTablesWith(options).ok());
  options.pem_cert_chain = certificate_.certificate;
  options.pem_private_key = certificate_.key;
  const grpc::Status status = ListTablesWith(options);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

}  // namespace
}  // namespace intercom_extractor

// What somebody may try who reaches the port: each is refused with the right status, Intercom
// is not asked for anything, and the server then serves a normal call.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "server/caller_config.h"
#include "server/caller_token.h"
#include "server/extractor_server.h"
#include "server/raw_http2.h"
#include "server/server_fixture.h"
#include "server/test_certificates.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "attack-test-token-of-at-least-thirty-two-characters";
constexpr char kService[] = "/intercom.extractor.v1.ExtractorService/";
// Far more than any answer takes, also on a machine that does other things.
constexpr absl::Duration kPatience = absl::Seconds(30);

class AttackTest : public ServerFixture {
 protected:
  AttackTest() {
    CallerConfig caller;
    caller.name = "nightly";
    caller.token_hashes = {HashCallerToken(kToken)};
    caller.connections = {"default"};
    config_.callers = {caller};
    config_.handshake_timeout = absl::Milliseconds(500);
    authorization_ = absl::StrCat("Bearer ", kToken);
  }

  void TearDown() override {
    if (server_ == nullptr) return;
    EXPECT_EQ(intercom_->stats().total, 0) << "Intercom was asked";
    Connect(NewChannel());
    const Extracted result = ExtractTable("tags");
    EXPECT_TRUE(result.status.ok()) << result.status.error_message();
  }

  std::shared_ptr<grpc::Channel> NewChannel() const {
    grpc::ChannelArguments arguments;
    // A connection of its own, not one that another test broke.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(absl::StrCat("localhost:", server_->port()), credentials_,
                                     arguments);
  }

  // What a channel with these credentials gets.
  grpc::Status ListWith(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    Connect(grpc::CreateCustomChannel(absl::StrCat("localhost:", server_->port()), credentials,
                                      arguments));
    v1::ListTablesResponse response;
    return List(&response);
  }

  // Whatever the server says to a call, up to its first word on it or the connection's end.
  static std::string ReceiveAnswer(RawConnection* connection) {
    std::string received;
    const absl::Time end = absl::Now() + kPatience;
    const auto answered = [&] {
      return connection->closed() || !FramesOfType(received, kHttp2Headers).empty() ||
             !FramesOfType(received, kHttp2ResetStream).empty() ||
             !FramesOfType(received, kHttp2GoAway).empty();
    };
    while (!answered() && absl::Now() < end) received += connection->Receive(end - absl::Now());
    EXPECT_TRUE(answered());
    return received;
  }

  // How a normal client connects.
  std::shared_ptr<grpc::ChannelCredentials> credentials_ = grpc::InsecureChannelCredentials();
};

TEST_F(AttackTest, GarbageOnThePortIsCutOff) {
  Start();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 50; ++i) {
    RawConnection connection(server_->port());
    std::string garbage(std::uniform_int_distribution<size_t>(1, 20'000)(random), '\0');
    for (char& c : garbage) c = static_cast<char>(random());
    // In the place of the preface, or after it.
    connection.Send(absl::StrCat(i % 2 == 0 ? "" : Http2Preface(), garbage));
    // At once, or when the handshake has taken too long.
    EXPECT_TRUE(i % 2 != 0 || connection.WaitForClose(kPatience));
  }
  for (const char* text : {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\x16\x03\x01\x02", "\n"}) {
    RawConnection connection(server_->port());
    connection.Send(text);
    EXPECT_TRUE(connection.WaitForClose(kPatience)) << text;
  }
}

TEST_F(AttackTest, ConnectionsThatSayNothingOrLittleAreClosedAndHoldNobodyUp) {
  Start();
  std::vector<std::unique_ptr<RawConnection>> connections;
  for (int i = 0; i < 200; ++i) {
    connections.push_back(std::make_unique<RawConnection>(server_->port()));
  }
  v1::ListTablesResponse response;
  EXPECT_TRUE(List(&response).ok());
  // Every second one dribbles.
  const std::string preface = Http2Preface();
  size_t at = 0;
  const absl::Time end = absl::Now() + kPatience;
  size_t closed = 0;
  while (closed < connections.size() && absl::Now() < end) {
    closed = 0;
    for (size_t i = 0; i < connections.size(); ++i) {
      RawConnection& connection = *connections[i];
      if (i % 2 == 0 && !connection.closed() && at < preface.size() - 1) {
        connection.Send(preface.substr(at, 1));
      }
      if (!connection.closed()) connection.Receive(absl::ZeroDuration());
      if (connection.closed()) ++closed;
    }
    // A byte for each, about twenty times a second.
    connections[1]->Receive(absl::Milliseconds(50));
    ++at;
  }
  EXPECT_EQ(closed, connections.size());
}

TEST_F(AttackTest, OversizedMetadataIsRefused) {
  Start();
  // Many small ones are as large.
  std::vector<Http2Header> many;
  for (int i = 0; i < 2000; ++i) many.emplace_back(absl::StrCat("x-", i), "y");
  const std::vector<Http2Header> one = {{"x-large", std::string(100'000, 'x')}};
  for (std::vector<Http2Header> headers : {one, many}) {
    grpc::ClientContext context;
    Prepare(&context);
    for (const auto& [name, value] : headers) context.AddMetadata(name, value);
    v1::ListTablesResponse response;
    const grpc::Status refused = stub_->ListTables(&context, v1::ListTablesRequest(), &response);
    // gRPC refuses the call or cuts the connection, whichever end of it sees it first.
    EXPECT_TRUE(refused.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ||
                refused.error_code() == grpc::StatusCode::UNAVAILABLE)
        << refused.error_code() << " " << refused.error_message();
    // By who does not look at the server's limit, though it has agreed to it.
    headers.emplace_back("authorization", authorization_);
    RawConnection connection(server_->port());
    ASSERT_TRUE(connection.Send(Http2Preface()));
    // The server's settings: it takes an agreement that comes before them for none.
    ASSERT_NE(connection.Receive(kPatience), "");
    connection.Send(Http2SettingsAck());
    connection.Send(GrpcCall(1, absl::StrCat(kService, "ListTables"), headers, ""));
    const std::string received = ReceiveAnswer(&connection);
    EXPECT_TRUE(FramesOfType(received, kHttp2Data).empty()) << "the call was served";
  }
}

TEST_F(AttackTest, MetadataCannotSmuggleAnything) {
  Start();
  const std::string path = absl::StrCat(kService, "ListTables");
  const std::vector<std::pair<std::string, std::vector<Http2Header>>> attacks = {
      {path, {{"authorization", absl::StrCat("Bearer x\r\nauthorization: ", authorization_)}}},
      {path, {{"authorization", absl::StrCat(authorization_, "\r\nx: y")}}},
      {path, {{"authorization", absl::StrCat(authorization_, std::string(1, '\0'))}}},
      {path, {{"Authorization", authorization_}}},
      {path, {{"authorization\r\nx", authorization_}}},
      {path, {{"authorization", authorization_}, {"authorization", "Bearer x"}}},
      {path, {{"authorization-bin", authorization_}}},
      {path, {{"x-forwarded-user", "nightly"}, {"x-caller", "nightly"}}},
      {absl::StrCat(kService, "../ExtractorService/ListTables"), {}},
      {absl::StrCat(kService, "ListTables%00"), {}},
      {"/etc/passwd", {}},
      {"http://127.0.0.1:1/", {}},
  };
  for (const auto& [target, headers] : attacks) {
    RawConnection connection(server_->port());
    ASSERT_TRUE(connection.Send(Http2Preface() + GrpcCall(1, target, headers, "")));
    const std::string received = ReceiveAnswer(&connection);
    EXPECT_TRUE(FramesOfType(received, kHttp2Data).empty()) << target << " was answered";
  }
}

// All texts that a request holds, whatever requests there will be.
template <typename Request, typename Call>
void SetEachTextTo(const std::string& payload, const Call& call) {
  const auto* descriptor = Request::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = descriptor->field(i);
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) continue;
    Request request;
    // What a good request has, so that nothing but the payload can be wrong.
    const auto* tables = descriptor->FindFieldByName("tables");
    if (tables != nullptr && field != tables) {
      request.GetReflection()->AddString(&request, tables, "tags");
    }
    if (field->is_repeated()) {
      request.GetReflection()->AddString(&request, field, payload);
    } else {
      request.GetReflection()->SetString(&request, field, payload);
    }
    SCOPED_TRACE(absl::StrCat(field->full_name(), " = ", payload));
    call(request);
  }
}

TEST_F(AttackTest, NoTextOfARequestReachesAPathAHostOrAHeader) {
  Start();
  const auto refused = [](const grpc::Status& status) {
    EXPECT_THAT(status.error_code(),
                AnyOf(grpc::StatusCode::PERMISSION_DENIED, grpc::StatusCode::INVALID_ARGUMENT,
                      grpc::StatusCode::FAILED_PRECONDITION))
        << status.error_message();
    // Nor does it come back as it was, into a log or a terminal.
    EXPECT_THAT(status.error_message(), Not(HasSubstr("\r")));
    EXPECT_THAT(status.error_message(), Not(HasSubstr("\n")));
    EXPECT_THAT(status.error_message(), Not(HasSubstr("\x1b")));
  };
  for (const std::string& payload :
       {std::string("../../etc/passwd"), std::string("/etc/passwd"), std::string("..%2f..%2fetc"),
        std::string("http://127.0.0.1:1/"), std::string("//evil.example"), std::string("tags?x=y"),
        std::string("tags#x"), std::string("tags/../admins"),
        std::string("tags\r\nAuthorization: Bearer x"), std::string("tags\nHost: evil.example"),
        std::string("tags\0", 5), std::string("\0", 1), std::string("tags\x1b[2J"),
        std::string("%s%n{}${HOME}`id`$(id);'\"--")}) {
    SetEachTextTo<v1::ExtractRequest>(
        payload, [&](const v1::ExtractRequest& request) { refused(Extract(request).status); });
    SetEachTextTo<v1::PlanExtractionRequest>(payload,
                                             [&](const v1::PlanExtractionRequest& request) {
                                               v1::PlanExtractionResponse response;
                                               refused(Plan(request, &response));
                                             });
    SetEachTextTo<v1::CheckConnectionRequest>(payload,
                                              [&](const v1::CheckConnectionRequest& request) {
                                                v1::CheckConnectionResponse response;
                                                refused(Check(request.connection(), &response));
                                              });
    SetEachTextTo<v1::ListTablesRequest>(payload, [&](const v1::ListTablesRequest& request) {
      grpc::ClientContext context;
      Prepare(&context);
      v1::ListTablesResponse response;
      refused(stub_->ListTables(&context, request, &response));
    });
  }
}

TEST_F(AttackTest, TextThatIsNotUtf8IsRefused) {
  Start();
  // `connection: "\xFF\xFE"`, `tables: "\xC0\xAF"`.
  for (const std::string& request :
       {std::string("\x0A\x02\xFF\xFE"), std::string("\x1A\x02\xC0\xAF")}) {
    for (const std::string& method :
         {std::string("Extract"), std::string("PlanExtraction"), std::string("CheckConnection")}) {
      // It has no tables, and does not look at fields that it does not know.
      if (method == "CheckConnection" && request[0] == '\x1A') continue;
      RawConnection connection(server_->port());
      ASSERT_TRUE(
          connection.Send(Http2Preface() + GrpcCall(1, absl::StrCat(kService, method),
                                                    {{"authorization", authorization_}}, request)));
      const std::string received = ReceiveAnswer(&connection);
      EXPECT_THAT(received, HasSubstr("grpc-status"));
      EXPECT_TRUE(FramesOfType(received, kHttp2Data).empty()) << method;
    }
  }
}

class ResumeTokenAttackTest : public AttackTest {
 protected:
  ResumeTokenAttackTest() {
    config_.connections.push_back(config_.connections[0]);
    config_.connections[1].name = "europe";
    config_.callers[0].connections.push_back("europe");
    CallerConfig other = config_.callers[0];
    other.name = "other";
    other.token_hashes = {HashCallerToken("the token of the other caller")};
    config_.callers.push_back(other);
    request_.add_tables("tags");
  }

  void Begin() {
    Start();
    token_ = Extract(request_).resume_token;
    ASSERT_NE(token_, "");
    // The server is made anew, as its next life takes the token, too.
    server_ = nullptr;
    Start();
  }

  void ExpectRefused(const v1::ExtractRequest& request, const std::string& reason) {
    const grpc::Status status = Extract(request).status;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(DetailsOf(status).reason, reason) << status.error_message();
  }

  v1::ExtractRequest request_;
  std::string token_;
};

TEST_F(ResumeTokenAttackTest, AForgedTokenIsRefused) {
  Begin();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (const size_t size : {size_t{1}, size_t{5}, size_t{37}, token_.size(), size_t{60'000}}) {
    std::string forged(size, '\0');
    for (char& c : forged) c = static_cast<char>(random());
    request_.set_resume_token(forged);
    ExpectRefused(request_, "RESUME_TOKEN_INVALID");
    // With the right beginning.
    forged.replace(0, std::min<size_t>(5, size), token_, 0, std::min<size_t>(5, size));
    request_.set_resume_token(forged);
    ExpectRefused(request_, "RESUME_TOKEN_INVALID");
  }
}

TEST_F(ResumeTokenAttackTest, AnAlteredTokenIsRefused) {
  Begin();
  // After magic and version: the signature and what is signed.
  for (size_t at = 5; at < token_.size(); at += 3) {
    std::string altered = token_;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    request_.set_resume_token(altered);
    ExpectRefused(request_, "RESUME_TOKEN_INVALID");
  }
  request_.set_resume_token(token_.substr(0, token_.size() - 1));
  ExpectRefused(request_, "RESUME_TOKEN_INVALID");
  request_.set_resume_token(token_ + "x");
  ExpectRefused(request_, "RESUME_TOKEN_INVALID");
}

TEST_F(ResumeTokenAttackTest, ATokenOfAnotherCallerConnectionOrRequestIsRefused) {
  Begin();
  request_.set_resume_token(token_);
  v1::ExtractRequest other = request_;
  other.set_connection("europe");
  ExpectRefused(other, "RESUME_TOKEN_MISMATCH");
  other = request_;
  other.add_tables("users");
  ExpectRefused(other, "RESUME_TOKEN_MISMATCH");
  other = request_;
  other.set_body_format(v1::BODY_FORMAT_HTML);
  ExpectRefused(other, "RESUME_TOKEN_MISMATCH");
  other = request_;
  other.mutable_updated_since()->set_seconds(1);
  ExpectRefused(other, "RESUME_TOKEN_MISMATCH");
  authorization_ = "Bearer the token of the other caller";
  ExpectRefused(request_, "RESUME_TOKEN_MISMATCH");
}

class TlsAttackTest : public AttackTest {
 protected:
  TlsAttackTest() {
    config_.tls_cert_file = WriteTestFile("attack.crt", server_certificate_.certificate);
    config_.tls_key_file = WriteTestFile("attack.key", server_certificate_.key);
    config_.tls_client_ca_file = WriteTestFile("attack-ca.crt", ca_.certificate);
    config_.callers[0].token_hashes.clear();
    config_.callers[0].certificate_names = {"etl.example"};
    authorization_ = "";
    credentials_ = Credentials(Signed("DNS:etl.example"));
  }

  TestCertificate Signed(const std::string& names, bool expired = false) const {
    TestCertificateOptions options;
    options.common_name = "client";
    options.alternative_names = names;
    options.expired = expired;
    options.issuer = &ca_;
    return MakeTestCertificate(options);
  }

  std::shared_ptr<grpc::ChannelCredentials> Credentials(const TestCertificate& client) const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = server_certificate_.certificate;
    options.pem_cert_chain = client.certificate;
    options.pem_private_key = client.key;
    return grpc::SslCredentials(options);
  }

  void StartTls() {
    intercom_ = std::make_unique<fake::FakeIntercom>(
        options_, std::make_shared<fake::GeneratedWorkspace>(fake::GeneratorOptions()));
    config_.connections[0].base_url = intercom_->base_url();
    auto server = ExtractorServer::Start(config_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  static TestCertificate Authority() {
    TestCertificateOptions options;
    options.common_name = "the clients' authority";
    options.alternative_names = "";
    return MakeTestCertificate(options);
  }

  const TestCertificate server_certificate_ = MakeTestCertificate();
  const TestCertificate ca_ = Authority();
};

TEST_F(TlsAttackTest, ANameInTheCertificateTellsWhoCalls) {
  StartTls();
  EXPECT_TRUE(ListWith(Credentials(Signed("DNS:etl.example"))).ok());
  EXPECT_TRUE(ListWith(Credentials(Signed("DNS:a.example,DNS:etl.example"))).ok());
  for (const char* names : {"DNS:other.example", "DNS:etl.example.evil", "URI:spiffe://etl.example",
                            "DNS:*.example", "email:etl.example@example.com"}) {
    const grpc::Status status = ListWith(Credentials(Signed(names)));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << names;
    EXPECT_EQ(DetailsOf(status).reason, "CALLER_UNKNOWN");
  }
}

TEST_F(TlsAttackTest, AnExpiredClientCertificateIsRefused) {
  StartTls();
  EXPECT_EQ(ListWith(Credentials(Signed("DNS:etl.example", /*expired=*/true))).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsAttackTest, ACertificateOfAnotherAuthorityIsRefused) {
  StartTls();
  TestCertificateOptions options;
  options.alternative_names = "DNS:etl.example";
  EXPECT_EQ(ListWith(Credentials(MakeTestCertificate(options))).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  // Of the same name as the right one.
  const TestCertificate other = Authority();
  options.issuer = &other;
  EXPECT_EQ(ListWith(Credentials(MakeTestCertificate(options))).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsAttackTest, WithoutACertificateThereIsNoCall) {
  StartTls();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = server_certificate_.certificate;
  EXPECT_EQ(ListWith(grpc::SslCredentials(options)).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsAttackTest, PlainTextToATlsPortIsRefused) {
  StartTls();
  EXPECT_EQ(ListWith(grpc::InsecureChannelCredentials()).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  RawConnection connection(server_->port());
  connection.Send(Http2Preface());
  EXPECT_TRUE(connection.WaitForClose(kPatience));
}

TEST_F(TlsAttackTest, AHandshakeThatStopsIsClosed) {
  StartTls();
  RawConnection silent(server_->port());
  RawConnection begun(server_->port());
  // A ClientHello that announces more than comes.
  begun.Send(absl::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  EXPECT_TRUE(silent.WaitForClose(kPatience));
  EXPECT_TRUE(begun.WaitForClose(kPatience));
}

TEST_F(AttackTest, TlsToAPlainTextPortIsRefused) {
  Start();
  EXPECT_EQ(ListWith(grpc::SslCredentials(grpc::SslCredentialsOptions())).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace intercom_extractor

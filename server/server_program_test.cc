// The program as an operator meets it: flags, the line that says where it listens,
// signals and exit codes.

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "proto/v1.h"
#include "server/caller_token.h"
#include "server/program_fixture.h"
#include "server/test_certificates.h"
#include "server/test_socket.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A configuration whose Intercom is a port of this machine; nobody listens on 1.
std::string GoodConfig(int intercom_port = 1) {
  return WriteTestFile("program.yaml",
                       "listen: 127.0.0.1:0\n"
                       "connections:\n"
                       "  - name: default\n"
                       "    base_url: http://127.0.0.1:" +
                           std::to_string(intercom_port) +
                           "\n"
                           "    access_token_env: SERVER_PROGRAM_TEST_TOKEN\n");
}

// An Intercom that takes connections and never answers.
class SilentListener {
 public:
  SilentListener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~SilentListener() { close(fd_); }
  int port() const { return port_; }

 private:
  const int fd_;
  int port_ = 0;
};

TEST(ServerProgramTest, SaysWhereItListensServesAndEndsWithASignal) {
  for (const int number : {SIGTERM, SIGINT}) {
    Program program({"--config", GoodConfig()});
    const std::string address = AddressIn(program.ReadLine());
    EXPECT_THAT(address, AllOf(StartsWith("127.0.0.1:"), Not(HasSubstr(":0"))));

    const auto stub = v1::ExtractorService::NewStub(
        grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    v1::ListTablesResponse response;
    EXPECT_TRUE(stub->ListTables(&context, v1::ListTablesRequest(), &response).ok());
    EXPECT_EQ(response.tables_size(), 22);

    program.Signal(number);
    const std::string rest = program.ReadAll();
    EXPECT_EQ(program.Wait(), 0);
    EXPECT_THAT(rest, AllOf(HasSubstr("stopping"), HasSubstr("stopped")));
  }
}

TEST(ServerProgramTest, ListenFlagComesBeforeTheFile) {
  const TestSocket socket;
  Program program({"--config", GoodConfig(), "--listen", socket.address()});
  EXPECT_EQ(AddressIn(program.ReadLine()), socket.address());
}

TEST(ServerProgramTest, JsonLogIsOneObjectPerLine) {
  Program program({"--config", GoodConfig(), "--log-format", "json"});
  EXPECT_THAT(program.ReadLine(),
              ::testing::MatchesRegex("\\{\"time\":\"[-0-9T:.]+Z\",\"level\":\"info\",\"message\":"
                                      "\"listening on 127.0.0.1:[0-9]+\",\"connections\":1,"
                                      "\"tls\":\"off\"\\}"));
}

TEST(ServerProgramTest, EachExtractEndsWithALineWithoutSecrets) {
  Program program({"--config", GoodConfig()});
  const auto stub = v1::ExtractorService::NewStub(
      grpc::CreateChannel(AddressIn(program.ReadLine()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::ExtractRequest request;
  request.add_tables("tags");
  const auto reader = stub->Extract(&context, request);
  v1::ExtractResponse event;
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  program.Signal(SIGTERM);
  const std::string log = program.ReadAll();
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_THAT(log, AllOf(HasSubstr("warning extract ended extraction="),
                         HasSubstr(" connection=default tables=1 rows=0 "), HasSubstr(" duration="),
                         HasSubstr(" status=UNAVAILABLE error="), Not(HasSubstr(kProgramToken))));
}

TEST(ServerProgramTest, LeavesNoCoreFile) {
  Program program({"--config", GoodConfig()});
  program.ReadLine();
  std::ifstream limits("/proc/" + std::to_string(program.pid()) + "/limits");
  const std::string text(std::istreambuf_iterator<char>(limits), {});
  // The limit 1 also keeps one from a program that core_pattern names.
  EXPECT_THAT(text, ContainsRegex("Max core file size +1 +1 "));
}

TEST(ServerProgramTest, ASecondSignalEndsAtOnce) {
  const SilentListener intercom;
  Program program({"--config", GoodConfig(intercom.port())});
  const std::string address = AddressIn(program.ReadLine());
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  const auto stub = v1::ExtractorService::NewStub(channel);
  grpc::ClientContext context;
  v1::ExtractRequest request;
  request.add_tables("tags");
  const auto reader = stub->Extract(&context, request);
  v1::ExtractResponse event;
  ASSERT_TRUE(reader->Read(&event));  // The first progress: it is running.
  program.Signal(SIGTERM);
  while (program.ReadLine().find("stopping") == std::string::npos) {
  }
  program.Signal(SIGINT);
  EXPECT_EQ(program.Wait(), 128 + SIGINT);
}

TEST(ServerProgramTest, UsageAndConfigurationErrorsEndWithTwo) {
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } kCases[] = {
      {{}, "--config is required"},
      {{"--config", "/nonexistent.yaml"}, "/nonexistent.yaml: cannot read it"},
      {{"--config", GoodConfig(), "--nonsense"}, "--nonsense"},
      {{"--config", GoodConfig(), "--log-format", "xml"},
       "--log-format: \"xml\" is none of text, json"},
      {{"--config", GoodConfig(), "--listen", "0.0.0.0:0"}, "needs TLS; set tls.cert_file"},
      {{"--config", GoodConfig(), "--listen", "50051"}, "has no port"},
      {{"--config", WriteTestFile("bad.yaml", "listn: x\n")},
       "bad.yaml:1: listn: unknown key; did you mean listen?"},
  };
  for (const auto& test_case : kCases) {
    Program program(test_case.arguments);
    EXPECT_THAT(program.ReadAll(), HasSubstr(test_case.message));
    EXPECT_EQ(program.Wait(), 2) << test_case.message;
  }
}

// An environment variable for the programs that start while it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* const name_;
};

TEST(ServerProgramTest, SettingsAreFlagsAndVariablesToo) {
  const Variable config("INTERCOM_EXTRACTOR_CONFIG", GoodConfig());
  const Variable listen("INTERCOM_EXTRACTOR_LISTEN", "unix:/no/folder/socket");
  const Variable streams("INTERCOM_EXTRACTOR_MAX_STREAMS", "5");
  const Variable wrong("INTERCOM_EXTRACTOR_LISTN", "planted");
  Program program(
      {"--check", "--listen", "127.0.0.1:0", "--reflection=false", "--allow-plaintext"});
  const std::string said = program.ReadAll();
  EXPECT_EQ(program.Wait(), 0) << said;
  EXPECT_THAT(said, HasSubstr("  listens on 127.0.0.1:0, plain text\n"));
  EXPECT_THAT(said, HasSubstr("  allow_plaintext is from --allow-plaintext, not from the file\n"
                              "  listen is from --listen, not from the file\n"
                              "  max_streams is from INTERCOM_EXTRACTOR_MAX_STREAMS, not from the "
                              "file\n"
                              "  reflection is from --reflection, not from the file\n"));
  EXPECT_THAT(said, HasSubstr("warning: the environment variable INTERCOM_EXTRACTOR_LISTN is no "
                              "setting; did you mean INTERCOM_EXTRACTOR_LISTEN?"));
  EXPECT_THAT(said, Not(HasSubstr("planted")));
}

TEST(ServerProgramTest, ARunningServerWarnsOfVariablesThatNameNothing) {
  const Variable wrong("INTERCOM_EXTRACTOR_TLS_CERTFILE", "planted");
  Program program({"--config", GoodConfig(), "--log-format=json"});
  EXPECT_THAT(program.ReadLine(), HasSubstr("did you mean INTERCOM_EXTRACTOR_TLS_CERT_FILE?"));
}

// GoodConfig() with a second connection and whatever `more` says.
std::string ChangedConfig(const std::string& more) {
  return WriteTestFile("program.yaml",
                       "listen: 127.0.0.1:0\n"
                       "connections:\n"
                       "  - name: default\n"
                       "    base_url: http://127.0.0.1:1\n"
                       "    access_token_env: SERVER_PROGRAM_TEST_TOKEN\n"
                       "  - name: second\n"
                       "    base_url: http://127.0.0.1:1\n"
                       "    access_token_env: SERVER_PROGRAM_TEST_TOKEN\n" +
                           more);
}

TEST(ServerProgramTest, HangUpReloadsAndABrokenFileChangesNothing) {
  Program program({"--config", GoodConfig()});
  const std::string address = AddressIn(program.ReadLine());
  const auto stub = v1::ExtractorService::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  const auto check = [&](const std::string& connection) {
    grpc::ClientContext context;
    v1::CheckConnectionRequest request;
    request.set_connection(connection);
    v1::CheckConnectionResponse response;
    return stub->CheckConnection(&context, request, &response).error_code();
  };
  const auto next_line_with = [&](const std::string& text) {
    std::string line;
    do {
      line = program.ReadLine();
    } while (!line.empty() && line.find(text) == std::string::npos);
    return line;
  };
  EXPECT_EQ(check("second"), grpc::StatusCode::NOT_FOUND);

  ChangedConfig("max_streams: 0\n");
  program.Signal(SIGHUP);
  EXPECT_THAT(next_line_with("reload"),
              AllOf(HasSubstr("error reload failed; everything stays as it was"),
                    HasSubstr("program.yaml:9: max_streams: ")));
  EXPECT_EQ(check("second"), grpc::StatusCode::NOT_FOUND);

  ChangedConfig("max_streams: 5\nreflection: false\nhttp: {max_connections: 3}\n");
  program.Signal(SIGHUP);
  EXPECT_THAT(next_line_with("restart"),
              HasSubstr("warning these settings have changed and need a restart "
                        "settings=\"reflection, http.max_connections\""));
  EXPECT_THAT(next_line_with("reloaded"), HasSubstr("reloaded connections=2 callers=0"));
  // Intercom is not there, but the connection is.
  EXPECT_EQ(check("second"), grpc::StatusCode::UNAVAILABLE);
  program.Signal(SIGTERM);
  program.ReadAll();
  EXPECT_EQ(program.Wait(), 0);
}

TEST(ServerProgramTest, HangUpWhileItStopsDoesNotEndIt) {
  const SilentListener intercom;
  Program program({"--config", GoodConfig(intercom.port())});
  const auto stub = v1::ExtractorService::NewStub(
      grpc::CreateChannel(AddressIn(program.ReadLine()), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::ExtractRequest request;
  request.add_tables("tags");
  const auto reader = stub->Extract(&context, request);
  v1::ExtractResponse event;
  ASSERT_TRUE(reader->Read(&event));
  program.Signal(SIGTERM);
  while (program.ReadLine().find("stopping") == std::string::npos) {
  }
  program.Signal(SIGHUP);
  while (reader->Read(&event)) {
  }
  program.ReadAll();
  EXPECT_EQ(program.Wait(), 0);
}

TEST(ServerProgramTest, PlainTextForOthersIsWarnedOfAtEachStart) {
  const std::string config = ChangedConfig("allow_plaintext: true\n");
  Program program({"--config", config, "--listen", "0.0.0.0:0"});
  EXPECT_THAT(program.ReadLine(),
              HasSubstr("warning plain text on an address that other machines"));
  EXPECT_THAT(program.ReadLine(), HasSubstr("warning everybody who can reach this address"));
  EXPECT_THAT(program.ReadLine(), HasSubstr("listening on 0.0.0.0:"));
}

TEST(ServerProgramTest, CheckSaysWhatItWouldServeOrWhatIsWrong) {
  const std::string hash(64, 'a');
  Program good({"--check", "--config",
                ChangedConfig("callers:\n"
                              "  - name: nightly\n"
                              "    token_sha256: " +
                              hash +
                              "\n"
                              "    connections: [default, second]\n"
                              "    tables: [users, tags]\n"
                              "    max_streams: 3\n")});
  const std::string text = good.ReadAll();
  EXPECT_EQ(good.Wait(), 0);
  EXPECT_THAT(text, HasSubstr("program.yaml is good; a server with it\n"
                              "  listens on 127.0.0.1:0, plain text\n"
                              "  connection default: http://127.0.0.1:1, API version 2.16\n"
                              "  connection second: http://127.0.0.1:1, API version 2.16\n"
                              "  caller nightly: 1 token; connections default, second; tables "
                              "users, tags; at most 3 streams\n"));
  EXPECT_THAT(text, AllOf(Not(HasSubstr(kProgramToken)), Not(HasSubstr(hash))));

  const struct {
    std::string config;
    std::string message;
  } kBad[] = {
      {"callers:\n", "program.yaml:9: callers: must list at least one caller"},
      {"calers: []\n", "program.yaml:9: calers: unknown key; did you mean callers?"},
      {"tls: {cert_file: /nonexistent.crt, key_file: x}\n",
       "tls.cert_file: cannot read /nonexistent.crt"},
  };
  for (const auto& bad : kBad) {
    Program program({"--config", ChangedConfig(bad.config), "--check"});
    EXPECT_THAT(program.ReadAll(), HasSubstr(bad.message));
    EXPECT_EQ(program.Wait(), 2);
  }
}

TEST(ServerProgramTest, HashTokenMakesATokenThatItsHashIsOf) {
  Program program({"hash-token", "--new"});
  EXPECT_THAT(program.ReadLine(), HasSubstr("Give the caller this token"));
  const std::string token = program.ReadLine().substr(2);
  const std::string line = program.ReadLine();
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_EQ(line, "token_sha256: " + absl::BytesToHexString(HashCallerToken(token)));
}

TEST(ServerProgramTest, TakenPortEndsWithFive) {
  Program first({"--config", GoodConfig()});
  const std::string address = AddressIn(first.ReadLine());
  Program second({"--config", GoodConfig(), "--listen", address});
  EXPECT_THAT(second.ReadAll(), HasSubstr("cannot bind " + address));
  EXPECT_EQ(second.Wait(), 5);
}

TEST(ServerProgramTest, HelpAndVersionEndWithZero) {
  Program help({"--help"});
  EXPECT_THAT(help.ReadAll(), AllOf(HasSubstr("--config FILE"), HasSubstr("Exit codes")));
  EXPECT_EQ(help.Wait(), 0);
  Program version({"--version"});
  EXPECT_THAT(version.ReadAll(), StartsWith("intercom-extractor-server "));
  EXPECT_EQ(version.Wait(), 0);
}

}  // namespace
}  // namespace intercom_extractor

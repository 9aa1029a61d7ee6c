// The program as an operator meets it: flags, the line that says where it listens,
// signals and exit codes.

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.grpc.pb.h"
#include "proto/v1.h"
#include "server/test_certificates.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kProgram[] = "server/intercom-extractor-server";
constexpr char kToken[] = "dG9rOnByb2dyYW0tdGVzdA";

// A running program; its stdout and stderr are one pipe.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      setenv("SERVER_PROGRAM_TEST_TOKEN", kToken, 1);
      arguments.insert(arguments.begin(), kProgram);
      std::vector<char*> argv;
      argv.reserve(arguments.size() + 1);
      for (std::string& argument : arguments) argv.push_back(&argument[0]);
      argv.push_back(nullptr);
      execv(kProgram, argv.data());
      _exit(127);
    }
    close(ends[1]);
    output_ = ends[0];
  }

  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      Wait();
    }
    close(output_);
  }

  void Signal(int number) const { kill(pid_, number); }

  // The next line; empty at the end.
  std::string ReadLine() {
    std::string line;
    char c = 0;
    while (read(output_, &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }

  std::string ReadAll() {
    std::string text;
    char c = 0;
    while (read(output_, &c, 1) == 1) text.push_back(c);
    return text;
  }

  // The exit code.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

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

// The address in "... listening on ADDR ...".
std::string AddressIn(const std::string& line) {
  const std::string kBefore = "listening on ";
  const size_t begin = line.find(kBefore);
  EXPECT_NE(begin, std::string::npos) << line;
  if (begin == std::string::npos) return "";
  const size_t end = line.find_first_of(" \"", begin + kBefore.size());
  return line.substr(begin + kBefore.size(), end - begin - kBefore.size());
}

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
  const std::string address =
      "unix:/tmp/intercom-extractor-program-test." + std::to_string(getpid());
  Program program({"--config", GoodConfig(), "--listen", address});
  EXPECT_EQ(AddressIn(program.ReadLine()), address);
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
  EXPECT_THAT(log, AllOf(HasSubstr("warning extract ended connection=default tables=1 rows=0 "),
                         HasSubstr(" duration="), HasSubstr(" status=UNAVAILABLE error="),
                         Not(HasSubstr(kToken))));
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
      {{"--config", GoodConfig(), "--log-format", "xml"}, "xml not in {text,json}"},
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

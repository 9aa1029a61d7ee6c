#include "clients/cli/remote_server.h"

#include <map>
#include <string>

#include "absl/status/status.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "grpcpp/support/channel_arguments.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RemoteServerTest, OnlyThisMachineIsLocal) {
  for (const char* address :
       {"localhost:1", "127.0.0.1:1", "127.255.0.7:50051", "[::1]:1", "unix:/run/x", "unix:x"}) {
    EXPECT_TRUE(IsLocalAddress(address)) << address;
  }
  for (const char* address :
       {"127.0.0.1.evil.example:1", "localhost.evil.example:1", "10.0.0.1:1", "[::2]:1",
        "extractor:1", "0.0.0.0:1", "127.0.0.256:1", "127.1:1", "localhost", "", ":1"}) {
    EXPECT_FALSE(IsLocalAddress(address)) << address;
  }
}

TEST(RemoteServerTest, AddressNeedsAPort) {
  for (const char* address :
       {"extractor", "extractor:", "extractor:0", "extractor:65536", ":50051"}) {
    ConnectionOptions options;
    options.server = address;
    const absl::Status status = RemoteChannel(options).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr("write HOST:PORT")) << address;
  }
}

TEST(RemoteServerTest, PingsForAsLongAsItTakesAndNotMoreOftenThanTheServerAllows) {
  const grpc::ChannelArguments made = ClientChannelArguments();
  const grpc_channel_args arguments = made.c_channel_args();
  std::map<std::string, int> numbers;
  for (size_t i = 0; i < arguments.num_args; ++i) {
    const grpc_arg& argument = arguments.args[i];
    if (argument.type == GRPC_ARG_INTEGER) numbers[argument.key] = argument.value.integer;
  }
  // docs/server.example.yaml: every 30 s; below that the server says "too_many_pings".
  EXPECT_GE(numbers.at(GRPC_ARG_KEEPALIVE_TIME_MS), 30'000);
  // What idle load balancers bear.
  EXPECT_LE(numbers.at(GRPC_ARG_KEEPALIVE_TIME_MS), 60'000);
  EXPECT_EQ(numbers.at(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA), 0);
}

TEST(RemoteServerTest, UnreadableFileIsNamed) {
  ConnectionOptions options;
  options.server = "extractor.example:50051";
  options.ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(RemoteChannel(options).status().message(),
            "--ca-file: cannot read /nonexistent/ca.pem: No such file or directory");
}

TEST(RemoteServerTest, ReadsTheCallersTokenWithoutSpaceAroundIt) {
  TestDirectory directory;
  ConnectionOptions options;
  EXPECT_EQ(*ReadCallerToken(options), "");
  options.caller_token_file = directory.Path("token");
  WriteAll(options.caller_token_file, " secret\n");
  EXPECT_EQ(*ReadCallerToken(options), "secret");
}

TEST(RemoteServerTest, BadTokenFileIsNamedAndItsContentIsNot) {
  TestDirectory directory;
  ConnectionOptions options;
  options.caller_token_file = directory.Path("token");
  for (const char* content : {"secret one\nsecret two", "secret\x01", "\n"}) {
    WriteAll(options.caller_token_file, content);
    const absl::Status status = ReadCallerToken(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr(options.caller_token_file));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/cpp/channel.h"

#include <fstream>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "grpcpp/support/channel_arguments.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A file of this test's own with that content.
std::string FileWith(const std::string& content) {
  const std::string path = ::testing::TempDir() + "/token";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  return path;
}

TEST(ChannelTest, OnlyThisMachineIsLocal) {
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

TEST(ChannelTest, TargetNeedsAPort) {
  for (const char* target :
       {"extractor", "extractor:", "extractor:0", "extractor:65536", ":50051"}) {
    ConnectOptions options;
    options.target = target;
    EXPECT_THAT(std::string(MakeChannel(options).status().message()), HasSubstr("write HOST:PORT"))
        << target;
  }
}

TEST(ChannelTest, PingsForAsLongAsItTakesAndNotMoreOftenThanTheServerAllows) {
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

TEST(ChannelTest, UnreadableFileIsNamedWithItsField) {
  ConnectOptions options;
  options.target = "extractor.example:50051";
  options.key_file = "/nonexistent/key.pem";
  EXPECT_EQ(MakeChannel(options).status().message(),
            "key_file: cannot read /nonexistent/key.pem: No such file or directory");
}

TEST(ChannelTest, ReadsTheCallersTokenWithoutSpaceAroundIt) {
  EXPECT_EQ(*ReadCallerToken(FileWith(" secret\n")), "secret");
}

TEST(ChannelTest, BadTokenFileIsNamedAndItsContentIsNot) {
  for (const char* content : {"secret one\nsecret two", "secret\x01", "\n"}) {
    const std::string path = FileWith(content);
    const absl::Status status = ReadCallerToken(path).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  }
}

TEST(ChannelTest, TokenThatCannotBeSentIsRefusedWithoutSayingIt) {
  EXPECT_TRUE(CheckCallerToken("").ok());
  EXPECT_TRUE(CheckCallerToken("opensesame").ok());
  const absl::Status status = CheckCallerToken("open sesame");
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("sesame")));
}

}  // namespace
}  // namespace intercom_extractor

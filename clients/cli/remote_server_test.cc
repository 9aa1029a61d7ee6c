#include "clients/cli/remote_server.h"

#include <string>

#include "absl/status/status.h"
#include "clients/cli/test_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RemoteServerTest, AddressNeedsAPort) {
  for (const char* address :
       {"extractor", "extractor:", "extractor:0", "extractor:65536", ":50051"}) {
    ConnectionOptions options;
    options.server = address;
    const absl::Status status = ConnectToServer(options).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr("write HOST:PORT")) << address;
    EXPECT_THAT(std::string(status.message()), HasSubstr("--server")) << address;
  }
}

TEST(RemoteServerTest, UnreadableFileIsNamed) {
  ConnectionOptions options;
  options.server = "extractor.example:50051";
  options.ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(ConnectToServer(options).status().message(),
            "--ca-file: cannot read /nonexistent/ca.pem: No such file or directory");
}

TEST(RemoteServerTest, BadTokenFileIsNamedAndItsContentIsNot) {
  TestDirectory directory;
  ConnectionOptions options;
  options.server = "localhost:1";
  options.caller_token_file = directory.Path("token");
  WriteAll(options.caller_token_file, "secret one\nsecret two");
  const absl::Status status = ConnectToServer(options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("--caller-token-file: "));
  EXPECT_THAT(std::string(status.message()), HasSubstr(options.caller_token_file));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace intercom_extractor

#include "server/listen_address.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

TEST(ListenAddressTest, LoopbackAndUnixSocketsAreLocal) {
  for (const char* text : {"127.0.0.1:50051", "127.9.8.7:0", "localhost:1", "[::1]:65535",
                           "unix:/run/intercom-extractor.sock"}) {
    const auto address = ParseListenAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_TRUE(address->is_local) << text;
    EXPECT_EQ(address->text, text);
  }
}

TEST(ListenAddressTest, AddressesThatOthersCanReachAreNotLocal) {
  for (const char* text :
       {"0.0.0.0:50051", "[::]:50051", "10.0.0.1:1", "example.com:1",
        // Names may resolve to anything, whatever they look like.
        "127.0.0.1.example.com:1", "localhost.example.com:1", "127.1:1", "[::ffff:10.0.0.1]:1"}) {
    const auto address = ParseListenAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_FALSE(address->is_local) << text;
  }
}

TEST(ListenAddressTest, ErrorsSayWhatToWrite) {
  const struct {
    const char* text;
    const char* message;
  } kCases[] = {
      {"50051", "has no port; write HOST:PORT"},
      {"localhost", "has no port"},
      {":50051", "has no host; write 127.0.0.1:PORT"},
      {"127.0.0.1:", "needs a port"},
      {"127.0.0.1:65536", "needs a port"},
      {"127.0.0.1:-1", "needs a port"},
      {"127.0.0.1:http", "needs a port"},
      {"::1:50051", "an IPv6 host stands in brackets"},
      {"[::1:50051", "is not an IPv6 address"},
      {"[nonsense]:50051", "is not an IPv6 address"},
      {"http://127.0.0.1:50051", "is not HOST:PORT"},
      {"*:50051", "is not HOST:PORT"},
      {"unix:", "needs a path"},
  };
  for (const auto& test_case : kCases) {
    const auto address = ParseListenAddress(test_case.text);
    ASSERT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << test_case.text;
    EXPECT_THAT(std::string(address.status().message()), HasSubstr(test_case.message));
  }
  EXPECT_FALSE(ParseListenAddress("unix:/" + std::string(200, 'x')).ok());
}

}  // namespace
}  // namespace intercom_extractor

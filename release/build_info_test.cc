#include "release/build_info.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::MatchesRegex;

TEST(BuildInfoTest, SaysWhatTheProgramIsMadeOf) {
  EXPECT_THAT(
      VersionText("some-program"),
      MatchesRegex("some-program [0-9]+\\.[0-9]+\\.[0-9]+\n"
                   "revision   [0-9a-z-]+\n"
                   "compiler   (gcc|clang) [0-9]+\\..*\n"
                   "libraries  gRPC [0-9.]+, protobuf [0-9.]+, libcurl [0-9.]+, OpenSSL [0-9.]+\n"
                   "contracts  intercom.extractor.v1, Intercom API [0-9.]+\n"));
}

}  // namespace
}  // namespace intercom_extractor

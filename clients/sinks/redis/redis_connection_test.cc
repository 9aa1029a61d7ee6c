#include "clients/sinks/redis/redis_connection.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedisErrorTest, SaysWhatWhereWhyAndWhatToDo) {
  const absl::Status status =
      RedisError("OOM command not allowed", "cannot write", "redis://h:1/0");
  EXPECT_EQ(
      status.message(),
      "cannot write at redis://h:1/0: OOM command not allowed; its maxmemory is used up: give "
      "it more, or delete or trim streams, then run again");
}

TEST(RedisErrorTest, CodesTellWhatMayPassFromWhatAPersonHasToDo) {
  const struct {
    const char* said;
    absl::StatusCode code;
  } kCases[] = {
      {"LOADING Redis is loading the dataset in memory", absl::StatusCode::kUnavailable},
      {"READONLY You can't write against a read only replica.", absl::StatusCode::kUnavailable},
      {"OOM command not allowed when used memory > 'maxmemory'.",
       absl::StatusCode::kResourceExhausted},
      {"MISCONF Errors writing to the AOF file: No space left on device",
       absl::StatusCode::kResourceExhausted},
      {"WRONGPASS invalid username-password pair", absl::StatusCode::kPermissionDenied},
      {"NOAUTH Authentication required.", absl::StatusCode::kPermissionDenied},
      {"NOPERM this user has no permissions", absl::StatusCode::kPermissionDenied},
      {"WRONGTYPE Operation against a key", absl::StatusCode::kFailedPrecondition},
      {"MOVED 3999 127.0.0.1:6381", absl::StatusCode::kFailedPrecondition},
      {"ERR something new", absl::StatusCode::kFailedPrecondition},
  };
  for (const auto& expected : kCases) {
    EXPECT_EQ(RedisError(expected.said, "refused", "h").code(), expected.code) << expected.said;
  }
}

TEST(RedisErrorTest, LeavesOutWhatWasSent) {
  const absl::Status status = RedisError(
      "ERR unknown command 'AUTH', with args beginning with: 'hunter2' ", "refused", "h");
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("unknown command 'AUTH'"), Not(HasSubstr("hunter2"))));
}

}  // namespace
}  // namespace intercom_extractor

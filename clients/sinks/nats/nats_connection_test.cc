#include "clients/sinks/nats/nats_connection.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

absl::Status ErrorOf(natsStatus status, int js_code = 0) {
  return NatsError(status, js_code, "", "cannot publish", "nats://h");
}

TEST(NatsErrorTest, SaysWhatWhereWhyAndWhatToDo) {
  EXPECT_EQ(ErrorOf(NATS_NO_SERVER).message(),
            "cannot publish at nats://h: No server available for connection; check that NATS runs "
            "there and can be reached");
  EXPECT_THAT(std::string(NatsError(NATS_ERR, 10077, "no space", "w", "h").message()),
              HasSubstr("w at h: no space; look at its disk"));
}

TEST(NatsErrorTest, CodesTellWhatMayPassFromWhatAPersonHasToDo) {
  for (const natsStatus status :
       {NATS_TIMEOUT, NATS_CONNECTION_CLOSED, NATS_IO_ERROR, NATS_STALE_CONNECTION,
        NATS_NO_RESPONDERS, NATS_NO_SERVER, NATS_CONNECTION_DISCONNECTED}) {
    EXPECT_EQ(ErrorOf(status).code(), absl::StatusCode::kUnavailable) << status;
  }
  EXPECT_EQ(ErrorOf(NATS_CONNECTION_AUTH_FAILED).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorOf(NATS_NOT_PERMITTED).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorOf(NATS_MAX_PAYLOAD).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorOf(NATS_SSL_ERROR).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorOf(NATS_ERR, JSStreamWrongLastSequenceErr).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorOf(NATS_ERR, JSStorageResourcesExceededErr).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorOf(NATS_ERR, JSStreamSubjectOverlapErr).code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace intercom_extractor

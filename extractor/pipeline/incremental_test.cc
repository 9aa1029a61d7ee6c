#include "extractor/pipeline/incremental.h"

#include "extractor/intercom/intercom_client.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1700000000);

v1::ExtractRequest Since(int64_t seconds) {
  v1::ExtractRequest request;
  request.mutable_updated_since()->set_seconds(seconds);
  return request;
}

TEST(IncrementalTest, WithoutATimeEverythingIsRead) {
  v1::ExtractRequest request;
  request.set_find_deleted(true);
  const auto incremental = IncrementalOf(request, kNow);
  ASSERT_TRUE(incremental.ok());
  EXPECT_TRUE(incremental->Reads(0));
  // What a full run holds is what exists.
  EXPECT_FALSE(incremental->find_deleted);
}

TEST(IncrementalTest, TheSecondItselfIsRead) {
  const auto incremental = IncrementalOf(Since(1699999000), kNow);
  ASSERT_TRUE(incremental.ok());
  EXPECT_TRUE(incremental->Reads(1699999000));
  EXPECT_FALSE(incremental->Reads(1699998999));
}

TEST(IncrementalTest, ARecordWithoutATimeIsReadAsItMayHaveChanged) {
  const auto incremental = IncrementalOf(Since(1699999000), kNow);
  ASSERT_TRUE(incremental.ok());
  EXPECT_TRUE(incremental->Reads(std::nullopt));
}

TEST(IncrementalTest, TheFutureIsRefusedBeyondWhatClocksDiffer) {
  EXPECT_TRUE(IncrementalOf(Since(1700000300), kNow).ok());
  const auto incremental = IncrementalOf(Since(1700000000000), kNow);
  EXPECT_EQ(incremental.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(incremental.status()), "BAD_REQUEST");
}

TEST(IncrementalTest, WhatIsNoTimeIsRefused) {
  for (const int64_t seconds : {INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(ReasonOf(IncrementalOf(Since(seconds), kNow).status()), "BAD_REQUEST");
  }
}

TEST(IncrementalTest, ATimeBefore1970ReadsEverything) {
  const auto incremental = IncrementalOf(Since(-5), kNow);
  ASSERT_TRUE(incremental.ok());
  EXPECT_TRUE(incremental->Reads(0));
}

}  // namespace
}  // namespace intercom_extractor

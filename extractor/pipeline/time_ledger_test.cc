#include "extractor/pipeline/time_ledger.h"

#include <cstdint>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

int64_t Millis(const google::protobuf::Duration& duration) {
  return duration.seconds() * 1000 + duration.nanos() / 1000000;
}

struct Parts {
  int64_t quota;
  int64_t intercom;
  int64_t consumer;
  int64_t cpu;
};

void ExpectParts(const TimeLedger& ledger, const Parts& parts) {
  v1::TimeSpent spent;
  ledger.Fill(&spent);
  EXPECT_EQ(Millis(spent.quota()), parts.quota);
  EXPECT_EQ(Millis(spent.intercom()), parts.intercom);
  EXPECT_EQ(Millis(spent.consumer()), parts.consumer);
  EXPECT_EQ(Millis(spent.cpu()), parts.cpu);
}

TimeLedger::Readings At(int elapsed, int busy, int consumer, int quota) {
  return {absl::Milliseconds(elapsed), absl::Milliseconds(busy), absl::Milliseconds(consumer),
          absl::Milliseconds(quota)};
}

TEST(TimeLedgerTest, WhatNothingElseExplainsIsIntercoms) {
  TimeLedger ledger;
  ledger.Advance(At(1000, 0, 0, 0));
  ExpectParts(ledger, {0, 1000, 0, 0});
}

TEST(TimeLedgerTest, WorkIsCpuWithoutTheWaitForTheConsumer) {
  TimeLedger ledger;
  ledger.Advance(At(1000, 700, 400, 0));
  ExpectParts(ledger, {0, 300, 400, 300});
}

TEST(TimeLedgerTest, TheQuotaGetsOnlyWhatWasNotWork) {
  TimeLedger ledger;
  // All requests were held back all the time, and yet there were rows to make.
  ledger.Advance(At(1000, 250, 0, 1000));
  ExpectParts(ledger, {750, 0, 0, 250});
}

TEST(TimeLedgerTest, StepsAddUp) {
  TimeLedger ledger;
  ledger.Advance(At(1000, 100, 0, 500));
  ledger.Advance(At(3000, 1100, 1000, 500));
  ExpectParts(ledger, {500, 1400, 1000, 100});
}

TEST(TimeLedgerTest, ReadingsOfDifferentInstantsNeverAddUpToMoreThanTheTime) {
  TimeLedger ledger;
  ledger.Advance(At(1000, 1003, 1002, 1001));
  ExpectParts(ledger, {0, 0, 1000, 0});
}

}  // namespace
}  // namespace intercom_extractor

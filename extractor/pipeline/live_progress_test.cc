#include "extractor/pipeline/live_progress.h"

#include <string>

#include "absl/status/statusor.h"
#include "extractor/pipeline/proto_duration.h"
#include "extractor/tables/table_catalog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "resume_state.pb.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class LiveProgressTest : public ::testing::Test {
 protected:
  LiveProgressTest() : report_(*TableCatalog::Get().Select(v1::TEMPLATE_BASIC, {}), start_) {}

  int Index(const std::string& table) { return TableCatalog::Get().Find(table)->index; }

  void Publish(absl::Duration at) {
    v1::Progress progress;
    *progress.mutable_elapsed() = ToProto(at);
    *progress.mutable_time_spent()->mutable_consumer() = ToProto(absl::Seconds(1));
    progress.set_waiting_for(v1::WAIT_REASON_INTERCOM);
    live_.Publish(progress, report_, start_ + at);
  }

  LiveProgress::Snapshot At(absl::Duration at) { return live_.At(start_ + at); }

  const absl::Time start_ = absl::FromUnixSeconds(1700000000);
  RunReport report_;
  LiveProgress live_;
};

TEST_F(LiveProgressTest, HasNothingToSayBeforeTheExtractionBegins) {
  const LiveProgress::Snapshot snapshot = At(absl::Seconds(1));
  EXPECT_FALSE(snapshot.progress.has_elapsed());
  EXPECT_THAT(snapshot.streamed, IsEmpty());
  EXPECT_FALSE(snapshot.last_checkpoint.has_value());
}

TEST_F(LiveProgressTest, RatesAreThoseOfTheLastSecondsAndFallWhenNothingComes) {
  Publish(absl::ZeroDuration());
  for (int second = 1; second <= 30; ++second) {
    if (second <= 20) report_.AddRows(Index("users"), 100, 1000);
    Publish(absl::Seconds(second));
    if (second == 20) {
      EXPECT_THAT(At(absl::Seconds(20)).rows_per_second, ElementsAre(Pair("users", 100)));
    }
  }
  EXPECT_THAT(At(absl::Seconds(30)).rows_per_second, IsEmpty());
}

TEST_F(LiveProgressTest, RowsThatATableStreamedBeforeItBeganAnewStayCounted) {
  report_.AddRows(Index("users"), 7, 70);
  report_.Restart(Index("users"));
  report_.AddRows(Index("users"), 2, 20);
  Publish(absl::Seconds(1));
  EXPECT_EQ(At(absl::Seconds(1)).streamed.at("users").rows, 9);
  EXPECT_EQ(At(absl::Seconds(1)).streamed.at("users").bytes, 90);
}

TEST_F(LiveProgressTest, NoticesOfEarlierStreamsAreNotThisOnes) {
  resume::State earlier;
  resume::NoticeCount* notice = earlier.add_notices();
  notice->set_code(v1::NOTICE_CODE_RECORD_GONE);
  notice->set_count(5);
  report_.Restore(earlier);
  report_.CountNotice("users", v1::NOTICE_CODE_VALUE_INVALID);
  Publish(absl::Seconds(1));
  EXPECT_THAT(At(absl::Seconds(1)).notices,
              ElementsAre(Pair(Pair("users", v1::NOTICE_CODE_VALUE_INVALID), 1)));
}

TEST_F(LiveProgressTest, AReaderThatTakesNothingIsSeenWhileTheExtractionIsBlocked) {
  Publish(absl::Seconds(2));
  live_.BeginPush(start_ + absl::Seconds(3));
  // Not yet worth naming: a push takes a moment.
  EXPECT_EQ(At(absl::Seconds(3)).progress.waiting_for(), v1::WAIT_REASON_INTERCOM);

  const v1::Progress blocked = At(absl::Seconds(63)).progress;
  EXPECT_EQ(blocked.waiting_for(), v1::WAIT_REASON_CONSUMER);
  EXPECT_EQ(blocked.time_spent().consumer().seconds(), 1 + 60);
  EXPECT_EQ(blocked.elapsed().seconds(), 63);

  live_.EndPush(start_ + absl::Seconds(63));
  EXPECT_EQ(At(absl::Seconds(63)).progress.waiting_for(), v1::WAIT_REASON_INTERCOM);
}

TEST_F(LiveProgressTest, TimeThatWasShownAsTheReadersIsNotTakenBack) {
  Publish(absl::Seconds(2));
  live_.BeginPush(start_ + absl::Seconds(3));
  EXPECT_EQ(At(absl::Seconds(5)).progress.time_spent().consumer().seconds(), 1 + 2);
  live_.EndPush(start_ + absl::Seconds(6));
  EXPECT_EQ(At(absl::Seconds(6)).progress.time_spent().consumer().seconds(), 1 + 3);
  // Another push, which takes no time.
  live_.BeginPush(start_ + absl::Seconds(6));
  live_.EndPush(start_ + absl::Seconds(6));
  EXPECT_EQ(At(absl::Seconds(7)).progress.time_spent().consumer().seconds(), 1 + 3);
  // What is published counts it itself.
  Publish(absl::Seconds(8));
  EXPECT_EQ(At(absl::Seconds(8)).progress.time_spent().consumer().seconds(), 1);
}

TEST_F(LiveProgressTest, CheckpointsAreCountedAndTheLastOneTimed) {
  live_.OnCheckpoint(start_ + absl::Seconds(1));
  live_.OnCheckpoint(start_ + absl::Seconds(4));
  EXPECT_EQ(At(absl::Seconds(9)).checkpoints, 2);
  EXPECT_EQ(At(absl::Seconds(9)).last_checkpoint, start_ + absl::Seconds(4));
}

TEST_F(LiveProgressTest, WhatCameAfterTheLastSecondIsThereAtTheEnd) {
  Publish(absl::Seconds(1));
  report_.AddRows(Index("tags"), 3, 30);
  live_.PublishTotals(report_);
  EXPECT_EQ(At(absl::Seconds(1)).streamed.at("tags").rows, 3);
}

}  // namespace
}  // namespace intercom_extractor

#include "server/running_extractions.h"

#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/proto_duration.h"
#include "extractor/sync/fake_clock.h"
#include "extractor/tables/table_catalog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// An extraction as far as those see who watch it.
struct Watched {
  explicit Watched(absl::Time start)
      : report(*TableCatalog::Get().Select(v1::TEMPLATE_BASIC, {}), start), events(1 << 20) {}

  void AddRows(const std::string& table, int64_t rows) {
    report.AddRows(TableCatalog::Get().Find(table)->index, rows, rows * 10);
  }
  void Publish(absl::Time now, absl::Duration quota) {
    v1::Progress progress;
    progress.mutable_elapsed()->set_seconds(1);
    *progress.mutable_time_spent()->mutable_quota() = ToProto(quota);
    live->Publish(progress, report, now);
  }

  RunReport report;
  EventQueue events;
  std::shared_ptr<LiveProgress> live = std::make_shared<LiveProgress>();
};

class RunningExtractionsTest : public ::testing::Test {
 protected:
  std::unique_ptr<RunningExtractions::Entry> Begin(const Watched& watched,
                                                   const std::string& connection) {
    return all_.Begin({connection, /*caller=*/"", watched.live, &watched.events});
  }

  FakeClock clock_;
  uint64_t next_id_ = 0xabc;
  RunningExtractions all_{&clock_, [this] { return next_id_++; }};
};

TEST_F(RunningExtractionsTest, ListsWhatRunsWithItsRowsRatesAndBuffers) {
  Watched watched(clock_.Now());
  const auto entry = Begin(watched, "acme");
  EXPECT_EQ(entry->id(), "0000000000000abc");
  EXPECT_FALSE(all_.List("").running(0).has_progress());

  watched.Publish(clock_.Now(), absl::ZeroDuration());
  clock_.Advance(absl::Seconds(5));
  watched.AddRows("users", 50);
  watched.Publish(clock_.Now(), absl::ZeroDuration());
  watched.events.Push(Event(std::string(100, 'x')));
  watched.live->OnCheckpoint(clock_.Now());
  clock_.Advance(absl::Seconds(3));

  const v1::ListExtractionsResponse list = all_.List("");
  ASSERT_EQ(list.running_size(), 1);
  const v1::ExtractionStatus& status = list.running(0);
  EXPECT_EQ(status.id(), "0000000000000abc");
  EXPECT_EQ(status.connection(), "acme");
  EXPECT_EQ(list.time().seconds() - status.started_at().seconds(), 8);
  EXPECT_FALSE(status.has_ended_at());
  EXPECT_FALSE(status.has_code());
  EXPECT_GT(status.progress().tables_size(), -1);
  ASSERT_EQ(status.rates_size(), 1);
  EXPECT_EQ(status.rates(0).table(), "users");
  EXPECT_DOUBLE_EQ(status.rates(0).rows_per_second(), 50 / 8.0);
  EXPECT_EQ(status.checkpoint_age().seconds(), 3);
  EXPECT_EQ(status.buffered_bytes(), 100);
}

TEST_F(RunningExtractionsTest, RemembersTheLastThatEndedAndHow) {
  for (size_t i = 0; i < RunningExtractions::kRemembered + 1; ++i) {
    Watched watched(clock_.Now());
    const auto entry = Begin(watched, i % 2 == 0 ? "even" : "odd");
    clock_.Advance(absl::Seconds(1));
    entry->set_status(StatusWithReason(absl::StatusCode::kUnavailable, "SERVER_STOPPING", "x"));
  }
  const v1::ListExtractionsResponse list = all_.List("");
  EXPECT_THAT(list.running(), IsEmpty());
  ASSERT_EQ(list.ended_size(), static_cast<int>(RunningExtractions::kRemembered));
  EXPECT_EQ(list.ended(0).code(), 14);
  EXPECT_EQ(list.ended(0).reason(), "SERVER_STOPPING");
  EXPECT_EQ(list.ended(0).connection(), "even");
  EXPECT_EQ(list.ended(0).ended_at().seconds() - list.ended(0).started_at().seconds(), 1);
  EXPECT_GT(list.ended(0).started_at().seconds(), list.ended(1).started_at().seconds());
  EXPECT_EQ(all_.List("odd").ended_size(), static_cast<int>(RunningExtractions::kRemembered) / 2);
}

TEST_F(RunningExtractionsTest, TotalsDoNotFallWhenAnExtractionEnds) {
  Watched first(clock_.Now());
  Watched second(clock_.Now());
  auto one = Begin(first, "acme");
  const auto two = Begin(second, "acme");
  first.AddRows("users", 5);
  first.report.CountNotice("users", v1::NOTICE_CODE_RECORD_GONE);
  first.Publish(clock_.Now(), absl::Seconds(2));
  second.AddRows("users", 7);
  second.Publish(clock_.Now(), absl::Seconds(1));
  clock_.Advance(absl::Seconds(4));

  const auto expect_counts = [this] {
    const ConnectionTotals totals = all_.Totals().at("acme");
    EXPECT_EQ(totals.streamed.at("users").rows, 12);
    EXPECT_EQ(totals.streamed.at("users").bytes, 120);
    EXPECT_EQ(totals.spent.quota, absl::Seconds(3));
    EXPECT_THAT(totals.notices, ElementsAre(Pair(Pair("users", v1::NOTICE_CODE_RECORD_GONE), 1)));
    return totals;
  };
  EXPECT_EQ(expect_counts().running, 2);
  EXPECT_EQ(expect_counts().checkpoint_age, absl::Seconds(4));
  one.reset();
  const ConnectionTotals totals = expect_counts();
  EXPECT_EQ(totals.running, 1);
  EXPECT_THAT(totals.ended, ElementsAre(Pair(absl::StatusCode::kOk, 1)));
}

}  // namespace
}  // namespace intercom_extractor

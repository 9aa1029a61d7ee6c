// Extractions that are cut off anywhere and go on from their last checkpoint.
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/scroll_drain.h"
#include "extractor/tables/table_catalog.h"
#include "gtest/gtest.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/end_to_end/resuming_consumer.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

std::shared_ptr<const fake::Workspace> SmallWorkspace() {
  fake::GeneratorOptions options;
  options.users = 400;
  options.leads = 150;
  options.companies = 250;
  options.conversations = 200;
  return std::make_shared<fake::GeneratedWorkspace>(options);
}

std::vector<std::string> AllTables() {
  std::vector<std::string> names;
  for (const TableInfo& table : TableCatalog::Get().tables()) names.push_back(table.name());
  return names;
}

// A cut leaves the workspace's scroll open, which the next stream waits for.
constexpr absl::Duration kScrollLife = absl::Milliseconds(20);

fake::FakeIntercomOptions FakeOptions() {
  fake::FakeIntercomOptions options;
  options.scroll.time_to_live = kScrollLife;
  return options;
}

ScrollDrain::Options ScrollOptions() {
  ScrollDrain::Options options;
  options.pause_before_poll = [](absl::Duration) { return absl::Milliseconds(5); };
  return options;
}

// Reads on from the consumer's token until `events` have come, or to the end.
absl::Status ReadSome(ExtractionHarness* harness, const std::vector<std::string>& tables,
                      int64_t events, ResumingConsumer* consumer) {
  auto running = harness->Start(tables, consumer->token());
  bool cut = false;
  const Extracted got = running->Read([&](const v1::ExtractResponse& event) {
    if (cut) return;
    consumer->OnEvent(event);
    if (--events > 0 || consumer->complete()) return;
    cut = true;
    running->Cancel();
  });
  if (cut) {
    consumer->Cut();
    return absl::OkStatus();
  }
  return got.status;
}

class ResumeTest : public ::testing::TestWithParam<int> {};

TEST_P(ResumeTest, AnExtractionThatIsCutOffAgainAndAgainGivesEachRowOnce) {
  const auto workspace = SmallWorkspace();
  ExtractionHarness harness(workspace, FakeOptions());
  harness.scroll = ScrollOptions();
  // So that a cut finds much that is made but not taken.
  harness.queue_bytes = size_t{64} << 10;
  ResumingConsumer undisturbed;
  ASSERT_TRUE(ReadSome(&harness, {}, 1 << 30, &undisturbed).ok());
  ASSERT_TRUE(undisturbed.complete());

  SCOPED_TRACE(absl::StrCat("seed ", GetParam()));
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  std::uniform_int_distribution<int64_t> some_events(1, 60);
  ResumingConsumer consumer;
  int cuts = 0;
  // Each stream but the last is cut; later ones live longer, so that it ends.
  while (!consumer.complete()) {
    ASSERT_LT(cuts, 200);
    const absl::Status status = ReadSome(&harness, {}, some_events(random) + cuts++ * 4, &consumer);
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_GT(cuts, 3);
  EXPECT_TRUE(consumer.broken_promises().empty()) << consumer.broken_promises().front();
  for (const std::string& table : AllTables()) {
    EXPECT_EQ(consumer.Rows(table), undisturbed.Rows(table)) << table;
  }
  EXPECT_LE(consumer.largest_token(), size_t{64} << 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ResumeTest, ::testing::Range(1, 9));

TEST(CheckpointTest, TheLastOneComesBeforeTheSummaryAndIsComplete) {
  ExtractionHarness harness(SmallWorkspace(), FakeOptions());
  harness.scroll = ScrollOptions();
  ResumingConsumer consumer;
  ASSERT_TRUE(ReadSome(&harness, {}, 1 << 30, &consumer).ok());
  EXPECT_TRUE(consumer.broken_promises().empty()) << consumer.broken_promises().front();
  ASSERT_FALSE(consumer.token().empty());

  const Extracted again = harness.Resume(consumer.token());
  ASSERT_TRUE(again.status.ok()) << again.status;
  EXPECT_EQ(again.rows.ByteSizeLong(), 0U);
  EXPECT_TRUE(again.restarts.empty());
  for (const v1::TableSummary& table : again.summary.tables()) {
    EXPECT_EQ(table.rows(), static_cast<int64_t>(consumer.Rows(table.table()).size()))
        << table.table();
    EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.table();
  }
}

TEST(CheckpointTest, TokensOfOtherRequestsAreRefusedWithTheReason) {
  ExtractionHarness harness(SmallWorkspace(), FakeOptions());
  harness.scroll = ScrollOptions();
  ResumingConsumer consumer;
  ASSERT_TRUE(ReadSome(&harness, {"tags", "admins"}, 1 << 30, &consumer).ok());

  const auto reason = [&](const std::string& token, const std::vector<std::string>& tables) {
    const absl::Status status = harness.Resume(token, tables).status;
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    return ReasonOf(status);
  };
  EXPECT_EQ(reason(consumer.token(), {"tags"}), "RESUME_TOKEN_MISMATCH");
  EXPECT_EQ(reason("no token", {"tags", "admins"}), "RESUME_TOKEN_INVALID");
  std::string damaged = consumer.token();
  damaged.back() ^= 1;
  EXPECT_EQ(reason(damaged, {"tags", "admins"}), "RESUME_TOKEN_INVALID");
  // The order in which tables are named does not matter.
  EXPECT_TRUE(harness.Resume(consumer.token(), {"admins", "tags"}).status.ok());
  harness.body_format = v1::BODY_FORMAT_HTML;
  EXPECT_EQ(reason(consumer.token(), {"tags", "admins"}), "RESUME_TOKEN_MISMATCH");
}

TEST(CheckpointTest, ADrainedExtractionEndsWithACheckpointThatGoesOn) {
  ExtractionHarness harness(SmallWorkspace(), FakeOptions());
  harness.scroll = ScrollOptions();
  ResumingConsumer undisturbed;
  ASSERT_TRUE(ReadSome(&harness, {}, 1 << 30, &undisturbed).ok());

  ResumingConsumer consumer;
  for (int drains = 0; !consumer.complete(); ++drains) {
    ASSERT_LT(drains, 200);
    auto running = harness.Start({}, consumer.token());
    int events = 0;
    const Extracted got = running->Read([&](const v1::ExtractResponse& event) {
      consumer.OnEvent(event);
      if (++events == 5 + drains) running->Drain();
    });
    if (consumer.complete()) break;
    EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable) << got.status;
    EXPECT_EQ(ReasonOf(got.status), "SERVER_STOPPING");
    consumer.Cut();
  }
  // Nothing came that was not covered.
  EXPECT_EQ(consumer.rows_lost_by_cuts(), 0);
  for (const std::string& table : AllTables()) {
    EXPECT_EQ(consumer.Rows(table), undisturbed.Rows(table)) << table;
  }
}

}  // namespace
}  // namespace intercom_extractor

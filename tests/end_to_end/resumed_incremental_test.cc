// Incremental runs that are cut off anywhere and go on from their last checkpoint.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/tables/table_catalog.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/end_to_end/oracle_comparison.h"
#include "tests/end_to_end/resuming_consumer.h"
#include "tests/fake_intercom/changed_since.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/oracle.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor {
namespace {

// Everything but the company scroll, which has its own tests and waits for the one that
// a cut leaves open.
std::vector<std::string> Tables() {
  std::vector<std::string> names;
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    if (table.name() != "companies") names.push_back(table.name());
  }
  return names;
}

struct Case {
  const char* name;
  bool large;
  bool find_deleted;
  // Of 100 contacts.
  size_t changed;
};

class ResumedIncrementalTest : public ::testing::TestWithParam<Case> {
 protected:
  ResumedIncrementalTest() {
    const bool large = GetParam().large;
    fake::GeneratorOptions options;
    options.users = large ? 2600 : 120;
    options.leads = large ? 1000 : 60;
    options.companies = 20;
    options.conversations = large ? 3200 : 90;
    options.parts_per_conversation = 1;
    options.deleted_conversations = 130;
    workspace_ = std::make_shared<fake::GeneratedWorkspace>(options);
    std::vector<int64_t> times;
    for (size_t i = 0; i < workspace_->contact_count(); ++i) {
      times.push_back(workspace_->contact_key(i).updated_at);
    }
    std::sort(times.begin(), times.end());
    const int64_t since = times[times.size() * (100 - GetParam().changed) / 100];
    harness_ = std::make_unique<ExtractionHarness>(workspace_, fake::FakeIntercomOptions());
    harness_->updated_since = since;
    harness_->find_deleted = GetParam().find_deleted;
    // So that a cut finds much that is made but not taken.
    harness_->queue_bytes = size_t{16} << 10;
    since_ = fake::ChangedSince::ByDays(since, "America/New_York");
    since_.find_deleted = GetParam().find_deleted;
  }

  // Reads on from the consumer's token until `events` have come, or to the end. Says
  // whether it was cut.
  bool ReadSome(int64_t events, ResumingConsumer* consumer) {
    auto running = harness_->Start(Tables(), consumer->token());
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
    } else {
      EXPECT_TRUE(got.status.ok()) << got.status;
    }
    return cut;
  }

  // Reads until there is something to go on from, which small runs have at the end.
  void ReadToAToken(ResumingConsumer* consumer) {
    for (int64_t events = 3; consumer->token().empty(); events += 5) ReadSome(events, consumer);
  }

  // The consumer has what an undisturbed one has, which has what the oracle says.
  void ExpectSame(const ResumingConsumer& consumer) {
    ASSERT_TRUE(consumer.complete());
    EXPECT_TRUE(consumer.broken_promises().empty()) << consumer.broken_promises().front();
    EXPECT_LE(consumer.largest_token(), size_t{64} << 10);
    for (const v1::TableSummary& table : consumer.summary().tables()) {
      EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.ShortDebugString();
    }
    for (const std::string& table : Tables()) {
      EXPECT_TRUE(consumer.Rows(table) == undisturbed_.Rows(table))
          << table << ": " << consumer.Rows(table).size() << " rows, not "
          << undisturbed_.Rows(table).size();
      EXPECT_EQ(consumer.Deleted(table), undisturbed_.Deleted(table));
      EXPECT_TRUE(consumer.Living(table) == undisturbed_.Living(table))
          << table << ": " << consumer.Living(table).size() << " living, not "
          << undisturbed_.Living(table).size();
    }
  }

  void ReadUndisturbed() {
    const Extracted got = harness_->Start(Tables())->Read(
        [&](const v1::ExtractResponse& event) { undisturbed_.OnEvent(event); });
    fake::OracleOptions oracle;
    oracle.since = since_;
    ExpectComplete(got, *workspace_, Tables().size(), oracle);
    events_ = 0;
    harness_->Run(Tables(), [&](const v1::ExtractResponse&) { ++events_; });
    ASSERT_GT(events_, 3);
  }

  std::shared_ptr<const fake::Workspace> workspace_;
  fake::ChangedSince since_;
  std::unique_ptr<ExtractionHarness> harness_;
  ResumingConsumer undisturbed_;
  int64_t events_ = 0;
};

TEST_P(ResumedIncrementalTest, ACutAfterAnyEventChangesNothing) {
  ASSERT_NO_FATAL_FAILURE(ReadUndisturbed());
  // Each event of a small run, some of a large one.
  const int64_t step = GetParam().large ? 1 + events_ / 12 : 1;
  int cuts = 0;
  for (int64_t event = 1; event <= events_; event += step) {
    SCOPED_TRACE(absl::StrCat("cut after event ", event, " of ", events_));
    ResumingConsumer consumer;
    cuts += ReadSome(event, &consumer) ? 1 : 0;
    if (!consumer.complete()) ReadSome(std::numeric_limits<int64_t>::max(), &consumer);
    ASSERT_NO_FATAL_FAILURE(ExpectSame(consumer));
  }
  EXPECT_GT(cuts, 2);
}

TEST_P(ResumedIncrementalTest, ManyCutsOneAfterTheOtherChangeNothing) {
  ASSERT_NO_FATAL_FAILURE(ReadUndisturbed());
  for (const uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    std::uniform_int_distribution<int64_t> some_events(1, 12);
    ResumingConsumer consumer;
    int cuts = 0;
    while (!consumer.complete()) {
      ASSERT_LT(cuts, 300);
      ReadSome(some_events(random) + cuts++ * 2, &consumer);
    }
    EXPECT_GT(cuts, 1);
    ASSERT_NO_FATAL_FAILURE(ExpectSame(consumer));
  }
}

TEST_P(ResumedIncrementalTest, ATokenServesOnlyTheSameQuestion) {
  ResumingConsumer consumer;
  ReadToAToken(&consumer);
  const auto reason = [&] {
    const absl::Status status = harness_->Resume(consumer.token(), Tables()).status;
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    return ReasonOf(status);
  };
  const int64_t since = *harness_->updated_since;
  harness_->updated_since = since + 1;
  EXPECT_EQ(reason(), "RESUME_TOKEN_MISMATCH");
  harness_->updated_since.reset();
  EXPECT_EQ(reason(), "RESUME_TOKEN_MISMATCH");
  harness_->updated_since = since;
  harness_->find_deleted = !harness_->find_deleted;
  EXPECT_EQ(reason(), "RESUME_TOKEN_MISMATCH");
}

TEST_P(ResumedIncrementalTest, TheBeginningThatIsSaidIsThatOfTheFirstStream) {
  std::atomic<int64_t> now{fake::kGeneratedNow + 1000};
  fake::FakeIntercomOptions options;
  options.clock = [&now] { return absl::FromUnixSeconds(now); };
  const int64_t since = *harness_->updated_since;
  harness_ = std::make_unique<ExtractionHarness>(workspace_, options);
  harness_->updated_since = since;
  harness_->find_deleted = GetParam().find_deleted;
  harness_->queue_bytes = size_t{16} << 10;
  ResumingConsumer consumer;
  ReadToAToken(&consumer);
  now += 7200;
  const Extracted got = harness_->Resume(consumer.token(), Tables());
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.summary.started_at().seconds(), fake::kGeneratedNow + 1000);
}

INSTANTIATE_TEST_SUITE_P(Workspaces, ResumedIncrementalTest,
                         ::testing::Values(Case{"small", false, false, 50},
                                           Case{"small_finds_deleted", false, true, 50},
                                           Case{"large", true, false, 90},
                                           Case{"large_finds_deleted", true, true, 20}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace intercom_extractor

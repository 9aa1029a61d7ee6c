// Extractions that are cut off anywhere and go on from their last checkpoint.
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <mutex>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "extractor/intercom/intercom_client.h"
#include "extractor/pipeline/scroll_drain.h"
#include "extractor/sync/fake_clock.h"
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

// Time passes for the fake only while an extraction waits for a scroll: a cut leaves
// the workspace's open, and the next stream goes on once it has expired. However busy
// the machine, none expires between two pages.
class ScrollTime {
 public:
  // Generated records are not of the future.
  ScrollTime() { clock_.Advance(absl::Now() - clock_.Now()); }

  fake::FakeIntercomOptions FakeOptions() {
    fake::FakeIntercomOptions options;
    options.clock = [this] { return clock_.Now(); };
    return options;
  }

  ScrollDrain::Options ScrollOptions() {
    ScrollDrain::Options options;
    options.pause_before_poll = [this](absl::Duration) {
      clock_.Advance(absl::Seconds(25));
      return absl::Milliseconds(1);
    };
    return options;
  }

 private:
  FakeClock clock_;
};

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

// Reads on to the end.
void ReadAll(ExtractionHarness* harness, const std::vector<std::string>& tables,
             ResumingConsumer* consumer) {
  const absl::Status status =
      ReadSome(harness, tables, std::numeric_limits<int64_t>::max(), consumer);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_TRUE(consumer->complete());
}

// Enough to be read in windows.
std::shared_ptr<const fake::Workspace> LargeWorkspace() {
  fake::GeneratorOptions options;
  options.users = 2500;
  options.leads = 1000;
  options.companies = 120;
  options.conversations = 3200;
  options.parts_per_conversation = 1;
  return std::make_shared<fake::GeneratedWorkspace>(options);
}

// The cursors that a fake Intercom has given, and those of them that it no longer
// takes, as after a long pause.
class Cursors {
 public:
  // Must outlive the fake's last request.
  void Watch(fake::FakeIntercom* intercom) {
    for (const char* path : {"/contacts", "/conversations"}) {
      for (const char* method : {"GET", "POST"}) {
        intercom->AlterAnswers(method, path, [this](const fake::Request&, fake::Response* answer) {
          const std::lock_guard<std::mutex> lock(mu_);
          given_.insert(CursorIn(answer->body));
        });
        intercom->SetHandler(
            method, path, [this](const fake::Request& request, fake::Response* answer) {
              const std::string cursor = request.method == "GET"
                                             ? BeginningOf(request.Query("starting_after"))
                                             : CursorIn(request.body);
              const std::lock_guard<std::mutex> lock(mu_);
              // Only once: the fake gives the same one again for the same page.
              if (cursor.empty() || expired_.erase(cursor) == 0) return false;
              ++refused_;
              answer->status = 400;
              answer->body =
                  R"({"type":"error.list","errors":[{"code":"client_error","message":"old cursor"}]})";
              return true;
            });
      }
    }
  }

  void Expire() {
    const std::lock_guard<std::mutex> lock(mu_);
    expired_ = given_;
  }
  int refused() const { return refused_; }

 private:
  static std::string BeginningOf(std::string_view cursor) {
    return std::string(cursor.substr(0, cursor.find('=')));
  }
  // Its beginning, as what follows is escaped in different ways.
  static std::string CursorIn(const std::string& json) {
    static const std::regex cursor(R"re("starting_after"\s*:\s*"([^"=]*)=)re");
    std::smatch found;
    return std::regex_search(json, found, cursor) ? found[1].str() : "";
  }

  std::mutex mu_;
  std::set<std::string> given_;
  std::set<std::string> expired_;
  std::atomic<int> refused_{0};
};

void ExpectSameRows(const ResumingConsumer& consumer, const ResumingConsumer& undisturbed) {
  EXPECT_TRUE(consumer.broken_promises().empty()) << consumer.broken_promises().front();
  for (const ResumingConsumer* each : {&consumer, &undisturbed}) {
    for (const v1::TableSummary& table : each->summary().tables()) {
      EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.ShortDebugString();
    }
  }
  for (const std::string& table : AllTables()) {
    const std::vector<std::string> rows = consumer.Rows(table);
    const std::vector<std::string> expected = undisturbed.Rows(table);
    // Not the rows: there may be thousands.
    EXPECT_EQ(rows.size(), expected.size()) << table;
    EXPECT_TRUE(rows == expected) << table;
  }
}

class ResumeTest : public ::testing::TestWithParam<int> {};

TEST_P(ResumeTest, AnExtractionThatIsCutOffAgainAndAgainGivesEachRowOnce) {
  const auto workspace = SmallWorkspace();
  ScrollTime time;
  ExtractionHarness harness(workspace, time.FakeOptions());
  harness.scroll = time.ScrollOptions();
  // So that a cut finds much that is made but not taken.
  harness.queue_bytes = size_t{64} << 10;
  ResumingConsumer undisturbed;
  ASSERT_NO_FATAL_FAILURE(ReadAll(&harness, {}, &undisturbed));

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
  ExpectSameRows(consumer, undisturbed);
  EXPECT_LE(consumer.largest_token(), size_t{64} << 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ResumeTest, ::testing::Range(1, 9));

class LargeResumeTest : public ::testing::TestWithParam<bool> {};

TEST_P(LargeResumeTest, WindowsGoOnWithCursorsThatServeAndThatDoNot) {
  const bool cursors_serve = GetParam();
  Cursors cursors;
  ScrollTime time;
  ExtractionHarness harness(LargeWorkspace(), time.FakeOptions());
  harness.scroll = time.ScrollOptions();
  harness.queue_bytes = size_t{64} << 10;
  ResumingConsumer undisturbed;
  ASSERT_NO_FATAL_FAILURE(ReadAll(&harness, {}, &undisturbed));

  cursors.Watch(&harness.intercom());
  std::mt19937_64 random(7);
  std::uniform_int_distribution<int64_t> some_events(10, 60);
  ResumingConsumer consumer;
  int cuts = 0;
  while (!consumer.complete()) {
    ASSERT_LT(cuts, 100);
    const absl::Status status = ReadSome(&harness, {}, some_events(random) + cuts++, &consumer);
    ASSERT_TRUE(status.ok()) << status;
    if (!cursors_serve) cursors.Expire();
  }
  EXPECT_GT(cuts, 3);
  EXPECT_EQ(cursors.refused() > 0, !cursors_serve);
  ExpectSameRows(consumer, undisturbed);
  // Only what cannot be continued begins anew.
  for (const v1::TableRestarted& restart : consumer.restarts()) {
    EXPECT_TRUE(restart.table() == "companies" || restart.table() == "users_segments" ||
                restart.table() == "leads_segments")
        << restart.table() << ": " << restart.reason();
  }
  EXPECT_LE(consumer.largest_token(), size_t{64} << 10);
}

INSTANTIATE_TEST_SUITE_P(CursorsServe, LargeResumeTest, ::testing::Bool());

TEST(ExpiredCursorTest, APlainListThatCannotGoOnBeginsItsTablesAnew) {
  Cursors cursors;
  ScrollTime time;
  ExtractionHarness harness(SmallWorkspace(), time.FakeOptions());
  harness.scroll = time.ScrollOptions();
  harness.queue_bytes = size_t{64} << 10;
  ResumingConsumer undisturbed;
  ASSERT_NO_FATAL_FAILURE(ReadAll(&harness, {}, &undisturbed));

  cursors.Watch(&harness.intercom());
  ResumingConsumer consumer;
  auto running = harness.Start({}, "");
  // Early, while the lists have pages left.
  int events = 0;
  running->Read([&](const v1::ExtractResponse& event) {
    consumer.OnEvent(event);
    if (++events == 3) running->Drain();
  });
  consumer.Cut();
  running.reset();
  ASSERT_FALSE(consumer.complete());
  cursors.Expire();
  ASSERT_NO_FATAL_FAILURE(ReadAll(&harness, {}, &consumer));
  EXPECT_GT(cursors.refused(), 0);
  ExpectSameRows(consumer, undisturbed);
}

// Went to a search that did not exist yet.
TEST(ResumedSegmentsTest, AListThatFailsWhileTheSegmentsAreCountedEndsItsTables) {
  const std::vector<std::string> tables = {"users", "users_segments", "leads", "leads_segments"};
  ScrollTime time;
  ExtractionHarness harness(SmallWorkspace(), time.FakeOptions());
  // The searches by segment, and the list's last pages, take longer than the stream
  // lives.
  harness.intercom().AlterAnswers("POST", "/contacts/search",
                                  [](const fake::Request&, fake::Response* answer) {
                                    answer->delay = std::chrono::seconds(60);
                                  });
  harness.intercom().AlterAnswers("GET", "/contacts",
                                  [](const fake::Request& request, fake::Response* answer) {
                                    if (request.Query("starting_after").empty()) return;
                                    answer->delay = std::chrono::seconds(60);
                                  });
  ResumingConsumer consumer;
  auto running = harness.Start(tables, "");
  int progress = 0;
  running->Read([&](const v1::ExtractResponse& event) {
    consumer.OnEvent(event);
    // The first says that it begins, the second comes when all but those are here.
    if (event.has_progress() && ++progress == 2) running->Drain();
  });
  running.reset();
  ASSERT_FALSE(consumer.token().empty());
  ASSERT_FALSE(consumer.Rows("users").empty());

  harness.intercom().ClearHandlers();
  harness.intercom().AlterAnswers("GET", "/segments",
                                  [](const fake::Request&, fake::Response* answer) {
                                    answer->delay = std::chrono::milliseconds(200);
                                  });
  harness.intercom().AddFaults("scope_missing:/contacts");
  const Extracted got = harness.Resume(consumer.token(), tables);
  EXPECT_EQ(got.Table("users").status(), v1::TABLE_STATUS_FAILED);
  EXPECT_EQ(got.Table("users_segments").error().reason(), "SCOPE_MISSING");
}

TEST(CheckpointTest, TheLastOneComesBeforeTheSummaryAndIsComplete) {
  ScrollTime time;
  ExtractionHarness harness(SmallWorkspace(), time.FakeOptions());
  harness.scroll = time.ScrollOptions();
  ResumingConsumer consumer;
  ASSERT_NO_FATAL_FAILURE(ReadAll(&harness, {}, &consumer));
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
  ScrollTime time;
  ExtractionHarness harness(SmallWorkspace(), time.FakeOptions());
  harness.scroll = time.ScrollOptions();
  ResumingConsumer consumer;
  ASSERT_NO_FATAL_FAILURE(ReadAll(&harness, {"tags", "admins"}, &consumer));

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
  ScrollTime time;
  ExtractionHarness harness(SmallWorkspace(), time.FakeOptions());
  harness.scroll = time.ScrollOptions();
  ResumingConsumer undisturbed;
  ASSERT_NO_FATAL_FAILURE(ReadAll(&harness, {}, &undisturbed));

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
  ExpectSameRows(consumer, undisturbed);
}

}  // namespace
}  // namespace intercom_extractor

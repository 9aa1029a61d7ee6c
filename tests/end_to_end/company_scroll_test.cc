// The company scroll, whatever happens to it: each test runs whole extractions
// against a fake Intercom and compares the rows with what the workspace holds.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/sync/fake_clock.h"
#include "tests/end_to_end/extraction_harness.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Every tenth company has no users.
fake::FixedRecords Companies(int count) {
  fake::FixedRecords records;
  for (int i = 0; i < count; ++i) {
    records.companies.push_back(absl::StrCat(R"({"type":"company","id":"co)", i,
                                             R"(","name":"Company )", i, R"(","user_count":)",
                                             i % 10 == 9 ? 0 : 5, "}"));
  }
  return records;
}

// Each company as "id name", sorted; one that came twice is there twice.
std::vector<std::string> CompaniesOf(const Extracted& got) {
  std::vector<std::string> companies;
  for (const auto& row : got.rows.companies()) {
    companies.push_back(absl::StrCat(row.id(), " ", row.name()));
  }
  std::sort(companies.begin(), companies.end());
  return companies;
}

std::vector<std::string> ExpectedCompanies(int count, bool without_users = true) {
  std::vector<std::string> companies;
  for (int i = 0; i < count; ++i) {
    if (without_users || i % 10 != 9) companies.push_back(absl::StrCat("co", i, " Company ", i));
  }
  std::sort(companies.begin(), companies.end());
  return companies;
}

void ExpectExact(const Extracted& got, int count, uint32_t generation = 1) {
  EXPECT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(CompaniesOf(got), ExpectedCompanies(count));
  EXPECT_EQ(got.Table("companies").status(), v1::TABLE_STATUS_COMPLETE);
  EXPECT_EQ(got.Table("companies").rows(), count);
  EXPECT_EQ(got.Table("companies").generation(), generation);
  EXPECT_THAT(got.restarts, SizeIs(generation - 1));
}

// An extractor and a fake Intercom that agree on what time it is: no later than
// the test says.
class ScrollTest : public ::testing::Test {
 protected:
  void Begin(int companies, const std::string& faults = "", bool param_changes = false) {
    Begin(Companies(companies), faults, param_changes);
  }

  void Begin(fake::FixedRecords records, const std::string& faults = "",
             bool param_changes = false) {
    fake::FakeIntercomOptions options;
    options.faults = faults;
    options.scroll.param_changes = param_changes;
    options.clock = [this] { return clock_.Now(); };
    harness_ = std::make_unique<ExtractionHarness>(std::move(records), options);
    // Polls cost no real time.
    harness_->scroll.pause_before_poll = [](absl::Duration) { return absl::Milliseconds(1); };
  }

  // Calls `react` with the number of each scroll request, from 1, before it is
  // answered. True: it was answered by `react`.
  void OnScrollRequest(std::function<bool(int, const fake::Request&, fake::Response*)> react) {
    auto count = std::make_shared<std::atomic<int>>(0);
    harness_->intercom().SetHandler(
        "GET", "/companies/scroll",
        [count, react = std::move(react)](const fake::Request& request, fake::Response* response) {
          return react(++*count, request, response);
        });
  }

  // Time passes for fake and extractor alike, and only so.
  void EveryScrollRequestTakes(absl::Duration time) {
    harness_->clock = &clock_;
    harness_->scroll.pause_before_poll = [](absl::Duration) { return absl::ZeroDuration(); };
    OnScrollRequest([this, time](int, const fake::Request&, fake::Response*) {
      clock_.Advance(time);
      return false;
    });
  }

  static bool AnswerBusy(fake::Response* response) {
    response->status = 400;
    response->body =
        R"({"type":"error.list","errors":[{"code":"scroll_exists","message":"in use"}]})";
    return true;
  }

  // Keeps another app's scroll open until release_ is set: so that extractions
  // come to where they tell about it.
  void HoldScroll() {
    OnScrollRequest([this](int, const fake::Request&, fake::Response* response) {
      return !released_ && AnswerBusy(response);
    });
  }

  // Returns once the fake's scroll has come to its end.
  void AwaitDrained() {
    for (auto state = scroll(); state.opened == 0 || state.open; state = scroll()) {
      std::this_thread::yield();
    }
  }

  fake::Scroll::State scroll() const { return harness_->intercom().scroll_state(); }

  FakeClock clock_;
  std::atomic<bool> released_{false};
  std::unique_ptr<ExtractionHarness> harness_;
};

class ScrollOfSize : public ScrollTest,
                     public ::testing::WithParamInterface<std::pair<int, bool>> {};

// Also with a scroll_param that is the same on each page: it is no sign of the end.
TEST_P(ScrollOfSize, GivesEveryCompanyOnce) {
  const auto [count, param_changes] = GetParam();
  Begin(count, "", param_changes);
  const Extracted got = harness_->Run({"companies"});
  ExpectExact(got, count);
  EXPECT_THAT(got.notices, IsEmpty());
  // One request per page, and one for the empty page.
  EXPECT_EQ(harness_->intercom().stats().by_route["GET /companies/scroll"], (count + 99) / 100 + 1);
  EXPECT_EQ(scroll().opened, 1);
  EXPECT_EQ(scroll().refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ScrollOfSize,
                         ::testing::Values(std::pair(0, false), std::pair(100, false),
                                           std::pair(253, false), std::pair(253, true),
                                           std::pair(10001, false), std::pair(10001, true)));

TEST_F(ScrollTest, AnotherAppsScrollOfFiveMinutesIsWaitedFor) {
  Begin(253, "scroll_busy:300");
  EveryScrollRequestTakes(absl::Seconds(15));
  const Extracted got = harness_->Run({"companies"});
  ExpectExact(got, 253);
  EXPECT_GE(scroll().refused, 19);
  const auto notices = got.Notices(v1::NOTICE_CODE_SCROLL_BUSY);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_THAT(notices[0].message(), HasSubstr("up to 10m"));
}

TEST_F(ScrollTest, AnotherAppsScrollThatStaysIsReplacedByTheListAfterTenMinutes) {
  Begin(253, "scroll_busy:100000");
  EveryScrollRequestTakes(absl::Seconds(15));
  const Extracted got = harness_->Run({"companies"});
  EXPECT_EQ(CompaniesOf(got), ExpectedCompanies(253, /*without_users=*/false));
  EXPECT_EQ(got.Table("companies").status(), v1::TABLE_STATUS_PARTIAL);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_COMPANIES_WITHOUT_USERS_NOT_LISTED), SizeIs(1));
  EXPECT_EQ(scroll().refused, 41) << "polls every 15 s from 0 to 10 minutes";
}

TEST_F(ScrollTest, AnotherAppsScrollThatStaysFailsWhatTheListCannotGive) {
  fake::FixedRecords records = Companies(11200);
  records.tags = {R"({"type":"tag","id":"1","name":"a"})"};
  Begin(std::move(records), "scroll_busy:100000");
  harness_->scroll.patience = absl::ZeroDuration();
  const Extracted got = harness_->Run({"companies", "tags"});
  EXPECT_EQ(got.Table("companies").status(), v1::TABLE_STATUS_FAILED);
  EXPECT_EQ(got.Table("companies").error().reason(), "SCROLL_BUSY");
  EXPECT_EQ(got.Table("tags").status(), v1::TABLE_STATUS_COMPLETE);
  EXPECT_EQ(got.rows.tags_size(), 1);
}

TEST_F(ScrollTest, ScrollThatExpiresBeginsAnewAndCountsOnce) {
  Begin(253);
  OnScrollRequest([this](int number, const fake::Request&, fake::Response*) {
    if (number == 3) clock_.Advance(absl::Seconds(61));
    return false;
  });
  const Extracted got = harness_->Run({"companies"});
  ExpectExact(got, 253, /*generation=*/2);
  EXPECT_EQ(scroll().expired, 1);
}

TEST_F(ScrollTest, ScrollThatBreaksBeginsAnewAndCountsOnce) {
  Begin(253, "scroll_500_once");
  ExpectExact(harness_->Run({"companies"}), 253, /*generation=*/2);
}

TEST_F(ScrollTest, ScrollThatAlwaysBreaksFailsItsTable) {
  Begin(253);
  OnScrollRequest([this](int, const fake::Request& request, fake::Response*) {
    if (request.HasQuery("scroll_param")) clock_.Advance(absl::Seconds(61));
    return false;
  });
  const Extracted got = harness_->Run({"companies"});
  EXPECT_EQ(got.Table("companies").status(), v1::TABLE_STATUS_FAILED);
  EXPECT_THAT(got.restarts, SizeIs(5));
}

// The strand of the extraction stands still from before the first page.
TEST_F(ScrollTest, ConsumerThatReadsNothingForTenMinutesCostsNothing) {
  Begin(10001);
  HoldScroll();
  harness_->queue_bytes = 1;
  // Most of it has to go to disk.
  harness_->scroll.spill.max_in_memory = size_t{64} << 10;
  harness_->scroll.spill.segment = size_t{128} << 10;
  auto extraction = harness_->Start({"companies"});
  extraction->AwaitStalled();
  released_ = true;
  AwaitDrained();
  clock_.Advance(absl::Minutes(10));
  const Extracted got = extraction->Read();
  ExpectExact(got, 10001);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_SCROLL_PAUSED), IsEmpty());
  EXPECT_EQ(scroll().opened, 1);
}

TEST_F(ScrollTest, ScrollThatBreaksWhileNobodyReadsIsExactToo) {
  Begin(1001, "scroll_500_once");
  HoldScroll();
  harness_->queue_bytes = 1;
  auto extraction = harness_->Start({"companies"});
  extraction->AwaitStalled();
  released_ = true;
  while (scroll().opened < 2) std::this_thread::yield();
  AwaitDrained();
  ExpectExact(extraction->Read(), 1001, /*generation=*/2);
}

TEST_F(ScrollTest, FullSpillPausesTheScrollAndSaysSo) {
  Begin(253);
  harness_->scroll.spill.quota = 1;
  const Extracted got = harness_->Run({"companies"});
  ExpectExact(got, 253);
  const auto notices = got.Notices(v1::NOTICE_CODE_SCROLL_PAUSED);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].severity(), v1::SEVERITY_INFO);
}

TEST_F(ScrollTest, ScrollThatExpiresWhileTheSpillIsFullBeginsAnew) {
  Begin(253);
  harness_->scroll.spill.quota = 1;
  OnScrollRequest([this](int number, const fake::Request&, fake::Response*) {
    // The first after a pause.
    if (number == 2) clock_.Advance(absl::Seconds(61));
    return false;
  });
  const Extracted got = harness_->Run({"companies"});
  ExpectExact(got, 253, /*generation=*/2);
}

// As TMPDIR says where files go: to a folder that is not there yet.
TEST_F(ScrollTest, SpillThatIsLostBeginsAnewAndCountsOnce) {
  std::string folder = absl::StrCat(::testing::TempDir(), "/spill-XXXXXX");
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  rmdir(folder.c_str());
  const std::optional<std::string> before =
      std::getenv("TMPDIR") == nullptr ? std::nullopt : std::optional(std::getenv("TMPDIR"));
  setenv("TMPDIR", folder.c_str(), 1);
  Begin(253);
  harness_->scroll.spill.max_in_memory = 0;
  const Extracted got = harness_->Run({"companies"}, [&](const v1::ExtractResponse& event) {
    if (!event.has_table_restarted()) return;
    EXPECT_THAT(event.table_restarted().reason(), HasSubstr("TMPDIR"));
    mkdir(folder.c_str(), 0700);
    // What Intercom keeps of the scroll so far.
    clock_.Advance(absl::Seconds(61));
  });
  if (before.has_value()) {
    setenv("TMPDIR", before->c_str(), 1);
  } else {
    unsetenv("TMPDIR");
  }
  // Empty: the files had no names.
  EXPECT_EQ(rmdir(folder.c_str()), 0);
  ExpectExact(got, 253, /*generation=*/2);
}

TEST_F(ScrollTest, TwoExtractionsOfOneClientScrollOneAfterTheOther) {
  fake::FixedRecords records = Companies(253);
  records.tags = {R"({"type":"tag","id":"1","name":"a"})"};
  Begin(std::move(records));
  HoldScroll();
  harness_->share_client = true;
  auto first = harness_->Start({"companies"});
  // Its first request has been refused, so it has the turn.
  while (harness_->intercom().stats().by_route["GET /companies/scroll"] == 0) {
    std::this_thread::yield();
  }
  auto second = harness_->Start({"companies", "tags"});
  bool says_why = false;
  bool tags_done = false;
  const Extracted second_got = second->Read([&](const v1::ExtractResponse& event) {
    const v1::Progress& progress = event.progress();
    says_why |= progress.waiting_for() == v1::WAIT_REASON_SCROLL;
    for (const auto& table : progress.tables()) {
      tags_done |= !released_ && table.table() == "tags" && table.done();
    }
    if (says_why && tags_done) released_ = true;
  });
  const Extracted first_got = first->Read();
  ExpectExact(first_got, 253);
  ExpectExact(second_got, 253);
  const auto notices = second_got.Notices(v1::NOTICE_CODE_SCROLL_BUSY);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_THAT(notices[0].message(), HasSubstr("another extraction"));
  EXPECT_EQ(scroll().opened, 2);
  EXPECT_EQ(scroll().refused, 0) << "they scrolled at the same time";
}

TEST_F(ScrollTest, CancelledExtractionFreesTheScrollForTheNext) {
  Begin(253);
  std::atomic<bool> first_is_in_mid_scroll{false};
  std::atomic<bool> cancelled{false};
  OnScrollRequest([&](int, const fake::Request& request, fake::Response* response) {
    if (!request.HasQuery("scroll_param") || cancelled) return false;
    // Its second page does not come.
    first_is_in_mid_scroll = true;
    response->delay = std::chrono::minutes(1);
    response->body = "{}";
    return true;
  });
  harness_->share_client = true;
  auto first = harness_->Start({"companies"});
  while (!first_is_in_mid_scroll) std::this_thread::yield();
  auto second = harness_->Start({"companies"});
  const Extracted got = second->Read([&](const v1::ExtractResponse& event) {
    if (event.notice().code() != v1::NOTICE_CODE_SCROLL_BUSY) return;
    // First for the other extraction, then for what Intercom keeps of its scroll.
    if (cancelled.exchange(true)) {
      clock_.Advance(absl::Seconds(61));
    } else {
      first->Cancel();
    }
  });
  ExpectExact(got, 253);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_SCROLL_BUSY), SizeIs(2));
  EXPECT_EQ(first->Read().status.code(), absl::StatusCode::kCancelled);
}

TEST_F(ScrollTest, CancelledWhileItWaitsInLineItLetsTheNextPass) {
  Begin(253);
  HoldScroll();
  harness_->share_client = true;
  auto first = harness_->Start({"companies"});
  while (harness_->intercom().stats().by_route["GET /companies/scroll"] == 0) {
    std::this_thread::yield();
  }
  auto second = harness_->Start({"companies"});
  second->Read([&](const v1::ExtractResponse& event) {
    if (event.notice().code() == v1::NOTICE_CODE_SCROLL_BUSY) second->Cancel();
  });
  auto third = harness_->Start({"companies"});
  const Extracted got = third->Read([&](const v1::ExtractResponse& event) {
    if (event.notice().code() == v1::NOTICE_CODE_SCROLL_BUSY) released_ = true;
  });
  ExpectExact(got, 253);
  ExpectExact(first->Read(), 253);
}

// Intercom had moved its cursor: asking again would have skipped a page.
TEST_F(ScrollTest, ScrollAnswerThatWasLostDoesNotSkipAPage) {
  enum class Loss { kNoJson, kCut, kReset };
  for (const Loss loss : {Loss::kNoJson, Loss::kCut, Loss::kReset}) {
    Begin(0);
    // A scroll whose cursor moves with each request, whatever becomes of its answer.
    auto page = std::make_shared<std::atomic<int>>(0);
    auto lost = std::make_shared<std::atomic<bool>>(false);
    OnScrollRequest([=](int, const fake::Request& request, fake::Response* response) {
      if (!request.HasQuery("scroll_param")) *page = 0;
      const int first = 100 * (*page)++;
      std::string data;
      for (int i = first; i < std::min(first + 100, 253); ++i) {
        absl::StrAppend(&data, data.empty() ? "" : ",", R"({"type":"company","id":"co)", i,
                        R"("})");
      }
      response->body = absl::StrCat(R"({"data":[)", data, R"(],"scroll_param":"s"})");
      if (first == 100 && !lost->exchange(true)) {
        if (loss == Loss::kNoJson) response->body = "<html></html>";
        if (loss == Loss::kCut) response->delivery.body_bytes = response->body.size() / 2;
        if (loss == Loss::kCut) response->delivery.end = fake::Delivery::End::kAbrupt;
        response->delivery.reset = loss == Loss::kReset;
      }
      return true;
    });
    const Extracted got = harness_->Run({"companies"});
    EXPECT_EQ(got.rows.companies_size(), 253);
    EXPECT_THAT(got.restarts, SizeIs(1));
    EXPECT_EQ(got.Table("companies").status(), v1::TABLE_STATUS_COMPLETE);
  }
}

TEST_F(ScrollTest, MalformedCompanyLosesNoOtherCompany) {
  fake::FixedRecords records = Companies(253);
  records.companies[120] = R"({"type":"company","id":"co120","name":nul})";
  Begin(std::move(records));
  OnScrollRequest([this](int, const fake::Request& request, fake::Response*) {
    // What Intercom keeps of the scroll before.
    if (!request.HasQuery("scroll_param")) clock_.Advance(absl::Seconds(61));
    return false;
  });
  const Extracted got = harness_->Run({"companies"});
  EXPECT_EQ(got.rows.companies_size(), 252);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_RECORD_MALFORMED), SizeIs(1));
  EXPECT_EQ(got.Table("companies").status(), v1::TABLE_STATUS_PARTIAL);
}

TEST_F(ScrollTest, ScrollThatRepeatsAPageIsStopped) {
  Begin(0);
  OnScrollRequest([](int, const fake::Request&, fake::Response* response) {
    response->body = R"({"type":"list","data":[{"id":"1"},{"id":"2"}],"scroll_param":"same"})";
    return true;
  });
  const Extracted got = harness_->Run({"companies"});
  EXPECT_EQ(got.rows.companies_size(), 2);
  EXPECT_EQ(got.Table("companies").status(), v1::TABLE_STATUS_FAILED);
  EXPECT_EQ(got.Table("companies").error().reason(), "NO_PROGRESS");
}

}  // namespace
}  // namespace intercom_extractor

// Pages that are too much for Intercom: every row comes in smaller ones, and pages
// are large again when Intercom bears it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "extractor/sync/fake_clock.h"
#include "extractor/sync/mutex.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/end_to_end/oracle_comparison.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

int64_t SizeIn(std::string_view text, std::string_view name) {
  const size_t begin = text.find(name);
  return begin == std::string_view::npos
             ? 0
             : std::stoll(std::string(text.substr(begin + name.size(), 4)));
}

// How many records the requests for pages asked for, in the order of their arrival.
class PageLog {
 public:
  // Time passes with each page that is asked for: on `clock`, which may be null.
  PageLog(fake::FakeIntercom* intercom, FakeClock* clock, absl::Duration step)
      : clock_(clock), step_(step) {
    for (const char* path : {"/contacts", "/conversations"}) {
      intercom->SetHandler("GET", path, [this, path](const auto& request, auto* /*response*/) {
        if (request.path == path) Add(path, SizeIn(request.target, "per_page="));
        return false;
      });
    }
    intercom->SetHandler("POST", "/contacts/search",
                         [this](const auto& request, auto* /*response*/) {
                           const bool look_up = request.body.find("\"IN\"") != std::string::npos;
                           if (!look_up)
                             Add("/contacts/search", SizeIn(request.body, "\"per_page\":"));
                           return false;
                         });
  }

  std::vector<int64_t> Asked(const std::string& path) {
    MutexLock lock(&mu_);
    return asked_[path];
  }

 private:
  void Add(const std::string& path, int64_t records) {
    if (clock_ != nullptr) clock_->Advance(step_);
    MutexLock lock(&mu_);
    asked_[path].push_back(records);
  }

  FakeClock* const clock_;
  const absl::Duration step_;
  Mutex mu_;
  std::map<std::string, std::vector<int64_t>> asked_ ABSL_GUARDED_BY(mu_);
};

class PageSizeTest : public ::testing::Test {
 protected:
  void Serve(const fake::GeneratorOptions& sizes, const std::string& faults) {
    workspace_ = std::make_shared<fake::GeneratedWorkspace>(sizes);
    fake::FakeIntercomOptions options;
    options.faults = faults;
    harness_ = std::make_unique<ExtractionHarness>(workspace_, options);
    harness_->clock = &clock_;
  }

  FakeClock clock_;
  std::shared_ptr<const fake::GeneratedWorkspace> workspace_;
  std::unique_ptr<ExtractionHarness> harness_;
};

// The first pages of contacts, conversations and members of segments, then two
// failures each until the size is found.
TEST_F(PageSizeTest, AllTablesAreCompleteWhenIntercomBearsSmallPagesOnly) {
  fake::GeneratorOptions sizes;
  sizes.users = 400;
  sizes.leads = 200;
  sizes.conversations = 250;
  Serve(sizes, "large_pages:40");
  PageLog log(&harness_->intercom(), nullptr, absl::ZeroDuration());
  const Extracted got = harness_->Run();
  ExpectComplete(got, *workspace_, 22);
  for (const char* path : {"/contacts", "/conversations"}) {
    const std::vector<int64_t> asked = log.Asked(path);
    ASSERT_THAT(asked, SizeIs(Gt(8u))) << path;
    EXPECT_EQ(asked[0], 150);
    EXPECT_EQ(asked[1], 75);
    EXPECT_THAT(std::vector<int64_t>(asked.begin() + 2, asked.end()), Each(37)) << path;
  }
  EXPECT_EQ(harness_->intercom().stats().by_status[504], 6);
  // The front of the conversations is read again, by now in pages of the same size.
  EXPECT_EQ(harness_->intercom().stats().duplicates, 1);
  EXPECT_EQ(got.summary.requests().retries(), 6);
}

TEST_F(PageSizeTest, WindowsOfLargeWorkspacesShrinkTogether) {
  fake::GeneratorOptions sizes;
  sizes.users = 4000;
  sizes.leads = 1000;
  Serve(sizes, "large_pages:40");
  PageLog log(&harness_->intercom(), nullptr, absl::ZeroDuration());
  const Extracted got = harness_->Run({"users", "leads", "users_tags"});
  ExpectComplete(got, *workspace_, 3);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH), IsEmpty());
  EXPECT_THAT(log.Asked("/contacts"), ElementsAre(150, 75, 37));
  const std::vector<int64_t> asked = log.Asked("/contacts/search");
  ASSERT_THAT(asked, SizeIs(Gt(5000u / 37)));
  EXPECT_THAT(std::vector<int64_t>(asked.begin() + 2, asked.end()), Each(37));
  EXPECT_EQ(harness_->intercom().stats().by_status[504], 4);
  EXPECT_EQ(harness_->intercom().stats().duplicates, 0);
}

TEST_F(PageSizeTest, PagesGrowBackDuringTheRunWhenIntercomBearsThemAgain) {
  fake::GeneratorOptions sizes;
  sizes.users = 2000;
  sizes.leads = 900;
  sizes.companies = 10;
  sizes.conversations = 10;
  Serve(sizes, "large_pages:40");
  PageLog log(&harness_->intercom(), &clock_, absl::Seconds(15));
  harness_->intercom().AlterAnswers(
      "GET", "/contacts",
      [this, pages = std::make_shared<std::atomic<int>>(0)](const auto&, auto*) {
        if (++*pages == 8) harness_->intercom().ClearFaults();
      });
  const Extracted got = harness_->Run({"users", "leads"});
  ExpectComplete(got, *workspace_, 2);
  std::vector<int64_t> asked = log.Asked("/contacts");
  // Five before each of the two attempts at more.
  EXPECT_EQ(std::count(asked.begin(), asked.end(), 37), 10);
  EXPECT_THAT(asked, SizeIs(Le(2900u / 150 + 25)));
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  // 55 is tried once while the trouble lasts, and again after it.
  EXPECT_THAT(asked, ElementsAre(150, 75, 37, 55, 37, 55, 82, 123, 150));
  EXPECT_EQ(harness_->intercom().stats().by_status[504], 3);
}

TEST_F(PageSizeTest, PagesThatIntercomNeverAnswersShrinkAsWell) {
  fake::GeneratorOptions sizes;
  sizes.users = 300;
  sizes.leads = 100;
  Serve(sizes, "");
  harness_->http_options().transfer_timeout = absl::Seconds(2);
  harness_->intercom().SetHandler("GET", "/contacts", [](const auto& request, auto* response) {
    if (request.path != "/contacts" || SizeIn(request.target, "per_page=") <= 100) return false;
    response->delay = std::chrono::hours(1);
    return true;
  });
  PageLog log(&harness_->intercom(), nullptr, absl::ZeroDuration());
  const Extracted got = harness_->Run({"users", "leads", "notes"});
  ExpectComplete(got, *workspace_, 3);
  const std::vector<int64_t> asked = log.Asked("/contacts");
  EXPECT_EQ(asked.front(), 150);
  EXPECT_THAT(std::vector<int64_t>(asked.begin() + 1, asked.end()), Each(Le(75)));
}

// A page number means other records when the size changes.
TEST_F(PageSizeTest, PagesWithNumbersKeepTheirSizeWhenTheyAreAskedForAgain) {
  fake::GeneratorOptions sizes;
  sizes.users = 30;
  sizes.leads = 10;
  Serve(sizes, "");
  Mutex mu;
  std::vector<std::string> targets;
  harness_->intercom().SetHandler("GET", "/contacts/", [&](const auto& request, auto* response) {
    if (request.path.find("/notes") == std::string::npos) return false;
    MutexLock lock(&mu);
    targets.push_back(request.target);
    if (targets.size() > 1) return false;
    response->status = 504;
    return true;
  });
  ExpectComplete(harness_->Run({"notes"}), *workspace_, 1);
  ASSERT_THAT(targets, SizeIs(Gt(1u)));
  EXPECT_GT(SizeIn(targets[0], "per_page="), 0) << targets[0];
  EXPECT_EQ(std::count(targets.begin(), targets.end(), targets[0]), 2) << targets[0];
}

// Its first page would hold all contacts if Intercom bore it, and nobody had to be
// sampled.
TEST_F(PageSizeTest, PlanWhoseFirstPageShrankSamplesTheContactsThatItLacks) {
  fake::GeneratorOptions sizes;
  sizes.users = 80;
  sizes.leads = 40;
  for (const char* faults : {"", "large_pages:40"}) {
    Serve(sizes, faults);
    const auto plan = harness_->Plan({"users", "users_tags"});
    ASSERT_TRUE(plan.ok()) << faults << ": " << plan.status();
    const auto routes = harness_->intercom().stats().by_route;
    EXPECT_EQ(routes.count("POST /contacts/search"), *faults == '\0' ? 0u : 1u) << faults;
  }
}

}  // namespace
}  // namespace intercom_extractor

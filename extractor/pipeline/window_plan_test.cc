#include "extractor/pipeline/window_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/pipeline/simulated_search.h"
#include "extractor/pipeline/window_axis.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kDay = 86400;
constexpr int64_t kPageSize = 150;

struct Outcome {
  // How often each contact was wanted, and how often it came.
  std::vector<int> wanted;
  std::vector<int> came;
  int64_t requests = 0;
  // Rounds in which all open windows got a page, hence the time in latencies.
  int64_t rounds = 0;
  int64_t shortfall = 0;
  size_t most_open = 0;
  absl::Status status;

  int64_t missing() const { return std::count(wanted.begin(), wanted.end(), 0); }
  int64_t repeated() const {
    return std::count_if(wanted.begin(), wanted.end(), [](int times) { return times > 1; });
  }
};

// Reads the windows of a plan from a search.
class Reader {
 public:
  Reader(const SimulatedSearch* search, const WindowAxis* axis, WindowPlan plan)
      : search_(*search), axis_(*axis), plan_(std::move(plan)) {
    outcome_.wanted.resize(search_.contacts().size());
    outcome_.came.resize(search_.contacts().size());
  }

  // May change a page before the plan sees it.
  std::function<void(WindowPlan::Record*)> damage;
  std::function<void(WindowPlan::Page*)> damage_page;

  // Windows that could go on now.
  std::vector<size_t> Open() {
    for (const size_t window : plan_->TakeNew()) {
      if (chains_.count(window) == 0)
        chains_[window] = {search_.Find(plan_->filter(window), axis_)};
    }
    outcome_.most_open = std::max(outcome_.most_open, plan_->open().size());
    return {plan_->open().begin(), plan_->open().end()};
  }

  void ReadPage(size_t window) {
    ++outcome_.requests;
    Chain& chain = chains_[window];
    WindowPlan::Page page;
    page.total_count = static_cast<int64_t>(chain.found.size());
    for (int i = 0; i < kPageSize && chain.offset < chain.found.size(); ++i, ++chain.offset) {
      const size_t number = chain.found[chain.offset];
      const SimulatedContact& contact = search_.contacts()[number];
      const std::string id = absl::StrCat(number);
      WindowPlan::Record record = {id, contact.created_at, contact.updated_at};
      if (damage) damage(&record);
      ++outcome_.came[number];
      if (plan_->Add(window, record, &page)) ++outcome_.wanted[number];
    }
    page.last = chain.offset == chain.found.size();
    if (damage_page) damage_page(&page);
    outcome_.status = plan_->OnPage(window, page);
  }

  // A window's cursor is refused. False when that is once too often; it goes on then.
  bool Refuse(size_t window) {
    if (!plan_->Restart(window).ok()) return false;
    chains_.erase(window);
    return true;
  }

  // As if the process had ended and another went on, with the cursors or without.
  void StopAndResume(bool with_cursors) {
    const WindowPlan::Saved saved = plan_->Save();
    EXPECT_LE(saved.windows.size(), WindowPlan::Options().max_open);
    std::map<size_t, Chain> chains;
    size_t number = 0;
    for (const size_t window : plan_->open()) {
      if (chains_.count(window) > 0) chains[number] = chains_[window];
      ++number;
    }
    chains_ = std::move(chains);
    plan_.emplace(&axis_, saved, WindowPlan::Options());
    if (with_cursors) return;
    for (size_t i = 0; i < number; ++i) {
      // Where no page was read there is no cursor either.
      if (chains_.count(i) == 0 || chains_[i].offset == 0) continue;
      EXPECT_TRUE(Refuse(i));
    }
  }

  Outcome ReadAll() {
    for (std::vector<size_t> open = Open(); !open.empty(); open = Open()) {
      for (const size_t window : open) {
        if (plan_->IsOpen(window)) ReadPage(window);
        if (!outcome_.status.ok()) return outcome_;
      }
      ++outcome_.rounds;
    }
    return End();
  }

  Outcome End() {
    outcome_.shortfall = plan_->Shortfall();
    return outcome_;
  }

  const Outcome& outcome() const { return outcome_; }
  const WindowPlan& plan() const { return *plan_; }

 private:
  struct Chain {
    std::vector<size_t> found;
    size_t offset = 0;
  };

  const SimulatedSearch& search_;
  const WindowAxis& axis_;
  std::optional<WindowPlan> plan_;
  std::map<size_t, Chain> chains_;
  Outcome outcome_;
};

int64_t Pages(size_t contacts) {
  return (static_cast<int64_t>(contacts) + kPageSize - 1) / kPageSize;
}

// The axis that goes with a rule.
std::unique_ptr<WindowAxis> AxisFor(DateComparison rule, const std::string& zone) {
  if (rule == DateComparison::kSecondsOrEqual) return std::make_unique<SecondAxis>();
  return std::make_unique<DayAxis>(DayCalendar(zone));
}

class WindowPlanTest : public ::testing::TestWithParam<std::tuple<Spread, DateComparison>> {
 protected:
  struct Workspace {
    std::string zone;
    std::unique_ptr<WindowAxis> axis;
    std::unique_ptr<SimulatedSearch> search;
  };
  static Workspace MakeWorkspace(size_t count, std::mt19937_64* random) {
    const auto [spread, rule] = GetParam();
    Workspace workspace;
    workspace.zone = kTimeZones[(*random)() % kTimeZones.size()];
    workspace.axis = AxisFor(rule, workspace.zone);
    workspace.search = std::make_unique<SimulatedSearch>(MakeContacts(spread, count, random),
                                                         workspace.zone, rule);
    return workspace;
  }
};

TEST_P(WindowPlanTest, WindowsGiveEveryContactOnceForHardlyMoreRequestsThanTheList) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    std::mt19937_64 random(seed);
    const size_t count = 3000 + random() % 30000;
    const Workspace workspace = MakeWorkspace(count, &random);
    SCOPED_TRACE(absl::StrCat("seed ", seed, ", zone ", workspace.zone, ", contacts ", count));
    const WindowAxis* axis = workspace.axis.get();
    Reader reader(workspace.search.get(), axis, WindowPlan(axis, k2025 + 1, WindowPlan::Options()));
    const Outcome outcome = reader.ReadAll();
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.missing(), 0);
    EXPECT_EQ(outcome.repeated(), 0);
    EXPECT_EQ(outcome.shortfall, 0);
    EXPECT_LE(outcome.most_open, WindowPlan::Options().max_open);
    // A page more per window at most: it ends within one, or reads a day anew.
    EXPECT_LE(outcome.requests, Pages(count) + static_cast<int64_t>(reader.plan().size()) + 2);
  }
}

TEST_P(WindowPlanTest, StoppedAndResumedAnywhereItGivesEveryContactOnce) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    std::mt19937_64 random(seed);
    const size_t count = 3000 + random() % 20000;
    const Workspace workspace = MakeWorkspace(count, &random);
    SCOPED_TRACE(absl::StrCat("seed ", seed, ", zone ", workspace.zone, ", contacts ", count));
    const WindowAxis* axis = workspace.axis.get();
    Reader reader(workspace.search.get(), axis, WindowPlan(axis, k2025 + 1, WindowPlan::Options()));
    bool refused = false;
    // What shares a second with more than the watermark's ids may come again.
    const bool one_second = std::get<0>(GetParam()) == Spread::kOneSecond;
    for (std::vector<size_t> open = reader.Open(); !open.empty(); open = reader.Open()) {
      // Windows go on in any order, as their answers come.
      const size_t window = open[random() % open.size()];
      reader.ReadPage(window);
      ASSERT_TRUE(reader.outcome().status.ok()) << reader.outcome().status;
      if (random() % 15 == 0) {
        const bool with_cursors = one_second || random() % 2 == 0;
        refused = refused || !with_cursors;
        reader.StopAndResume(with_cursors);
      } else if (!one_second && random() % 15 == 0 && reader.plan().IsOpen(window)) {
        refused = reader.Refuse(window) || refused;
      }
    }
    const Outcome outcome = reader.End();
    EXPECT_TRUE(refused || one_second) << "the test tests nothing";
    EXPECT_EQ(outcome.missing(), 0);
    EXPECT_EQ(outcome.repeated(), 0);
    EXPECT_EQ(outcome.shortfall, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Spreads, WindowPlanTest,
    ::testing::Combine(::testing::Values(Spread::kEven, Spread::kGrowing, Spread::kOneDay,
                                         Spread::kOneSecond, Spread::kFewDays,
                                         Spread::kImportWithin, Spread::kSmallImport),
                       ::testing::Values(DateComparison::kWholeDays, DateComparison::kExactSeconds,
                                         DateComparison::kSecondsOrEqual)));

// Any cuts, not only those that a plan would make.
TEST(ContactFilterTest, DisjointDaysSelectEveryContactOnceUnderBothDateSemantics) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 random(seed);
    const std::string zone = kTimeZones[seed % kTimeZones.size()];
    SCOPED_TRACE(absl::StrCat("seed ", seed, ", zone ", zone));
    const DayCalendar calendar(zone);
    const DayAxis axis(calendar);
    std::set<absl::CivilDay> cuts;
    for (int i = 0; i < 200; ++i) {
      cuts.insert(calendar.NextCut(calendar.DayOf(
          std::uniform_int_distribution<int64_t>(k2020 - 20 * 365 * kDay, k2025)(random))));
    }
    std::vector<SimulatedContact> contacts;
    for (const absl::CivilDay cut : cuts) {
      // The seconds around each edge, and hours for the clock's changes.
      for (const int64_t offset : {-7200, -3600, -1, 0, 1, 1800, 3600, 7200}) {
        contacts.push_back({calendar.Start(cut) + offset, 0, true});
      }
    }
    for (const DateComparison rule : {DateComparison::kWholeDays, DateComparison::kExactSeconds}) {
      const SimulatedSearch search(contacts, zone, rule);
      std::vector<int> seen(contacts.size());
      std::optional<int64_t> from;
      std::vector<absl::CivilDay> ends(cuts.begin(), cuts.end());
      ends.push_back(calendar.NextCut(calendar.DayOf(k2025) + 10));
      for (const absl::CivilDay end : ends) {
        WindowFilter filter;
        filter.created_from = from;
        filter.created_before = calendar.Start(end);
        EXPECT_EQ(axis.NextCut(filter.created_before), filter.created_before);
        EXPECT_EQ(axis.LastCut(filter.created_before), filter.created_before);
        EXPECT_EQ(axis.InDays(filter).created_before, end);
        for (const size_t i : search.Find(filter, axis)) ++seen[i];
        from = filter.created_before;
      }
      for (size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i], 1) << "created at " << search.contacts()[i].created_at;
      }
    }
  }
}

TEST(WindowPlanTest, LargeWorkspaceIsReadManyPagesAtATimeForFivePercentMoreRequests) {
  for (const Spread spread : {Spread::kEven, Spread::kGrowing, Spread::kFewDays, Spread::kOneDay,
                              Spread::kImportWithin, Spread::kSmallImport, Spread::kOneSecond}) {
    constexpr uint64_t kSeed = 7;
    std::mt19937_64 random(kSeed);
    SCOPED_TRACE(absl::StrCat("seed ", kSeed, ", spread ", static_cast<int>(spread)));
    const size_t count = 300000;
    const SimulatedSearch search(MakeContacts(spread, count, &random), "America/New_York",
                                 DateComparison::kWholeDays);
    const DayAxis axis(DayCalendar("America/New_York"));
    Reader reader(&search, &axis, WindowPlan(&axis, k2025 + 1, WindowPlan::Options()));
    const Outcome outcome = reader.ReadAll();
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.missing() + outcome.repeated(), 0);
    EXPECT_LE(outcome.requests, Pages(count) * 21 / 20);
    EXPECT_LE(outcome.rounds, Pages(count) / 20);
    RecordProperty(absl::StrCat("requests_", static_cast<int>(spread)),
                   static_cast<int>(outcome.requests));
    RecordProperty(absl::StrCat("rounds_", static_cast<int>(spread)),
                   static_cast<int>(outcome.rounds));
  }
}

TEST(WindowPlanTest, UnknownTimeZoneReadsOverlappingWindowsWithoutAGapOrARepetition) {
  std::mt19937_64 random(3);
  for (const char* zone : {"Pacific/Kiritimati", "Pacific/Pago_Pago"}) {
    const SimulatedSearch search(MakeContacts(Spread::kImportWithin, 20000, &random), zone,
                                 DateComparison::kWholeDays);
    const DayAxis axis(DayCalendar("Mars/Olympus_Mons"));
    EXPECT_FALSE(axis.exact());
    Reader reader(&search, &axis, WindowPlan(&axis, k2025 + kDay + 1, WindowPlan::Options()));
    const Outcome outcome = reader.ReadAll();
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.missing(), 0) << zone;
    EXPECT_EQ(outcome.repeated(), 0) << zone;
    EXPECT_GT(*std::max_element(outcome.came.begin(), outcome.came.end()), 1) << "no overlap";
  }
}

class DamagedSearch : public ::testing::Test {
 protected:
  Outcome Read(const std::function<void(WindowPlan::Record*)>& damage,
               const std::function<void(WindowPlan::Page*)>& damage_page) {
    std::mt19937_64 random(11);
    const SimulatedSearch search(MakeContacts(Spread::kEven, 20000, &random), "UTC",
                                 DateComparison::kWholeDays);
    const DayAxis axis(DayCalendar("UTC"));
    Reader reader(&search, &axis, WindowPlan(&axis, k2025 + 1, WindowPlan::Options()));
    reader.damage = damage;
    reader.damage_page = damage_page;
    return reader.ReadAll();
  }
};

TEST_F(DamagedSearch, WithoutTotalsIsRefused) {
  const Outcome outcome = Read(nullptr, [](WindowPlan::Page* page) { page->total_count.reset(); });
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("total_count"));
}

TEST_F(DamagedSearch, OutOfOrderIsRefused) {
  const Outcome outcome = Read(nullptr, [](WindowPlan::Page* page) {
    std::reverse(page->records.begin(), page->records.end());
  });
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("sorted"));
}

TEST(WindowPlanTest, RecordsThatWereNotAskedForAreRefused) {
  const DayAxis days(DayCalendar("UTC"));
  const SecondAxis seconds;
  for (const WindowAxis* axis : std::vector<const WindowAxis*>{&days, &seconds}) {
    WindowPlan plan(axis, k2025, WindowPlan::Options());
    ASSERT_EQ(plan.TakeNew(), std::vector<size_t>{0});
    const auto read = [&plan](size_t window) {
      WindowPlan::Page page;
      page.total_count = 20000;
      for (int day = 0; day < kPageSize; ++day) {
        plan.Add(window, {absl::StrCat(day), k2020 + day * kDay, {}}, &page);
      }
      return plan.OnPage(window, page);
    };
    ASSERT_TRUE(read(0).ok());
    // The search ignores the filter and begins at the beginning again.
    const std::vector<size_t> windows = plan.TakeNew();
    ASSERT_FALSE(windows.empty());
    EXPECT_THAT(std::string(read(windows.back()).message()), HasSubstr("not asked for"));
  }
}

TEST_F(DamagedSearch, ThatEndsEarlyShowsInTheShortfall) {
  // Each window ends after its first page.
  const Outcome outcome = Read(nullptr, [](WindowPlan::Page* page) { page->last = true; });
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.shortfall, outcome.missing());
  EXPECT_GT(outcome.shortfall, 0);
}

TEST_F(DamagedSearch, TimesThatCannotBeReadLoseNoContact) {
  int record = 0;
  const Outcome outcome = Read(
      [&record](WindowPlan::Record* damaged) {
        if (++record % 7 == 0) damaged->created_at.reset();
        if (++record % 11 == 0) damaged->created_at = std::numeric_limits<int64_t>::max();
      },
      nullptr);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.missing(), 0);
}

TEST(WindowPlanTest, CursorThatIsAlwaysRefusedEndsTheWindow) {
  const SecondAxis axis;
  WindowPlan plan(&axis, k2025, WindowPlan::Options());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(plan.Restart(0).ok());
  EXPECT_FALSE(plan.Restart(0).ok()) << "nothing came since";
  WindowPlan::Page page;
  page.total_count = 20000;
  for (int i = 0; i < kPageSize; ++i) plan.Add(0, {absl::StrCat(i), k2020 + i, {}}, &page);
  ASSERT_TRUE(plan.OnPage(0, page).ok());
  EXPECT_TRUE(plan.Restart(0).ok());
  EXPECT_FALSE(plan.IsOpen(0)) << "another window reads the rest";
}

TEST(WindowPlanTest, WhatIsSavedIsBoundedHoweverManyShareASecond) {
  const SecondAxis axis;
  WindowPlan plan(&axis, k2025, WindowPlan::Options());
  for (size_t given = 0; given <= WindowPlan::kMaxIds; given += kPageSize) {
    EXPECT_EQ(plan.Save().windows[0].given.ids.size(), given);
    WindowPlan::Page page;
    page.total_count = 20000;
    for (size_t i = 0; i < kPageSize; ++i) {
      EXPECT_TRUE(plan.Add(0, {absl::StrCat(given + i), k2020, {}}, &page));
    }
    ASSERT_TRUE(plan.OnPage(0, page).ok());
  }
  EXPECT_TRUE(plan.Save().windows[0].given.overflow);
  EXPECT_TRUE(plan.Save().windows[0].given.ids.empty());
  WindowPlan::Page page;
  EXPECT_TRUE(plan.Add(0, {"0", k2020, {}}, &page)) << "comes again rather than never";
}

}  // namespace
}  // namespace intercom_extractor

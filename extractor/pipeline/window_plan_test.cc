// Plans are driven by a search that is simulated here: what it compares is said a
// second time, by civil days and by seconds, without the calendar under test.

#include "extractor/pipeline/window_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kDay = 86400;
constexpr int64_t kPageSize = 150;
constexpr int64_t k2020 = 1577836800;
constexpr int64_t k2025 = 1735689600;

struct Contact {
  int64_t created_at = 0;
  int64_t updated_at = 0;
  bool user = true;
};

enum class Rule { kWholeDays, kExactSeconds };

// POST /contacts/search as documented, sorted by created_at.
class Search {
 public:
  Search(std::vector<Contact> contacts, const std::string& zone, Rule rule)
      : contacts_(std::move(contacts)), rule_(rule) {
    EXPECT_TRUE(absl::LoadTimeZone(zone, &zone_));
    std::sort(contacts_.begin(), contacts_.end(),
              [](const Contact& a, const Contact& b) { return a.created_at < b.created_at; });
    for (const Contact& contact : contacts_) {
      created_.push_back(Compared(contact.created_at));
      updated_.push_back(Compared(contact.updated_at));
    }
  }

  const std::vector<Contact>& contacts() const { return contacts_; }

  // The numbers of the contacts that the filter's conditions select.
  std::vector<size_t> Find(const ContactFilter& filter, const DayCalendar& calendar) const {
    const int margin = calendar.known() ? 0 : 1;
    const Range created = MakeRange(filter.created_from, filter.created_before, calendar, margin);
    const Range updated = MakeRange(filter.updated_from, filter.updated_before, calendar, margin);
    std::vector<size_t> found;
    for (size_t i = 0; i < contacts_.size(); ++i) {
      using Role = ContactFilter::Role;
      if (created.Has(created_[i]) && updated.Has(updated_[i]) &&
          (filter.role == Role::kAny || (filter.role == Role::kUser) == contacts_[i].user)) {
        found.push_back(i);
      }
    }
    return found;
  }

 private:
  // Values that search compares: days, or seconds.
  struct Range {
    int64_t after = std::numeric_limits<int64_t>::min();
    int64_t before = std::numeric_limits<int64_t>::max();
    bool Has(int64_t value) const { return value > after && value < before; }
  };

  int64_t Compared(int64_t second) const {
    if (rule_ == Rule::kExactSeconds) return second;
    return absl::ToCivilDay(absl::FromUnixSeconds(second), zone_) - absl::CivilDay();
  }

  Range MakeRange(const std::optional<absl::CivilDay>& from,
                  const std::optional<absl::CivilDay>& before, const DayCalendar& calendar,
                  int margin) const {
    Range range;
    if (from.has_value()) range.after = Compared(calendar.Start(*from - margin) - 1);
    if (before.has_value()) range.before = Compared(calendar.Start(*before + margin));
    return range;
  }

  std::vector<Contact> contacts_;
  absl::TimeZone zone_;
  const Rule rule_;
  std::vector<int64_t> created_;
  std::vector<int64_t> updated_;
};

struct Outcome {
  // How often each contact came.
  std::vector<int> seen;
  int64_t requests = 0;
  // Rounds in which all open windows got a page, hence the time in latencies.
  int64_t rounds = 0;
  int64_t shortfall = 0;
  size_t most_open = 0;
  absl::Status status;
};

// Reads every window of the plan, a page of each per round. `damage` may change
// a page before the plan sees it.
Outcome ReadAll(WindowPlan* plan, const Search& search, const DayCalendar& calendar,
                const std::function<void(WindowPlan::Page*)>& damage = nullptr) {
  Outcome outcome;
  outcome.seen.resize(search.contacts().size());
  std::map<size_t, std::pair<std::vector<size_t>, size_t>> chains;
  while (true) {
    for (const size_t window : plan->TakeNew()) {
      chains[window] = {search.Find(plan->filter(window), calendar), 0};
    }
    outcome.most_open = std::max(outcome.most_open, plan->open());
    bool any = false;
    for (auto& [window, chain] : chains) {
      if (!plan->IsOpen(window)) continue;
      any = true;
      ++outcome.requests;
      auto& [found, offset] = chain;
      WindowPlan::Page page;
      page.total_count = static_cast<int64_t>(found.size());
      for (int i = 0; i < kPageSize && offset < found.size(); ++i, ++offset) {
        const Contact& contact = search.contacts()[found[offset]];
        page.records.push_back({contact.created_at, contact.updated_at});
        ++outcome.seen[found[offset]];
      }
      page.last = offset == found.size();
      if (damage) damage(&page);
      outcome.status = plan->OnPage(window, page);
      if (!outcome.status.ok()) return outcome;
    }
    if (!any) break;
    ++outcome.rounds;
  }
  outcome.shortfall = plan->Shortfall();
  return outcome;
}

int64_t Pages(size_t contacts) {
  return (static_cast<int64_t>(contacts) + kPageSize - 1) / kPageSize;
}

enum class Shape { kEven, kGrowing, kOneDay, kOneSecond, kFewDays, kImportWithin, kSmallImport };

std::vector<Contact> MakeContacts(Shape shape, size_t count, std::mt19937_64* random) {
  const auto between = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(*random);
  };
  const int64_t import = between(k2020, k2025 - kDay);
  std::vector<int64_t> days;
  for (int i = 0; i < 5; ++i) days.push_back(between(k2020, k2025 - kDay));
  std::vector<Contact> contacts(count);
  for (size_t i = 0; i < count; ++i) {
    Contact& contact = contacts[i];
    switch (shape) {
      case Shape::kEven:
        contact.created_at = between(k2020, k2025);
        break;
      case Shape::kGrowing:
        contact.created_at = std::max(between(k2020, k2025), between(k2020, k2025));
        break;
      case Shape::kOneDay:
        contact.created_at = import + between(0, kDay / 2);
        break;
      case Shape::kOneSecond:
        contact.created_at = import;
        break;
      case Shape::kFewDays:
        contact.created_at = days[i % days.size()] + between(0, kDay);
        break;
      case Shape::kImportWithin:
      case Shape::kSmallImport:
        contact.created_at = i % (shape == Shape::kSmallImport ? 10 : 2) == 0
                                 ? import + between(0, 3600)
                                 : between(k2020, k2025);
        break;
    }
    contact.updated_at = between(contact.created_at, k2025);
    contact.user = between(0, 3) > 0;
  }
  return contacts;
}

const char* const kZones[] = {
    "America/New_York",  "Europe/London", "Australia/Lord_Howe",  // Half an hour.
    "America/Sao_Paulo", "Asia/Beirut",                           // Midnights that do not exist.
    "Atlantic/Azores",                                            // Midnights that come twice.
    "America/St_Johns",  "Pacific/Apia",  "Asia/Kathmandu",      "UTC"};

class WindowPlanTest : public ::testing::TestWithParam<std::tuple<Shape, Rule>> {};

TEST_P(WindowPlanTest, WindowsGiveEveryContactForHardlyMoreRequestsThanTheList) {
  const auto [shape, rule] = GetParam();
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    const std::string zone = kZones[seed % std::size(kZones)];
    const size_t count = 3000 + random() % 30000;
    SCOPED_TRACE(absl::StrCat("seed ", seed, ", zone ", zone, ", contacts ", count));
    const Search search(MakeContacts(shape, count, &random), zone, rule);
    const DayCalendar calendar(zone);
    WindowPlan plan(&calendar, calendar.DayOf(k2025) + 1, WindowPlan::Options());
    const Outcome outcome = ReadAll(&plan, search, calendar);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(std::count(outcome.seen.begin(), outcome.seen.end(), 0), 0) << "contacts are missing";
    EXPECT_EQ(outcome.shortfall, 0);
    EXPECT_LE(outcome.most_open, WindowPlan::Options().max_open);
    // A page more per window at most: it ends within one, or reads a day anew.
    EXPECT_LE(outcome.requests, Pages(count) + static_cast<int64_t>(plan.size()) + 2);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, WindowPlanTest,
    ::testing::Combine(::testing::Values(Shape::kEven, Shape::kGrowing, Shape::kOneDay,
                                         Shape::kOneSecond, Shape::kFewDays, Shape::kImportWithin,
                                         Shape::kSmallImport),
                       ::testing::Values(Rule::kWholeDays, Rule::kExactSeconds)));

// Any cuts, not only those that a plan would make.
TEST(ContactFilterTest, DisjointDaysSelectEveryContactOnceUnderBothDateSemantics) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 random(seed);
    const std::string zone = kZones[seed % std::size(kZones)];
    SCOPED_TRACE(absl::StrCat("seed ", seed, ", zone ", zone));
    const DayCalendar calendar(zone);
    std::set<absl::CivilDay> cuts;
    for (int i = 0; i < 200; ++i) {
      cuts.insert(calendar.NextCut(calendar.DayOf(
          std::uniform_int_distribution<int64_t>(k2020 - 20 * 365 * kDay, k2025)(random))));
    }
    std::vector<Contact> contacts;
    for (const absl::CivilDay cut : cuts) {
      // The seconds around each edge, and hours for the clock's changes.
      for (const int64_t offset : {-7200, -3600, -1, 0, 1, 1800, 3600, 7200}) {
        contacts.push_back({calendar.Start(cut) + offset, 0, true});
      }
    }
    for (const Rule rule : {Rule::kWholeDays, Rule::kExactSeconds}) {
      const Search search(contacts, zone, rule);
      std::vector<int> seen(contacts.size());
      std::optional<absl::CivilDay> from;
      std::vector<absl::CivilDay> ends(cuts.begin(), cuts.end());
      ends.push_back(calendar.DayOf(k2025) + 10);
      for (const absl::CivilDay end : ends) {
        ContactFilter filter;
        filter.created_from = from;
        filter.created_before = end;
        for (const size_t i : search.Find(filter, calendar)) ++seen[i];
        from = end;
      }
      for (size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i], 1) << "created at " << search.contacts()[i].created_at;
      }
    }
  }
}

TEST(WindowPlanTest, LargeWorkspaceIsReadManyPagesAtATimeForFivePercentMoreRequests) {
  for (const Shape shape : {Shape::kEven, Shape::kGrowing, Shape::kFewDays, Shape::kOneDay,
                            Shape::kImportWithin, Shape::kSmallImport, Shape::kOneSecond}) {
    constexpr uint64_t kSeed = 7;
    std::mt19937_64 random(kSeed);
    SCOPED_TRACE(absl::StrCat("seed ", kSeed, ", shape ", static_cast<int>(shape)));
    const size_t count = 300000;
    const Search search(MakeContacts(shape, count, &random), "America/New_York", Rule::kWholeDays);
    const DayCalendar calendar("America/New_York");
    WindowPlan plan(&calendar, calendar.DayOf(k2025) + 1, WindowPlan::Options());
    const Outcome outcome = ReadAll(&plan, search, calendar);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(std::count(outcome.seen.begin(), outcome.seen.end(), 0), 0);
    EXPECT_LE(outcome.requests, Pages(count) * 21 / 20);
    EXPECT_LE(outcome.rounds, Pages(count) / 20);
    RecordProperty(absl::StrCat("requests_", static_cast<int>(shape)),
                   static_cast<int>(outcome.requests));
    RecordProperty(absl::StrCat("rounds_", static_cast<int>(shape)),
                   static_cast<int>(outcome.rounds));
  }
}

TEST(WindowPlanTest, UnknownTimeZoneReadsOverlappingWindowsWithoutAGap) {
  std::mt19937_64 random(3);
  for (const char* zone : {"Pacific/Kiritimati", "Pacific/Pago_Pago"}) {
    const Search search(MakeContacts(Shape::kImportWithin, 20000, &random), zone, Rule::kWholeDays);
    const DayCalendar calendar("Mars/Olympus_Mons");
    EXPECT_FALSE(calendar.known());
    WindowPlan plan(&calendar, calendar.DayOf(k2025) + 2, WindowPlan::Options());
    const Outcome outcome = ReadAll(&plan, search, calendar);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(std::count(outcome.seen.begin(), outcome.seen.end(), 0), 0) << zone;
  }
}

class DamagedSearch : public ::testing::Test {
 protected:
  Outcome Read(const std::function<void(WindowPlan::Page*)>& damage) {
    std::mt19937_64 random(11);
    const Search search(MakeContacts(Shape::kEven, 20000, &random), "UTC", Rule::kWholeDays);
    const DayCalendar calendar("UTC");
    WindowPlan plan(&calendar, calendar.DayOf(k2025) + 1, WindowPlan::Options());
    return ReadAll(&plan, search, calendar, damage);
  }
};

TEST_F(DamagedSearch, WithoutTotalsIsRefused) {
  const Outcome outcome = Read([](WindowPlan::Page* page) { page->total_count.reset(); });
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("total_count"));
}

TEST_F(DamagedSearch, OutOfOrderIsRefused) {
  const Outcome outcome = Read(
      [](WindowPlan::Page* page) { std::reverse(page->records.begin(), page->records.end()); });
  EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("sorted"));
}

TEST(WindowPlanTest, ContactsThatWereNotAskedForAreRefused) {
  const DayCalendar calendar("UTC");
  WindowPlan plan(&calendar, calendar.DayOf(k2025), WindowPlan::Options());
  ASSERT_EQ(plan.TakeNew(), std::vector<size_t>{0});
  WindowPlan::Page page;
  page.total_count = 20000;
  for (int day = 0; day < kPageSize; ++day) page.records.push_back({k2020 + day * kDay, {}});
  ASSERT_TRUE(plan.OnPage(0, page).ok());
  // The search ignores the filter and begins at the beginning again.
  const std::vector<size_t> windows = plan.TakeNew();
  ASSERT_FALSE(windows.empty());
  EXPECT_THAT(std::string(plan.OnPage(windows.back(), page).message()), HasSubstr("not asked for"));
}

TEST_F(DamagedSearch, ThatEndsEarlyShowsInTheShortfall) {
  // Each window ends after its first page.
  const Outcome outcome = Read([](WindowPlan::Page* page) { page->last = true; });
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.shortfall, std::count(outcome.seen.begin(), outcome.seen.end(), 0));
  EXPECT_GT(outcome.shortfall, 0);
}

TEST_F(DamagedSearch, TimesThatCannotBeReadLoseNoContact) {
  int record = 0;
  const Outcome outcome = Read([&record](WindowPlan::Page* page) {
    for (auto& times : page->records) {
      if (++record % 7 == 0) times.created_at.reset();
      if (++record % 11 == 0) times.created_at = std::numeric_limits<int64_t>::max();
    }
  });
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(std::count(outcome.seen.begin(), outcome.seen.end(), 0), 0);
}

}  // namespace
}  // namespace intercom_extractor

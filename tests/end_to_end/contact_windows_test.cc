// Contacts of large workspaces come in windows through search: the same rows as
// from the plain list, however contacts are spread and whatever search does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "extractor/sync/mutex.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/end_to_end/search_misbehaviour.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kDay = 86400;
constexpr int64_t k2020 = 1577836800;
constexpr int64_t k2025 = 1735689600;
constexpr int64_t kPageSize = 150;

int64_t Pages(int64_t contacts) { return (contacts + kPageSize - 1) / kPageSize; }

// When contact `i` was created.
using Created = std::function<int64_t(int i, std::mt19937_64* random)>;

int64_t Between(int64_t low, int64_t high, std::mt19937_64* random) {
  return std::uniform_int_distribution<int64_t>(low, high)(*random);
}

int64_t Evenly(int /*i*/, std::mt19937_64* random) { return Between(k2020, k2025, random); }

fake::FixedRecords MakeContacts(int count, const Created& created, uint64_t seed) {
  std::mt19937_64 random(seed);
  fake::FixedRecords records;
  records.contacts.resize(count);
  for (int i = 0; i < count; ++i) {
    const int64_t created_at = created(i, &random);
    records.contacts[i].json =
        ContactJson(absl::StrFormat("%024x", i * 7919), i % 5 == 0 ? "lead" : "user",
                    absl::StrCat(R"(,"name":"n)", i, R"(","created_at":)", created_at,
                                 R"(,"updated_at":)", Between(created_at, k2025, &random)));
  }
  return records;
}

// Each contact once, in its table, with its own values.
void ExpectAll(const Extracted& got, int count) {
  EXPECT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.rows.users_size(), count - (count + 4) / 5);
  EXPECT_EQ(got.rows.leads_size(), (count + 4) / 5);
  std::set<std::string> ids;
  for (const auto& row : got.rows.users()) {
    EXPECT_TRUE(ids.insert(row.id()).second) << row.id() << " came twice";
  }
  for (const auto& row : got.rows.leads()) {
    EXPECT_TRUE(ids.insert(row.id()).second) << row.id() << " came twice";
  }
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(ids.count(absl::StrFormat("%024x", i * 7919)), 1u)
        << "contact " << i << " is missing";
  }
  EXPECT_THAT(got.restarts, IsEmpty());
  EXPECT_EQ(got.Table("users").status(), v1::TABLE_STATUS_COMPLETE);
}

int64_t Searches(ExtractionHarness* harness) {
  return harness->intercom().stats().by_route["POST /contacts/search"];
}

int64_t Lists(ExtractionHarness* harness) {
  return harness->intercom().stats().by_route["GET /contacts"];
}

struct Spread {
  const char* name;
  Created created;
};

const Spread kSpreads[] = {
    {"evenly over five years", Evenly},
    {"on one day",
     [](int /*i*/, auto* random) { return k2020 + 400 * kDay + Between(0, kDay / 2, random); }},
    {"within one second", [](int /*i*/, auto* /*random*/) { return k2020 + 400 * kDay; }},
    {"on five days",
     [](int i, auto* random) { return k2020 + i % 5 * 300 * kDay + Between(0, kDay, random); }},
    {"half of them on the day that daylight saving began",
     [](int i, auto* random) {
       return i % 2 == 0 ? 1710046800 + Between(0, 82799, random) : Evenly(i, random);
     }},
    {"with times that nobody can read",
     [](int i, auto* random) { return i % 50 == 0 ? int64_t{-1} : Evenly(i, random); }},
};

TEST(ContactWindowsTest, GiveTheRowsOfThePlainListHoweverContactsAreSpread) {
  constexpr int kCount = 9001;
  for (const Spread& spread : kSpreads) {
    for (const char* zone : {"America/New_York", "America/Sao_Paulo", "Pacific/Apia"}) {
      for (const char* version : {"2.16", "2.17"}) {
        constexpr uint64_t kSeed = 5;
        SCOPED_TRACE(absl::StrCat("seed ", kSeed, ": created ", spread.name, ", ", zone,
                                  ", version ", version));
        fake::FakeIntercomOptions options;
        options.api.timezone = zone;
        ExtractionHarness harness(MakeContacts(kCount, spread.created, kSeed), options);
        harness.api_version = version;
        const Extracted got = harness.Run({"users", "leads"});
        ExpectAll(got, kCount);
        EXPECT_THAT(got.notices, IsEmpty());
        EXPECT_EQ(harness.intercom().stats().duplicates, 0);
        EXPECT_EQ(Lists(&harness), 1);
        // At most a page more for each of at most eight windows.
        EXPECT_LE(Searches(&harness), Pages(kCount) + 10);
      }
    }
  }
}

TEST(ContactWindowsTest, SmallWorkspaceComesFromTheListAlone) {
  ExtractionHarness harness(MakeContacts(2999, Evenly, 1));
  const Extracted got = harness.Run({"users", "leads"});
  ExpectAll(got, 2999);
  EXPECT_EQ(Searches(&harness), 0);
  EXPECT_EQ(Lists(&harness), 20);
}

TEST(ContactWindowsTest, UnknownTimeZoneLosesAndRepeatsNothing) {
  ExtractionHarness harness(MakeContacts(6000, Evenly, 2));
  harness.intercom().AlterAnswers("GET", "/me", [](const auto&, fake::Response* response) {
    response->body =
        absl::StrReplaceAll(response->body, {{"America/New_York", "Mars/Olympus_Mons"}});
  });
  const Extracted got = harness.Run({"users", "leads"});
  ExpectAll(got, 6000);
  EXPECT_THAT(got.notices, IsEmpty());
  EXPECT_GT(Searches(&harness), 0);
}

TEST(ContactWindowsTest, DatesThatCannotBeReadRepeatNothingWhereWindowsOverlap) {
  constexpr int kCount = 9000;
  ExtractionHarness harness(MakeContacts(kCount, Evenly, 14));
  harness.intercom().AlterAnswers("GET", "/me", [](const auto&, fake::Response* response) {
    response->body =
        absl::StrReplaceAll(response->body, {{"America/New_York", "Mars/Olympus_Mons"}});
  });
  // Search knows when they were created; their records do not say it.
  Mutex mu;
  std::map<std::string, int> undated;
  harness.intercom().AlterAnswers(
      "POST", "/contacts/search", [&mu, &undated](const auto&, fake::Response* response) {
        MutexLock lock(&mu);
        const std::string key = R"(","created_at":)";
        for (size_t at = response->body.find(key); at != std::string::npos;
             at = response->body.find(key, at + 1)) {
          const size_t name = response->body.rfind('"', at - 1) + 1;
          if (response->body[at - 1] == '7') continue;
          ++undated[response->body.substr(name, at - name)];
          response->body.replace(at + 3, 7, "no_date");
        }
      });
  const Extracted got = harness.Run({"users", "leads"});
  ExpectAll(got, kCount);
  EXPECT_THAT(got.notices, IsEmpty());
  EXPECT_EQ(Lists(&harness), 1);
  harness.intercom().ClearHandlers();
  int repeated = 0;
  for (const auto& [name, times] : undated) repeated += times > 1 ? 1 : 0;
  EXPECT_GT(repeated, 0) << "no windows overlap";
}

TEST(ContactWindowsTest, SubResourcesOfEveryContactAreReadOnce) {
  constexpr int kCount = 3500;
  fake::FixedRecords records = MakeContacts(kCount, Evenly, 3);
  for (int i = 0; i < kCount; ++i) {
    records.contacts[i].segments = {absl::StrCat(R"({"type":"segment","id":"s)", i % 9, R"("})")};
  }
  // Without a count of members each contact is asked for its segments.
  for (int i = 0; i < 9; ++i) {
    records.segments.push_back(absl::StrCat(R"({"type":"segment","id":"s)", i, R"("})"));
  }
  fake::FakeIntercomOptions options;
  options.latency = std::chrono::milliseconds(200);
  ExtractionHarness harness(records, options);
  // Listing goes no further ahead of the sub-resources than the list does. Progress
  // is told once a second, of at least three.
  int64_t most_pending = 0;
  const Extracted got = harness.Run({"users", "leads", "users_segments", "leads_segments"},
                                    [&most_pending](const v1::ExtractResponse& event) {
                                      most_pending = std::max<int64_t>(
                                          most_pending, event.progress().requests().pending());
                                    });
  EXPECT_GT(most_pending, 64);
  EXPECT_LE(most_pending, 1500);
  ExpectAll(got, kCount);
  EXPECT_EQ(got.rows.users_segments_size() + got.rows.leads_segments_size(), kCount);
  EXPECT_EQ(harness.intercom().stats().duplicates, 0);
  EXPECT_GT(Searches(&harness), 0);
}

TEST(ContactWindowsTest, AccidentsOfOneMomentAreInvisible) {
  for (const char* faults :
       {"malformed_json:7", "truncate:9", "html_200:11", "status:503:9", "reset:13"}) {
    SCOPED_TRACE(faults);
    ExtractionHarness harness(MakeContacts(3300, Evenly, 4), faults);
    const Extracted got = harness.Run({"users", "leads"});
    ExpectAll(got, 3300);
    EXPECT_THAT(got.notices, IsEmpty());
  }
}

TEST(ContactWindowsTest, SearchThatMisbehavesIsReplacedByTheList) {
  constexpr int kCount = 6000;
  for (const Misbehaviour& misbehaviour : Misbehaviours()) {
    SCOPED_TRACE(misbehaviour.name);
    ExtractionHarness harness(MakeContacts(kCount, Evenly, 6));
    Misbehave(&harness.intercom(), "/contacts/search", misbehaviour);
    const Extracted got = harness.Run({"users", "leads"});
    ExpectAll(got, kCount);
    ASSERT_THAT(got.notices, SizeIs(1));
    EXPECT_EQ(got.notices[0].code(), v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH);
    EXPECT_THAT(got.notices[0].message(), HasSubstr(misbehaviour.notice));
  }
}

TEST(ContactWindowsTest, SearchThatIsUnsortedRepeatsOrIgnoresItsFilterIsReplacedByTheList) {
  constexpr int kCount = 6000;
  const auto created = [](int i, auto* /*random*/) { return k2020 + i * 20000; };
  std::vector<std::string> sorted;
  for (const auto& contact : MakeContacts(kCount, created, 8).contacts)
    sorted.push_back(contact.json);
  const std::vector<std::string> reversed(sorted.rbegin(), sorted.rend());
  struct {
    const char* name;
    const std::vector<std::string>& json;
    bool repeat;
  } const cases[] = {
      {"unsorted", reversed, false}, {"repeating", sorted, true}, {"unfiltered", sorted, false}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    ExtractionHarness harness(MakeContacts(kCount, created, 8));
    AnswerAnyway(&harness.intercom(), "/contacts/search", "data", each.json, each.repeat);
    const Extracted got = harness.Run({"users", "leads"});
    ExpectAll(got, kCount);
    ASSERT_THAT(got.notices, SizeIs(1));
    EXPECT_EQ(got.notices[0].code(), v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH);
    EXPECT_LE(Searches(&harness), 10);
  }
}

TEST(ContactWindowsTest, CursorsThatAreRefusedLoseAndRepeatNothing) {
  constexpr int kCount = 9001;
  for (const Spread& spread : kSpreads) {
    SCOPED_TRACE(spread.name);
    // What shares a second with thousands of others may come again.
    if (absl::StrContains(spread.name, "one second")) continue;
    ExtractionHarness harness(MakeContacts(kCount, spread.created, 13));
    const auto refused = RefuseCursors(&harness.intercom(), "/contacts/search", 8);
    const Extracted got = harness.Run({"users", "leads"});
    ExpectAll(got, kCount);
    EXPECT_THAT(got.notices, IsEmpty());
    EXPECT_EQ(*refused, 3);
    EXPECT_EQ(Lists(&harness), 1);
  }
}

TEST(ContactWindowsTest, SearchThatIsDownIsReplacedByTheList) {
  ExtractionHarness harness(MakeContacts(3000, Evenly, 9), "search_unavailable");
  const Extracted got = harness.Run({"users", "leads"});
  ExpectAll(got, 3000);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH), SizeIs(1));
}

TEST(ContactWindowsTest, ContactsTooNewForTheIndexAreANoticeOrComeFromTheList) {
  constexpr int kCount = 6000;
  fake::FakeIntercomOptions options;
  options.api.search_missing_newest = 6;
  ExtractionHarness few(MakeContacts(kCount, Evenly, 10), options);
  const Extracted got = few.Run({"users", "leads"});
  EXPECT_GE(got.rows.users_size() + got.rows.leads_size(), kCount - 6);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_COUNT_DIFFERS), SizeIs(1));
  EXPECT_EQ(Lists(&few), 1);

  options.api.search_missing_newest = 7;
  ExtractionHarness many(MakeContacts(kCount, Evenly, 10), options);
  ExpectAll(many.Run({"users", "leads"}), kCount);
  EXPECT_EQ(Lists(&many), Pages(kCount) + 1);
  EXPECT_EQ(Searches(&many), 1);
}

TEST(ContactWindowsTest, ManyPagesAreInFlightAndHardlyMoreThanTheListNeeds) {
  constexpr int kCount = 100000;
  fake::FakeIntercomOptions options;
  options.latency = std::chrono::milliseconds(100);
  ExtractionHarness harness(MakeContacts(kCount, Evenly, 12), options);
  const Extracted got = harness.Run({"users"});
  EXPECT_EQ(got.rows.users_size(), kCount / 5 * 4);
  EXPECT_THAT(got.notices, IsEmpty());
  EXPECT_GE(harness.intercom().stats().max_in_flight, 30);
  RecordProperty("max_in_flight", static_cast<int>(harness.intercom().stats().max_in_flight));
  // At most a page for each window, and a window for 13 pages; how many there are
  // depends on how many days lie between the newest contact and today.
  EXPECT_LE(Searches(&harness) + Lists(&harness), Pages(kCount) * 14 / 13);
  RecordProperty("requests", static_cast<int>(Searches(&harness) + Lists(&harness)));
}

}  // namespace
}  // namespace intercom_extractor

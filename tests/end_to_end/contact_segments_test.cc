// Segments of contacts come from searches where these take fewer requests: the same
// rows as from one request per contact, for the fewest requests there can be,
// whatever searches do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/fake_intercom/call_count.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/fixed_workspace.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/oracle.h"
#include "tests/fake_intercom/workspace.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::set<std::string> kBoth = {"users_segments", "leads_segments"};
constexpr char kPerContact[] = "GET /contacts/{id}/segments";
constexpr int64_t k2020 = 1577836800;
constexpr int64_t kPageSize = 150;

// Table, contact, segment. Rows that came twice are there twice.
using Memberships = std::multiset<std::tuple<std::string, std::string, std::string>>;

Memberships MembershipsIn(const v1::RowBatch& rows) {
  Memberships memberships;
  for (const auto& row : rows.users_segments()) {
    memberships.emplace("users_segments", row.users_pk(), row.id());
  }
  for (const auto& row : rows.leads_segments()) {
    memberships.emplace("leads_segments", row.leads_pk(), row.id());
  }
  return memberships;
}

// As the oracle says, of these tables.
Memberships ExpectedMemberships(const fake::Workspace& workspace,
                                const std::set<std::string>& tables) {
  Memberships memberships;
  fake::ExpectedRows(workspace, {}, [&](size_t index, const fake::OracleRow& row) {
    const fake::OracleTable& table = fake::OracleTables()[index];
    if (kBoth.count(table.name) == 0 || tables.count(table.name) == 0) return;
    const auto cell = [&](const std::string& column) {
      const auto found = std::find(table.columns.begin(), table.columns.end(), column);
      return row[static_cast<size_t>(found - table.columns.begin())].value();
    };
    const std::string role = table.name.substr(0, table.name.find('_'));
    memberships.emplace(table.name, cell(role + "_pk"), cell("id"));
  });
  return memberships;
}

// Searches for a segment's members that the fake was asked for, from now on.
std::shared_ptr<std::atomic<int64_t>> CountSearches(ExtractionHarness* harness) {
  auto count = std::make_shared<std::atomic<int64_t>>(0);
  harness->intercom().AlterAnswers("POST", "/contacts/search",
                                   [count](const fake::Request& request, fake::Response*) {
                                     if (absl::StrContains(request.body, "segment_id")) ++*count;
                                   });
  return count;
}

int64_t AskedContacts(ExtractionHarness* harness) {
  return harness->intercom().stats().by_route[kPerContact];
}

void ExpectClean(const Extracted& got) {
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_THAT(got.notices, IsEmpty());
  EXPECT_THAT(got.restarts, IsEmpty());
  for (const v1::TableSummary& table : got.summary.tables()) {
    EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.table();
  }
}

struct Case {
  size_t users;
  size_t leads;
  std::set<std::string> tables;
  // More than a walk makes that knows the answer before it asks.
  int64_t beyond_cheapest;
};

class CheapestWay : public ::testing::TestWithParam<Case> {};

TEST_P(CheapestWay, GivesTheOraclesRowsForTheFewestRequests) {
  const Case& given = GetParam();
  fake::GeneratorOptions sizes;
  sizes.users = given.users;
  sizes.leads = given.leads;
  const auto workspace = std::make_shared<fake::GeneratedWorkspace>(sizes);
  ExtractionHarness harness(workspace, fake::FakeIntercomOptions());
  const Extracted got = harness.Run({given.tables.begin(), given.tables.end()});
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(MembershipsIn(got.rows), ExpectedMemberships(*workspace, given.tables));
  const fake::CallCounter counter(*workspace, {given.tables});
  const fake::CallCount cheapest = counter.Cheapest();
  const auto log = harness.intercom().stats();
  EXPECT_EQ(log.total, cheapest.Total() + given.beyond_cheapest);
  EXPECT_EQ(AskedContacts(&harness), cheapest.Of(kPerContact));
  EXPECT_THAT(log.duplicate_list, IsEmpty());
  EXPECT_EQ(got.summary.plan().total().likely(), log.total);
}

const std::set<std::string> kAllThree = {"users_segments", "leads_segments", "segments"};

INSTANTIATE_TEST_SUITE_P(Sizes, CheapestWay,
                         ::testing::Values(
                             // Twelve segments are fewer than the contacts.
                             Case{200, 100, kAllThree, 0}, Case{200, 100, kBoth, 0},
                             Case{2000, 700, kBoth, 0},
                             // More than the contacts. Whether that is so takes a request to know,
                             // which the table `segments` makes anyway.
                             Case{7, 4, kAllThree, 0}, Case{7, 4, kBoth, 1},
                             // Nobody can be in more segments than it takes to ask him.
                             Case{1, 0, kBoth, 0}, Case{0, 0, kBoth, 0}, Case{0, 0, kAllThree, 0},
                             // One role: searches leave out the other.
                             Case{200, 100, {"users_segments"}, 0},
                             Case{200, 100, {"leads_segments", "segments"}, 0},
                             Case{7, 300, {"users_segments", "segments"}, 0}));

// Contacts c0, c1, ...; the fifth of each five is a lead.
fake::FixedRecords MakeContacts(int count, int64_t created_at = k2020, int64_t step = 5000) {
  fake::FixedRecords records;
  records.contacts.resize(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    records.contacts[i].json =
        ContactJson(absl::StrFormat("c%06d", i), i % 5 == 4 ? "lead" : "user",
                    absl::StrCat(R"(,"created_at":)", created_at + i * step, R"(,"updated_at":)",
                                 created_at + i * step));
  }
  return records;
}

// Those contacts for whom `is_in` says so.
void AddSegment(const std::string& id, const std::function<bool(int)>& is_in,
                fake::FixedRecords* records) {
  int members = 0;
  for (size_t i = 0; i < records->contacts.size(); ++i) {
    if (!is_in(static_cast<int>(i))) continue;
    records->contacts[i].segments.push_back(
        absl::StrCat(R"({"type":"segment","id":")", id, R"("})"));
    ++members;
  }
  records->segments.push_back(
      absl::StrCat(R"({"type":"segment","id":")", id, R"(","count":)", members, "}"));
}

// Everybody; every third; nobody; one with an id that must be escaped.
fake::FixedRecords SomeSegments(int contacts) {
  fake::FixedRecords records = MakeContacts(contacts);
  AddSegment("everybody", [](int) { return true; }, &records);
  AddSegment("third", [](int i) { return i % 3 == 0; }, &records);
  AddSegment("nobody", [](int) { return false; }, &records);
  AddSegment("one + two/three", [](int i) { return i == 5; }, &records);
  return records;
}

Memberships ExpectedIn(const fake::FixedRecords& records) {
  return ExpectedMemberships(fake::FixedWorkspace(records), kBoth);
}

Extracted RunBoth(ExtractionHarness* harness) {
  return harness->Run({"users", "leads", "users_segments", "leads_segments"});
}

TEST(ContactSegmentsTest, LargeSegmentComesInManyPagesAtATime) {
  constexpr int kCount = 20000;
  const fake::FixedRecords records = SomeSegments(kCount);
  fake::FakeIntercomOptions options;
  options.latency = std::chrono::milliseconds(100);
  ExtractionHarness harness(records, options);
  const auto searches = CountSearches(&harness);
  // One page of contacts, and nothing else beside the segments.
  const Extracted got = harness.Run({"users_segments", "leads_segments"});
  ExpectClean(got);
  EXPECT_EQ(MembershipsIn(got.rows), ExpectedIn(records));
  EXPECT_EQ(AskedContacts(&harness), 0);
  EXPECT_THAT(harness.intercom().stats().duplicate_list, IsEmpty());
  // As many windows as one for 13 pages, or eight, of each large segment.
  EXPECT_GE(harness.intercom().stats().max_in_flight, 15);
  RecordProperty("max_in_flight", static_cast<int>(harness.intercom().stats().max_in_flight));
  const int64_t pages = (kCount + kPageSize - 1) / kPageSize + (kCount / 3 + kPageSize) / kPageSize;
  EXPECT_GE(*searches, pages + 2);
  EXPECT_LE(*searches, (pages + 2) * 14 / 13 + 16);
  RecordProperty("searches", static_cast<int>(*searches));
}

TEST(ContactSegmentsTest, OfOneRoleAreSearchedWhenContactsComeInWindows) {
  const fake::FixedRecords records = SomeSegments(6000);
  for (const char* table : {"users_segments", "leads_segments"}) {
    SCOPED_TRACE(table);
    ExtractionHarness harness(records);
    const Extracted got = harness.Run({table});
    ExpectClean(got);
    EXPECT_EQ(MembershipsIn(got.rows), ExpectedMemberships(fake::FixedWorkspace(records), {table}));
    EXPECT_EQ(AskedContacts(&harness), 0);
    EXPECT_THAT(harness.intercom().stats().duplicate_list, IsEmpty());
  }
}

TEST(ContactSegmentsTest, ContactsComeInManyPagesAtATimeOnceSegmentsAreCounted) {
  constexpr int kCount = 60000;
  fake::FixedRecords records = MakeContacts(kCount, k2020, 2000);
  AddSegment("few", [](int i) { return i < 20; }, &records);
  fake::FakeIntercomOptions options;
  options.latency = std::chrono::milliseconds(100);
  ExtractionHarness harness(records, options);
  // Damaged at first, so that the first contacts are there before it is decided
  // whether they must be asked.
  auto counts = std::make_shared<std::atomic<int>>(0);
  harness.intercom().AlterAnswers("GET", "/segments",
                                  [counts](const fake::Request&, fake::Response* response) {
                                    if (++*counts == 1) response->body = "{";
                                  });
  const Extracted got = RunBoth(&harness);
  ExpectClean(got);
  EXPECT_EQ(*counts, 2);
  EXPECT_EQ(got.rows.users_size() + got.rows.leads_size(), kCount);
  EXPECT_EQ(MembershipsIn(got.rows).size(), 20u);
  EXPECT_EQ(AskedContacts(&harness), 0);
  EXPECT_GE(harness.intercom().stats().max_in_flight, 20);
  RecordProperty("max_in_flight", static_cast<int>(harness.intercom().stats().max_in_flight));
}

TEST(ContactSegmentsTest, UnknownTimeZoneLosesAndRepeatsNothing) {
  const fake::FixedRecords records = SomeSegments(7000);
  ExtractionHarness harness(records);
  harness.intercom().AlterAnswers("GET", "/me", [](const auto&, fake::Response* response) {
    response->body =
        absl::StrReplaceAll(response->body, {{"America/New_York", "Mars/Olympus_Mons"}});
  });
  const Extracted got = RunBoth(&harness);
  ExpectClean(got);
  EXPECT_EQ(MembershipsIn(got.rows), ExpectedIn(records));
  EXPECT_EQ(AskedContacts(&harness), 0);
}

TEST(ContactSegmentsTest, ContactsTooNewForTheIndexAreAskedOneByOne) {
  // The last 100 were created within the last 200 s, and only half of these can be
  // found.
  constexpr int kCount = 400;
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  for (const size_t missing : {0, 50, 100}) {
    SCOPED_TRACE(missing);
    fake::FixedRecords records = MakeContacts(kCount, now - 86400, 0);
    for (int i = kCount - 100; i < kCount; ++i) {
      records.contacts[i].json =
          ContactJson(absl::StrFormat("c%06d", i), i % 5 == 4 ? "lead" : "user",
                      absl::StrCat(R"(,"created_at":)", now - 2 * (kCount - i)));
    }
    AddSegment("everybody", [](int) { return true; }, &records);
    AddSegment("third", [](int i) { return i % 3 == 0; }, &records);
    fake::FakeIntercomOptions options;
    options.api.search_missing_newest = missing;
    ExtractionHarness harness(records, options);
    const Extracted got = RunBoth(&harness);
    ExpectClean(got);
    EXPECT_EQ(MembershipsIn(got.rows), ExpectedIn(records));
    EXPECT_EQ(AskedContacts(&harness), 100);
    EXPECT_EQ(got.summary.plan().total().likely(), harness.intercom().stats().total);
  }
}

TEST(ContactSegmentsTest, VisitorsHaveNoRows) {
  fake::FixedRecords records = MakeContacts(50);
  records.contacts[7].json = ContactJson("c000007", "visitor", R"(,"created_at":1577836800)");
  AddSegment("everybody", [](int) { return true; }, &records);
  ExtractionHarness harness(records);
  const Extracted got = RunBoth(&harness);
  EXPECT_EQ(MembershipsIn(got.rows).size(), 49u);
  EXPECT_EQ(AskedContacts(&harness), 0);
}

void Refuse(fake::Response* response) {
  response->status = 400;
  response->body =
      R"({"type":"error.list","errors":[{"code":"client_error","message":"search is broken"}]})";
}

void LoseTheTotal(fake::Response* response) {
  response->body = absl::StrReplaceAll(response->body, {{"\"total_count\"", "\"x\""}});
}

void EndTheList(fake::Response* response) {
  response->body = absl::StrReplaceAll(response->body, {{"\"starting_after\"", "\"x\""}});
}

// What searches for segments may do, and what the notice says then.
struct Misbehaviour {
  const char* name;
  // The first answers stay as they are.
  int spared;
  std::function<void(fake::Response*)> alter;
  const char* notice;
};

const Misbehaviour kMisbehaviours[] = {
    {"refuses from the start", 0, Refuse, "search is broken"},
    {"refuses in the middle", 6, Refuse, "search is broken"},
    {"has no total", 0, LoseTheTotal, "total_count"},
    {"ends each list after a page", 0, EndTheList, "are missing"},
    {"finds nobody", 0,
     [](auto* response) { response->body = R"({"type":"list","data":[],"total_count":0})"; },
     "it finds 0 members"},
};

TEST(ContactSegmentsTest, SearchesThatMisbehaveAreReplacedByAskingEachContact) {
  for (const int count : {700, 4000}) {
    const fake::FixedRecords records = SomeSegments(count);
    const Memberships expected = ExpectedIn(records);
    for (const Misbehaviour& misbehaviour : kMisbehaviours) {
      SCOPED_TRACE(absl::StrCat(count, " contacts; search ", misbehaviour.name));
      ExtractionHarness harness(records);
      auto answers = std::make_shared<std::atomic<int>>(0);
      harness.intercom().AlterAnswers(
          "POST", "/contacts/search",
          [&, answers](const fake::Request& request, fake::Response* response) {
            if (!absl::StrContains(request.body, "segment_id")) return;
            if (++*answers > misbehaviour.spared) misbehaviour.alter(response);
          });
      const Extracted got = RunBoth(&harness);
      ASSERT_TRUE(got.status.ok()) << got.status;
      EXPECT_EQ(MembershipsIn(got.rows), expected);
      EXPECT_EQ(got.rows.users_size() + got.rows.leads_size(), count);
      EXPECT_EQ(got.Table("users_segments").status(), v1::TABLE_STATUS_COMPLETE);
      EXPECT_EQ(AskedContacts(&harness), count);
      ASSERT_THAT(got.notices, SizeIs(1));
      EXPECT_EQ(got.notices[0].code(), v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH);
      EXPECT_THAT(got.notices[0].message(), HasSubstr(misbehaviour.notice));
      std::set<std::string> restarted;
      for (const v1::TableRestarted& restart : got.restarts) {
        EXPECT_EQ(restart.generation(), 2u);
        restarted.insert(restart.table());
      }
      EXPECT_EQ(restarted, kBoth);
      EXPECT_EQ(got.summary.plan().total().likely(),
                got.summary.requests().sent() - got.summary.requests().retries());
    }
  }
}

TEST(ContactSegmentsTest, NewContactsAskedBeforeSearchesFailedDoNotComeTwice) {
  // All are new, so all are asked; then one search is refused, and all are asked again.
  fake::FixedRecords records = MakeContacts(300, absl::ToUnixSeconds(absl::Now()) - 60, 0);
  AddSegment("everybody", [](int) { return true; }, &records);
  AddSegment("nobody", [](int) { return false; }, &records);
  ExtractionHarness harness(records);
  harness.intercom().AlterAnswers("POST", "/contacts/search",
                                  [](const fake::Request& request, fake::Response* response) {
                                    if (absl::StrContains(request.body, "nobody")) Refuse(response);
                                  });
  const Extracted got = RunBoth(&harness);
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(MembershipsIn(got.rows), ExpectedIn(records));
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH), SizeIs(1));
}

TEST(ContactSegmentsTest, SearchThatIgnoresTheSegmentIsNotBelieved) {
  fake::FixedRecords records = MakeContacts(700);
  AddSegment("few", [](int i) { return i < 20; }, &records);
  ExtractionHarness harness(records);
  harness.intercom().SetHandler(
      "POST", "/contacts/search", [&records](const fake::Request&, fake::Response* response) {
        std::string data;
        for (const fake::FixedRecords::Contact& contact : records.contacts) {
          absl::StrAppend(&data, data.empty() ? "" : ",", contact.json);
        }
        response->body =
            absl::StrCat(R"({"type":"list","data":[)", data, R"(],"total_count":700})");
        return true;
      });
  const Extracted got = RunBoth(&harness);
  EXPECT_EQ(MembershipsIn(got.rows), ExpectedIn(records));
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH), SizeIs(1));
}

TEST(ContactSegmentsTest, SegmentDeletedMeanwhileHasNoMembersOrEndsTheSearches) {
  fake::FixedRecords records = SomeSegments(400);
  const Memberships expected = ExpectedIn(records);
  // It is counted, but nobody is in it any more.
  records.segments.push_back(R"({"type":"segment","id":"deleted","count":40})");
  ExtractionHarness empty(records);
  const Extracted got = RunBoth(&empty);
  ExpectClean(got);
  EXPECT_EQ(MembershipsIn(got.rows), expected);
  EXPECT_EQ(AskedContacts(&empty), 0);

  ExtractionHarness gone(records);
  gone.intercom().AlterAnswers(
      "POST", "/contacts/search", [](const fake::Request& request, fake::Response* response) {
        if (!absl::StrContains(request.body, "deleted")) return;
        response->status = 404;
        response->body =
            R"({"type":"error.list","errors":[{"code":"not_found","message":"no segment"}]})";
      });
  const Extracted asked = RunBoth(&gone);
  EXPECT_EQ(MembershipsIn(asked.rows), expected);
  EXPECT_THAT(asked.Notices(v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH), SizeIs(1));
}

TEST(ContactSegmentsTest, AccidentsOfOneMomentAreInvisible) {
  const fake::FixedRecords records = SomeSegments(900);
  for (const char* faults :
       {"malformed_json:3", "truncate:3", "html_200:3", "status:503:3", "reset:4"}) {
    SCOPED_TRACE(faults);
    ExtractionHarness harness(records, faults);
    const Extracted got = RunBoth(&harness);
    ExpectClean(got);
    EXPECT_EQ(MembershipsIn(got.rows), ExpectedIn(records));
    EXPECT_EQ(AskedContacts(&harness), 0);
  }
}

TEST(ContactSegmentsTest, SegmentsThatCannotBeCountedMakeEachContactBeAsked) {
  fake::FixedRecords records = SomeSegments(400);
  records.segments[1] = R"({"type":"segment","id":"third","count":null})";
  for (const bool listed : {false, true}) {
    for (const char* faults : {"", "scope_missing:/segments"}) {
      SCOPED_TRACE(absl::StrCat(listed, " ", faults));
      ExtractionHarness harness(records, faults);
      std::vector<std::string> tables = {"users_segments", "leads_segments"};
      if (listed) tables.emplace_back("segments");
      const Extracted got = harness.Run(tables);
      EXPECT_EQ(MembershipsIn(got.rows), ExpectedIn(records));
      EXPECT_EQ(AskedContacts(&harness), 400);
      EXPECT_THAT(got.restarts, IsEmpty());
      EXPECT_EQ(got.Table("users_segments").status(), v1::TABLE_STATUS_COMPLETE);
      EXPECT_EQ(got.Table("leads_segments").status(), v1::TABLE_STATUS_COMPLETE);
    }
  }
}

TEST(ContactSegmentsTest, ContactsThatMayNotBeAskedEitherEndTheTablesOnly) {
  const fake::FixedRecords records = SomeSegments(400);
  ExtractionHarness harness(records, "scope_missing:/contacts/search,scope_missing:/contacts/c");
  const Extracted got = RunBoth(&harness);
  EXPECT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.Table("users_segments").status(), v1::TABLE_STATUS_FAILED);
  EXPECT_EQ(got.Table("users_segments").error().reason(), "SCOPE_MISSING");
  EXPECT_EQ(got.Table("leads_segments").status(), v1::TABLE_STATUS_FAILED);
  EXPECT_EQ(got.Table("users").status(), v1::TABLE_STATUS_COMPLETE);
  EXPECT_EQ(got.rows.users_size(), 320);
}

TEST(ContactSegmentsTest, ListThatFailsEndsTheTables) {
  const fake::FixedRecords records = SomeSegments(2000);
  ExtractionHarness harness(records);
  harness.intercom().AlterAnswers("GET", "/contacts",
                                  [](const fake::Request& request, fake::Response* response) {
                                    if (request.HasQuery("starting_after")) Refuse(response);
                                  });
  const Extracted got = RunBoth(&harness);
  EXPECT_EQ(got.Table("users").status(), v1::TABLE_STATUS_FAILED);
  EXPECT_EQ(got.Table("users_segments").status(), v1::TABLE_STATUS_FAILED);
}

TEST(ContactSegmentsTest, SearchIsRefusedOnceHoweverManySegmentsThereAre) {
  fake::FixedRecords records = MakeContacts(500);
  for (int s = 0; s < 100; ++s) {
    AddSegment(absl::StrCat("s", s), [s](int i) { return i % 100 == s; }, &records);
  }
  ExtractionHarness harness(records, "scope_missing:/contacts/search");
  const Extracted got = RunBoth(&harness);
  EXPECT_EQ(MembershipsIn(got.rows), ExpectedIn(records));
  EXPECT_EQ(harness.intercom().stats().by_route["POST /contacts/search"], 1);
}

TEST(ContactSegmentsTest, FirstEstimateKnowsTheWay) {
  for (const auto& [count, way] :
       {std::pair(400, v1::READ_WAY_PER_SEGMENT), std::pair(3, v1::READ_WAY_PER_RECORD)}) {
    SCOPED_TRACE(count);
    ExtractionHarness harness(SomeSegments(count));
    const auto planned = harness.Plan({"users_segments", "leads_segments"});
    ASSERT_TRUE(planned.ok()) << planned.status();
    EXPECT_EQ(planned->requests().sent(), count > kPageSize ? 6 : 3);
    std::set<v1::ReadWay> ways;
    for (const v1::PlannedRequests& line : planned->plan().requests()) ways.insert(line.way());
    EXPECT_EQ(ways, (std::set<v1::ReadWay>{v1::READ_WAY_LIST, way}));
    const Extracted got = harness.Run({"users_segments", "leads_segments"});
    EXPECT_EQ(planned->plan().total().likely(), got.summary.plan().total().likely());
    EXPECT_EQ(got.summary.first_estimate().likely(), got.summary.plan().total().likely());
  }
}

}  // namespace
}  // namespace intercom_extractor

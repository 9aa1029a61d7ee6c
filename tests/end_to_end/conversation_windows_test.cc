// Conversations of large workspaces come in windows through search: the same rows as
// from the plain list, however conversations are spread and whatever search does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/end_to_end/oracle_comparison.h"
#include "tests/end_to_end/search_misbehaviour.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kDay = 86400;
constexpr int64_t k2020 = 1577836800;
constexpr int64_t k2025 = 1735689600;
constexpr int64_t kPageSize = 150;
// Each is in every hundredth conversation.
constexpr int kContacts = 100;

int64_t Pages(int64_t records) { return (records + kPageSize - 1) / kPageSize; }

// When conversation `i` was created.
using Created = std::function<int64_t(int i, std::mt19937_64* random)>;

int64_t Between(int64_t low, int64_t high, std::mt19937_64* random) {
  return std::uniform_int_distribution<int64_t>(low, high)(*random);
}

int64_t Evenly(int /*i*/, std::mt19937_64* random) { return Between(k2020, k2025, random); }

std::string Role(int contact) { return contact % 3 == 0 ? "lead" : "user"; }

fake::FixedRecords MakeConversations(int count, const Created& created, uint64_t seed) {
  std::mt19937_64 random(seed);
  fake::FixedRecords records;
  records.contacts.resize(kContacts);
  for (int i = 0; i < kContacts; ++i) {
    records.contacts[i].json = ContactJson(absl::StrCat("c", i), Role(i));
  }
  records.conversations.resize(count);
  for (int i = 0; i < count; ++i) {
    const int64_t created_at = created(i, &random);
    const std::string list_item =
        absl::StrCat(R"({"type":"conversation","id":")", 1000 + i, R"(","created_at":)", created_at,
                     R"(,"updated_at":)", Between(created_at, k2025, &random),
                     R"(,"contacts":{"type":"contact.list","contacts":[{"type":"contact","id":"c)",
                     i % kContacts, R"("}]})");
    records.conversations[i].list_item = list_item + "}";
    records.conversations[i].detail = absl::StrCat(
        list_item, R"(,"conversation_parts":{"conversation_parts":[{"type":"conversation_part",)",
        R"("id":")", i, R"("}],"total_count":1}})");
  }
  return records;
}

// Each conversation once, with the roles of those in it.
void ExpectAll(const Extracted& got, int count) {
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.rows.conversations_size(), count);
  EXPECT_EQ(got.rows.conversations_customers_size(), count);
  std::set<std::string> ids;
  for (const auto& row : got.rows.conversations()) {
    EXPECT_TRUE(ids.insert(row.id()).second) << row.id() << " came twice";
  }
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(ids.count(absl::StrCat(1000 + i)), 1u) << "conversation " << i << " is missing";
  }
  for (const auto& row : got.rows.conversations_customers()) {
    const int contact = std::stoi(row.conversations_pk()) % kContacts;
    EXPECT_EQ(row.type(), Role(contact)) << row.conversations_pk();
  }
  EXPECT_THAT(got.restarts, IsEmpty());
  EXPECT_EQ(got.Table("conversations").status(), v1::TABLE_STATUS_COMPLETE);
}

int64_t Searches(ExtractionHarness* harness) {
  return harness->intercom().stats().by_route["POST /conversations/search"];
}

int64_t Lists(ExtractionHarness* harness) {
  return harness->intercom().stats().by_route["GET /conversations"];
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
    {"in ten seconds that follow each other",
     [](int i, auto* /*random*/) { return k2020 + 400 * kDay + i % 10; }},
    {"on five days",
     [](int i, auto* random) { return k2020 + i % 5 * 300 * kDay + Between(0, kDay, random); }},
    {"half of them in an hour",
     [](int i, auto* random) {
       return i % 2 == 0 ? k2020 + 999 * kDay + Between(0, 3599, random) : Evenly(i, random);
     }},
    {"with times that nobody can read",
     [](int i, auto* random) { return i % 50 == 0 ? int64_t{-1} : Evenly(i, random); }},
};

// What is asked for, and whether each conversation then takes a request.
struct Wanted {
  std::vector<std::string> tables;
  bool details;
};

const Wanted kWanted[] = {
    {{"conversations", "conversations_customers"}, false},
    {{"conversations", "conversations_customers", "conversation_parts"}, true}};

class ConversationWindowsTest : public ::testing::TestWithParam<bool> {
 protected:
  const Wanted& wanted() const { return kWanted[GetParam() ? 1 : 0]; }

  Extracted Run(ExtractionHarness* harness) const {
    harness->body_format = v1::BODY_FORMAT_HTML;
    return harness->Run(wanted().tables);
  }
};

TEST_P(ConversationWindowsTest, GiveTheRowsOfThePlainListHoweverConversationsAreSpread) {
  const int count = wanted().details ? 3501 : 9001;
  for (const Spread& spread : kSpreads) {
    for (const char* version : {"2.16", "2.17"}) {
      constexpr uint64_t kSeed = 5;
      SCOPED_TRACE(absl::StrCat("seed ", kSeed, ": created ", spread.name, ", version ", version));
      ExtractionHarness harness(MakeConversations(count, spread.created, kSeed));
      harness.api_version = version;
      const Extracted got = Run(&harness);
      ExpectAll(got, count);
      EXPECT_EQ(got.rows.conversation_parts_size(), wanted().details ? count : 0);
      EXPECT_THAT(got.notices, IsEmpty());
      EXPECT_EQ(harness.intercom().stats().duplicates, 0);
      EXPECT_EQ(Lists(&harness), 1);
      // At most a page more for each of at most eight windows.
      EXPECT_LE(Searches(&harness), Pages(count) + 10);
      EXPECT_EQ(got.summary.plan().total().likely(), harness.intercom().stats().total);
    }
  }
}

TEST_P(ConversationWindowsTest, SmallWorkspaceComesFromTheListAlone) {
  ExtractionHarness harness(MakeConversations(2999, Evenly, 1));
  ExpectAll(Run(&harness), 2999);
  EXPECT_EQ(Searches(&harness), 0);
  // And its front once more: it has the latest change first.
  EXPECT_EQ(Lists(&harness), 21);
}

TEST_P(ConversationWindowsTest, CursorsThatAreRefusedLoseAndRepeatNothing) {
  const int count = wanted().details ? 3501 : 9001;
  for (const Spread& spread : kSpreads) {
    SCOPED_TRACE(spread.name);
    // What shares a second with thousands of others may come again.
    if (absl::StrContains(spread.name, "one second")) continue;
    ExtractionHarness harness(MakeConversations(count, spread.created, 13));
    const auto refused =
        RefuseCursors(&harness.intercom(), "/conversations/search", wanted().details ? 4 : 8);
    const Extracted got = Run(&harness);
    ExpectAll(got, count);
    EXPECT_THAT(got.notices, IsEmpty());
    EXPECT_EQ(*refused, 3);
    EXPECT_EQ(Lists(&harness), 1);
    // No window begins at its beginning again, but at a second.
    EXPECT_LE(Searches(&harness), Pages(count) + 10 + 8 * *refused);
  }
}

TEST_P(ConversationWindowsTest, SearchThatMisbehavesIsReplacedByTheList) {
  const int count = 6000;
  for (const Misbehaviour& misbehaviour : Misbehaviours()) {
    SCOPED_TRACE(misbehaviour.name);
    ExtractionHarness harness(MakeConversations(count, Evenly, 6));
    Misbehave(&harness.intercom(), "/conversations/search", misbehaviour);
    const Extracted got = Run(&harness);
    ExpectAll(got, count);
    ASSERT_THAT(got.notices, SizeIs(1));
    EXPECT_EQ(got.notices[0].code(), v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH);
    EXPECT_THAT(got.notices[0].message(), HasSubstr(misbehaviour.notice));
  }
}

TEST_P(ConversationWindowsTest, UnsortedRepeatingOrUnfilteredSearchIsReplacedByTheList) {
  constexpr int kCount = 6000;
  const auto created = [](int i, auto* /*random*/) { return k2020 + i * 20000; };
  std::vector<std::string> sorted;
  for (const auto& conversation : MakeConversations(kCount, created, 8).conversations) {
    sorted.push_back(conversation.list_item);
  }
  const std::vector<std::string> reversed(sorted.rbegin(), sorted.rend());
  struct {
    const char* name;
    const std::vector<std::string>& json;
    bool repeat;
  } const cases[] = {
      {"unsorted", reversed, false}, {"repeating", sorted, true}, {"unfiltered", sorted, false}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    ExtractionHarness harness(MakeConversations(kCount, created, 8));
    AnswerAnyway(&harness.intercom(), "/conversations/search", "conversations", each.json,
                 each.repeat);
    const Extracted got = Run(&harness);
    ExpectAll(got, kCount);
    ASSERT_THAT(got.notices, SizeIs(1));
    EXPECT_EQ(got.notices[0].code(), v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH);
    EXPECT_LE(Searches(&harness), 10);
  }
}

TEST_P(ConversationWindowsTest, AccidentsOfOneMomentAreInvisible) {
  for (const char* faults : {"malformed_json:7", "truncate:9", "status:503:9", "reset:13"}) {
    SCOPED_TRACE(faults);
    ExtractionHarness harness(MakeConversations(3300, Evenly, 4), faults);
    const Extracted got = Run(&harness);
    ExpectAll(got, 3300);
    EXPECT_THAT(got.notices, IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(ListAndDetails, ConversationWindowsTest, ::testing::Bool());

TEST(ConversationWindowsTest, SearchThatIsDownIsReplacedByTheList) {
  ExtractionHarness harness(MakeConversations(3000, Evenly, 9));
  harness.body_format = v1::BODY_FORMAT_HTML;
  harness.intercom().AlterAnswers("POST", "/conversations/search",
                                  [](const auto&, auto* response) { response->status = 503; });
  const Extracted got = harness.Run(kWanted[0].tables);
  ExpectAll(got, 3000);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_LIST_INSTEAD_OF_SEARCH), SizeIs(1));
}

TEST(ConversationWindowsTest, GiveTheRowsOfTheOracle) {
  fake::GeneratorOptions sizes;
  sizes.conversations = 3300;
  sizes.parts_per_conversation = 2;
  const auto workspace = std::make_shared<fake::GeneratedWorkspace>(sizes);
  ExtractionHarness harness(workspace, fake::FakeIntercomOptions());
  ExpectComplete(harness.Run(), *workspace, 22);
  EXPECT_EQ(Lists(&harness), 1);
  EXPECT_GT(Searches(&harness), 22);
  EXPECT_EQ(harness.intercom().stats().duplicates, 0);
}

TEST(ConversationWindowsTest, ListedAheadOfTheDetailsAreFew) {
  constexpr int kCount = 4000;
  fake::FakeIntercomOptions options;
  options.latency = std::chrono::milliseconds(200);
  ExtractionHarness harness(MakeConversations(kCount, Evenly, 3), options);
  harness.body_format = v1::BODY_FORMAT_HTML;
  int64_t most_pending = 0;
  const Extracted got =
      harness.Run(kWanted[1].tables, [&most_pending](const v1::ExtractResponse& event) {
        most_pending = std::max<int64_t>(most_pending, event.progress().requests().pending());
      });
  ExpectAll(got, kCount);
  EXPECT_GT(most_pending, 64);
  EXPECT_LE(most_pending, 1500);
  EXPECT_EQ(harness.intercom().stats().duplicates, 0);
}

TEST(ConversationWindowsTest, ManyPagesAreInFlightAndHardlyMoreThanTheListNeeds) {
  constexpr int kCount = 100000;
  fake::FakeIntercomOptions options;
  options.latency = std::chrono::milliseconds(100);
  ExtractionHarness harness(MakeConversations(kCount, Evenly, 12), options);
  harness.body_format = v1::BODY_FORMAT_HTML;
  const Extracted got = harness.Run({"conversations"});
  EXPECT_EQ(got.rows.conversations_size(), kCount);
  EXPECT_THAT(got.notices, IsEmpty());
  EXPECT_GE(harness.intercom().stats().max_in_flight, 25);
  RecordProperty("max_in_flight", static_cast<int>(harness.intercom().stats().max_in_flight));
  EXPECT_LE(Searches(&harness) + Lists(&harness), Pages(kCount) * 14 / 13);
  RecordProperty("requests", static_cast<int>(Searches(&harness) + Lists(&harness)));
}

}  // namespace
}  // namespace intercom_extractor

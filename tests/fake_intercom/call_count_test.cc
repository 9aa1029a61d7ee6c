// Counts that a person can check: small workspaces, counted by hand.

#include "tests/fake_intercom/call_count.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "tests/fake_intercom/changed_since.h"
#include "tests/fake_intercom/fixed_workspace.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor::fake {
namespace {

using std::chrono::microseconds;

CallCounter Counter(const FixedRecords& records, const std::set<std::string>& tables = {},
                    bool plaintext = true) {
  CallCounter::Options options;
  options.tables = tables;
  options.plaintext = plaintext;
  return {FixedWorkspace(records), options};
}

std::vector<std::string> Records(const std::string& type, int count) {
  std::vector<std::string> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(R"({"type":")" + type + R"(","id":")" + type + std::to_string(i) + R"("})");
  }
  return records;
}

FixedRecords::Contact Contact(int number, const std::string& role) {
  FixedRecords::Contact contact;
  contact.json = R"({"type":"contact","id":"c)" + std::to_string(number) + R"(","role":")" + role +
                 R"(","created_at":1600000000})";
  return contact;
}

// Users c0, c1, ... and then leads.
FixedRecords Contacts(int users, int leads) {
  FixedRecords records;
  for (int i = 0; i < users + leads; ++i) {
    records.contacts.push_back(Contact(i, i < users ? "user" : "lead"));
  }
  return records;
}

void AddConversations(int count, const std::string& members, FixedRecords* records) {
  for (int i = 0; i < count; ++i) {
    FixedRecords::Conversation conversation;
    conversation.detail = R"({"type":"conversation","id":")" +
                          std::to_string(records->conversations.size()) +
                          R"(","created_at":1600000000)" + members + "}";
    records->conversations.push_back(conversation);
  }
}

TEST(CallCountTest, EmptyWorkspaceTakesOneAnswerOfEachList) {
  // /me, admins, teams, tags, segments, the scroll's empty page, contacts,
  // conversations.
  EXPECT_EQ(Counter({}).Cheapest().Total(), 8);
  EXPECT_EQ(Counter({}).Naive().Total(), 8);
}

TEST(CallCountTest, AskingForOneTableTakesItsRequestsAndTheTokensCheck) {
  const FixedRecords records = Contacts(3, 2);
  EXPECT_EQ(Counter(records, {"tags"}).Cheapest().Total(), 2);
  EXPECT_EQ(Counter(records, {"admins"}).Cheapest().Total(), 3);
  EXPECT_EQ(Counter(records, {"companies"}).Cheapest().Total(), 2);
  EXPECT_EQ(Counter(records, {"leads_social_profiles"}).Cheapest().Total(), 2);
  EXPECT_EQ(Counter(records, {"events_summary"}).Cheapest().Total(), 1 + 1 + 3);
}

TEST(CallCountTest, ContactsComeInPagesOf150AndCompaniesInPagesOf100AndAnEmptyOne) {
  for (const auto& [contacts, pages] : {std::pair(149, 1), {150, 1}, {151, 2}, {301, 3}}) {
    EXPECT_EQ(Counter(Contacts(contacts, 0), {"users"}).Cheapest().Of("GET /contacts"), pages);
  }
  for (const auto& [companies, pages] : {std::pair(0, 1), {1, 2}, {100, 2}, {101, 3}}) {
    FixedRecords records;
    records.companies = Records("company", companies);
    EXPECT_EQ(Counter(records).Cheapest().Of("GET /companies/scroll"), pages);
  }
}

TEST(CallCountTest, SubListsAreAskedForOnlyWhereMoreThanTenAreThere) {
  FixedRecords records = Contacts(4, 1);
  records.contacts[0].tags = Records("tag", 10);
  records.contacts[1].tags = Records("tag", 11);
  records.contacts[1].companies = Records("company", 10);
  records.contacts[2].companies = Records("company", 11);
  records.contacts[3].companies = Records("company", 61);
  records.contacts[4].tags = Records("tag", 151);
  const CallCount all = Counter(records).Cheapest();
  EXPECT_EQ(all.Of("GET /contacts/{id}/tags"), 2);
  EXPECT_EQ(all.Of("GET /contacts/{id}/companies"), 1 + 2);
  EXPECT_EQ(Counter(records, {"users_tags"}).Cheapest().Of("GET /contacts/{id}/tags"), 1);
  EXPECT_EQ(Counter(records, {"leads_companies"}).Cheapest().Of("GET /contacts/{id}/companies"), 0);
}

TEST(CallCountTest, NotesAreAskedForOnlyWhereThereAreAnyInPagesOf60) {
  FixedRecords records = Contacts(3, 1);
  records.contacts[1].notes = Records("note", 1);
  records.contacts[2].notes = Records("note", 60);
  records.contacts[3].notes = Records("note", 61);
  EXPECT_EQ(Counter(records).Cheapest().Of("GET /contacts/{id}/notes"), 1 + 1 + 2);
  EXPECT_EQ(Counter(records).Naive().Of("GET /contacts/{id}/notes"), 1 + 1 + 1 + 2);
}

TEST(CallCountTest, EventsAreAskedForPerUserNotPerLead) {
  EXPECT_EQ(Counter(Contacts(7, 5)).Cheapest().Of("GET /events"), 7);
}

TEST(CallCountTest, SegmentsComeFromSearchesWhereTheseAreFewer) {
  // 160 users, all in the first segment, ten in the second, nobody in the third:
  // 2 + 1 + 1 pages instead of 160 requests.
  FixedRecords records = Contacts(160, 0);
  records.segments = Records("segment", 3);
  for (int i = 0; i < 160; ++i) {
    records.contacts[i].segments = Records("segment", i < 10 ? 2 : 1);
  }
  const CallCounter counter = Counter(records);
  EXPECT_EQ(counter.Cheapest().Of("POST /contacts/search segment_id"), 4);
  EXPECT_EQ(counter.Cheapest().Of("GET /contacts/{id}/segments"), 0);
  const CallCount per_contact = counter.Cheapest(CallCounter::Segments::kPerContact);
  EXPECT_EQ(per_contact.Of("GET /contacts/{id}/segments"), 160);
  EXPECT_EQ(per_contact.Total(), counter.Cheapest().Total() - 4 + 160);
}

TEST(CallCountTest, SegmentsComeFromEachContactWhereTheseAreFewer) {
  FixedRecords records = Contacts(3, 0);
  records.segments = Records("segment", 4);
  EXPECT_EQ(Counter(records).Cheapest().Of("GET /contacts/{id}/segments"), 3);
  EXPECT_EQ(Counter(records).Cheapest().Of("POST /contacts/search segment_id"), 0);
}

TEST(CallCountTest, SegmentsOfOneRoleLeaveOutTheOtherAndNameTheSegmentsFirst) {
  FixedRecords records = Contacts(10, 200);
  records.segments = Records("segment", 1);
  for (FixedRecords::Contact& contact : records.contacts) contact.segments = records.segments;
  const CallCount users = Counter(records, {"users_segments"}).Cheapest();
  EXPECT_EQ(users.Of("POST /contacts/search segment_id"), 1);
  EXPECT_EQ(users.Of("GET /segments"), 1);
  const CallCount leads = Counter(records, {"leads_segments", "segments"}).Cheapest();
  EXPECT_EQ(leads.Of("POST /contacts/search segment_id"), 2);
  EXPECT_EQ(leads.Of("GET /segments"), 1);
  EXPECT_EQ(Counter(records).Cheapest().Of("POST /contacts/search segment_id"), 2);
}

TEST(CallCountTest, ContactsOfOtherRolesAreListedButNeverAsked) {
  FixedRecords records = Contacts(1, 1);
  records.contacts.push_back(Contact(2, "visitor"));
  records.contacts[2].notes = Records("note", 3);
  EXPECT_EQ(Counter(records).Cheapest().Of("GET /contacts/{id}/notes"), 0);
  EXPECT_EQ(Counter(records).Naive().Of("GET /contacts/{id}/segments"), 2);
}

TEST(CallCountTest, DetailsOfConversationsAreAskedForWhenPartsOrPlainTextAreWanted) {
  FixedRecords records;
  AddConversations(151, "", &records);
  const auto details = [&](const std::set<std::string>& tables, bool plaintext) {
    return Counter(records, tables, plaintext).Cheapest().Of("GET /conversations/{id}");
  };
  EXPECT_EQ(details({}, true), 151);
  EXPECT_EQ(details({"conversation_parts"}, false), 151);
  EXPECT_EQ(details({"conversations"}, true), 151);
  EXPECT_EQ(details({"conversations"}, false), 0);
  EXPECT_EQ(details({"conversations_tags"}, true), 0);
  EXPECT_EQ(Counter(records).Cheapest().Of("GET /conversations"), 2);
}

TEST(CallCountTest, RolesAreLookedUpOnlyOfContactsThatNothingElseShows) {
  constexpr char kLookup[] = "POST /contacts/search id";
  FixedRecords records = Contacts(1, 0);
  AddConversations(1, R"(,"contacts":{"contacts":[{"id":"c0"}]})", &records);
  EXPECT_EQ(Counter(records).Cheapest().Of(kLookup), 0);
  // Nobody lists contacts.
  EXPECT_EQ(Counter(records, {"conversations"}).Cheapest().Of(kLookup), 1);
  EXPECT_EQ(Counter(records, {"conversation_parts"}).Cheapest().Of(kLookup), 0);
  // The author says who it is.
  FixedRecords authored;
  AddConversations(1,
                   R"(,"source":{"author":{"type":"lead","id":"x"}},)"
                   R"("contacts":{"contacts":[{"id":"x"}]})",
                   &authored);
  EXPECT_EQ(Counter(authored).Cheapest().Of(kLookup), 0);
  // 150 ids in one search; each once.
  for (int i = 0; i < 150; ++i) {
    AddConversations(2, R"(,"contacts":{"contacts":[{"id":"gone)" + std::to_string(i) + R"("}]})",
                     &records);
  }
  EXPECT_EQ(Counter(records).Cheapest().Of(kLookup), 1);
  AddConversations(1, R"(,"contacts":{"contacts":[{"id":"more"}]})", &records);
  EXPECT_EQ(Counter(records).Cheapest().Of(kLookup), 2);
}

// At second i of the contact or conversation.
FixedRecords Dated(int count) {
  FixedRecords records;
  for (int i = 0; i < count; ++i) {
    FixedRecords::Contact contact;
    contact.json = R"({"type":"contact","id":"c)" + std::to_string(i) +
                   R"(","role":"user","updated_at":)" + std::to_string(i) + "}";
    records.contacts.push_back(contact);
    AddConversations(1, R"(,"updated_at":)" + std::to_string(i), &records);
  }
  return records;
}

CallCounter Incremental(const FixedRecords& records, const ChangedSince& since) {
  CallCounter::Options options;
  options.since = since;
  return {FixedWorkspace(records), options};
}

TEST(CallCountTest, IncrementalRunSearchesForWhatChangedAndAsksForNothingElse) {
  FixedRecords records = Dated(400);
  for (FixedRecords::Contact& contact : records.contacts) contact.notes = Records("note", 1);
  const CallCount count = Incremental(records, ChangedSince::Exactly(249)).Cheapest();
  EXPECT_EQ(count.Of("POST /contacts/search updated_at"), 2);
  EXPECT_EQ(count.Of("POST /conversations/search updated_at"), 2);
  EXPECT_EQ(count.Of("GET /contacts/{id}/notes"), 151);
  EXPECT_EQ(count.Of("GET /events"), 151);
  EXPECT_EQ(count.Of("GET /conversations/{id}"), 151);
  // The lists that are whole: /me, admins, teams, tags, segments, the scroll's end.
  EXPECT_EQ(count.Total(), 2 + 2 + 3 * 151 + 6);
  const CallCount nothing = Incremental(records, ChangedSince::Exactly(400)).Cheapest();
  EXPECT_EQ(nothing.Total(), 1 + 1 + 6);
}

TEST(CallCountTest, IncrementalRunByDaysSeesTheDayAndReadsWhatChangedOfIt) {
  const FixedRecords records = Dated(400);
  const CallCount count = Incremental(records, ChangedSince::ByDays(399, "UTC")).Cheapest();
  EXPECT_EQ(count.Of("POST /contacts/search updated_at"), 3);
  EXPECT_EQ(count.Of("GET /events"), 1);
  EXPECT_EQ(count.Of("POST /conversations/search updated_at"), 1);
}

TEST(CallCountTest, FindingDeletedRecordsListsAllContactsAndTheNewestDeletions) {
  FixedRecords records = Dated(400);
  for (int i = 0; i < 130; ++i) {
    records.deleted_conversations.push_back(R"({"id":"d)" + std::to_string(i) +
                                            R"(","deleted_at":)" + std::to_string(i) + "}");
  }
  const auto pages = [&](int64_t since) {
    ChangedSince changed = ChangedSince::Exactly(since);
    changed.find_deleted = true;
    const CallCount count = Incremental(records, changed).Cheapest();
    EXPECT_EQ(count.Of("GET /contacts"), 3);
    EXPECT_EQ(count.Of("POST /contacts/search updated_at"), 0);
    return count.Of("GET /conversations/deleted");
  };
  EXPECT_EQ(pages(200), 1);
  EXPECT_EQ(pages(71), 1);
  EXPECT_EQ(pages(70), 2);
  EXPECT_EQ(pages(0), 3);
}

TEST(CallCountTest, IncrementalRunLooksUpRolesOfContactsThatDidNotChange) {
  FixedRecords records = Dated(4);
  AddConversations(1, R"(,"updated_at":9,"contacts":{"contacts":[{"id":"c0"},{"id":"c3"}]})",
                   &records);
  EXPECT_EQ(
      Incremental(records, ChangedSince::Exactly(3)).Cheapest().Of("POST /contacts/search id"), 1);
  EXPECT_EQ(
      Incremental(records, ChangedSince::Exactly(0)).Cheapest().Of("POST /contacts/search id"), 0);
}

TEST(CallCountTest, NaiveWalkAsksEachContactForEachList) {
  FixedRecords records = Contacts(4, 3);
  records.segments = Records("segment", 1);
  records.companies = Records("company", 1);
  AddConversations(2, "", &records);
  // Single lists 5, scroll 2, contacts 1; tags, companies, notes, segments 4 x 7;
  // events 4; conversations 1 + 2.
  EXPECT_EQ(Counter(records).Naive().Total(), 5 + 2 + 1 + 28 + 4 + 3);
  // Here: segments by one search, nothing in the other lists.
  EXPECT_EQ(Counter(records).Cheapest().Total(), 5 + 2 + 1 + 1 + 4 + 3);
}

TEST(CallCountTest, RequestsCountForEachTableTheyFeed) {
  FixedRecords records = Contacts(4, 3);
  records.contacts[0].notes = Records("note", 1);
  const CallCount count = Counter(records).Cheapest();
  EXPECT_EQ(count.For("users"), 1);
  EXPECT_EQ(count.For("notes"), 1 + 1);
  EXPECT_EQ(count.For("events_summary"), 1 + 4);
  EXPECT_EQ(count.For("admins"), 2);
}

TEST(CallCountTest, LongestChainIsWhatCannotBeAskedForAtOnce) {
  FixedRecords records = Contacts(400, 0);
  // The list's first page, a search's, and events beside it.
  CallChain chain = Counter(records).LongestChain(microseconds(1), microseconds(0));
  EXPECT_EQ(chain.requests, 2);
  // A contact's notes come page by page, after the contact.
  records.contacts[3].notes = Records("note", 121);
  chain = Counter(records).LongestChain(microseconds(1), microseconds(0));
  EXPECT_EQ(chain.what, "GET /contacts/{id}/notes");
  EXPECT_EQ(chain.requests, 1 + 3);
  EXPECT_EQ(chain.records, 150 + 121);
  records.companies = Records("company", 401);
  chain = Counter(records).LongestChain(microseconds(1), microseconds(0));
  EXPECT_EQ(chain.what, "GET /companies/scroll");
  EXPECT_EQ(chain.requests, 6);
  EXPECT_EQ(chain.records, 401);
}

TEST(CallCountTest, RecordsDecideWhichChainIsTheLongestWhenTheyAreSlow) {
  FixedRecords records = Contacts(400, 0);
  records.companies = Records("company", 101);
  const CallCounter counter = Counter(records);
  EXPECT_EQ(counter.LongestChain(microseconds(1000), microseconds(0)).what,
            "GET /companies/scroll");
  EXPECT_EQ(counter.LongestChain(microseconds(0), microseconds(1)).what, "contacts");
}

// What generated workspaces of any size have in common.
TEST(CallCountTest, CheapestIsNeverDearerThanTheOthers) {
  for (const size_t users : {0, 1, 20, 400}) {
    GeneratorOptions options;
    options.users = users;
    options.leads = users / 2;
    const CallCounter counter(GeneratedWorkspace(options), {});
    const int64_t per_contact = counter.Cheapest(CallCounter::Segments::kPerContact).Total();
    EXPECT_LE(counter.Cheapest().Total(), per_contact) << users;
    EXPECT_LE(per_contact, counter.Naive().Total()) << users;
  }
}

}  // namespace
}  // namespace intercom_extractor::fake

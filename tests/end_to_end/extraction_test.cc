// What a user gets when Intercom's records are odd, long, large, broken or gone:
// each test runs whole extractions against a fake Intercom and counts rows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/extraction_harness.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Workspaces that hold nothing else.
fake::FixedRecords Contacts(std::vector<fake::FixedRecords::Contact> contacts) {
  fake::FixedRecords records;
  records.contacts = std::move(contacts);
  return records;
}

fake::FixedRecords::Contact Contact(const std::string& json) {
  fake::FixedRecords::Contact contact;
  contact.json = json;
  return contact;
}

fake::FixedRecords::Conversation Conversation(const std::string& json) {
  fake::FixedRecords::Conversation conversation;
  conversation.detail = json;
  return conversation;
}

fake::FixedRecords OneConversation(const std::string& json) {
  fake::FixedRecords records;
  records.conversations.push_back(Conversation(json));
  return records;
}

// A contact with `count` tags, companies, notes and segments, the embedded lists
// cut at 10 as Intercom does.
fake::FixedRecords::Contact ContactWithLists(const std::string& id, const std::string& role,
                                             int count) {
  fake::FixedRecords::Contact contact;
  const auto embedded = [&](const char* type) {
    std::string data;
    for (int i = 0; i < std::min(count, 10); ++i) {
      absl::StrAppend(&data, i == 0 ? "" : ",", R"({"type":")", type, R"(","id":")", type, i,
                      R"("})");
    }
    return absl::StrCat(R"({"type":"list","data":[)", data, R"(],"total_count":)", count,
                        R"(,"has_more":)", count > 10 ? "true" : "false", "}");
  };
  contact.json = ContactJson(id, role,
                             absl::StrCat(R"(,"tags":)", embedded("tag"), R"(,"companies":)",
                                          embedded("company"), R"(,"notes":)", embedded("note")));
  for (int i = 0; i < count; ++i) {
    contact.tags.push_back(absl::StrCat(R"({"type":"tag","id":"tag)", i, R"(","name":"t"})"));
    contact.companies.push_back(absl::StrCat(R"({"type":"company","id":"company)", i, R"("})"));
    contact.segments.push_back(absl::StrCat(R"({"type":"segment","id":"segment)", i, R"("})"));
    contact.notes.push_back(
        absl::StrCat(R"({"type":"note","id":"note)", id, "-", i, R"(","body":"b"})"));
  }
  return contact;
}

// The segments that such contacts are in, each with so many members.
std::vector<std::string> SegmentsOf(int count, int members) {
  std::vector<std::string> segments;
  segments.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    segments.push_back(absl::StrCat(R"({"type":"segment","id":"segment)", i, R"(","name":"s",)",
                                    R"("count":)", members, "}"));
  }
  return segments;
}

class ListsOfLength : public ::testing::TestWithParam<int> {};

TEST_P(ListsOfLength, AreCompleteForUsersAndLeads) {
  const int count = GetParam();
  fake::FixedRecords records =
      Contacts({ContactWithLists("u", "user", count), ContactWithLists("l", "lead", count)});
  records.segments = SegmentsOf(count, 2);
  ExtractionHarness harness(records);
  const Extracted got = harness.Run();
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(got.rows.users_tags_size(), count);
  EXPECT_EQ(got.rows.users_companies_size(), count);
  EXPECT_EQ(got.rows.users_segments_size(), count);
  EXPECT_EQ(got.rows.leads_tags_size(), count);
  EXPECT_EQ(got.rows.leads_companies_size(), count);
  EXPECT_EQ(got.rows.leads_segments_size(), count);
  EXPECT_EQ(got.rows.notes_size(), 2 * count);
  std::set<std::string> tags;
  for (const auto& row : got.rows.users_tags()) {
    EXPECT_EQ(row.users_pk(), "u");
    tags.insert(row.id());
  }
  EXPECT_THAT(tags, SizeIs(count)) << "a tag came twice or not at all";
  std::set<std::string> user_types;
  for (const auto& row : got.rows.notes()) user_types.insert(row.user_type());
  EXPECT_THAT(user_types, SizeIs(count > 0 ? 2 : 0));
}

INSTANTIATE_TEST_SUITE_P(Lengths, ListsOfLength, ::testing::Values(0, 1, 10, 11, 151));

TEST(ExtractionTest, EmptyWorkspaceGivesEveryTableComplete) {
  ExtractionHarness harness{fake::FixedRecords()};
  const Extracted got = harness.Run();
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_THAT(got.summary.tables(), SizeIs(22));
  for (const auto& table : got.summary.tables()) {
    EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.table();
    EXPECT_EQ(table.rows(), 0) << table.table();
  }
}

TEST(ExtractionTest, NullAbsentEmptyZeroAndFalseStayApart) {
  ExtractionHarness harness(Contacts({
      Contact(ContactJson("absent", "user")),
      Contact(
          ContactJson("null", "user", R"(,"name":null,"created_at":null,"has_hard_bounced":null)")),
      Contact(
          ContactJson("empty", "user", R"(,"name":"","created_at":0,"has_hard_bounced":false)")),
  }));
  const Extracted got = harness.Run({"users"});
  ASSERT_EQ(got.rows.users_size(), 3);
  for (const auto& user : got.rows.users()) {
    const bool set = user.id() == "empty";
    EXPECT_EQ(user.has_name(), set) << user.id();
    EXPECT_EQ(user.has_created_at(), set) << user.id();
    EXPECT_EQ(user.has_has_hard_bounced(), set) << user.id();
  }
}

TEST(ExtractionTest, UnknownRoleIsOneNoticeAndNoRow) {
  ExtractionHarness harness(
      Contacts({Contact(ContactJson("v", "visitor")), Contact(ContactJson("u", "user"))}));
  const Extracted got = harness.Run();
  EXPECT_EQ(got.rows.users_size(), 1);
  EXPECT_EQ(got.rows.leads_size(), 0);
  const auto notices = got.Notices(v1::NOTICE_CODE_ROLE_UNKNOWN);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].record_id(), "v");
  EXPECT_THAT(notices[0].message(), HasSubstr("visitor"));
  EXPECT_EQ(got.Table("users").status(), v1::TABLE_STATUS_COMPLETE);
}

TEST(ExtractionTest, RolesComeFromTheAuthorThenFromOneBatchedLookUp) {
  fake::FixedRecords records;
  for (const char* id : {"u1", "u2", "u3"})
    records.contacts.push_back(Contact(ContactJson(id, "user")));
  records.contacts.push_back(Contact(ContactJson("l1", "lead")));
  const auto about = [](const std::string& contact, const std::string& author) {
    return absl::StrCat(R"(,"contacts":{"contacts":[{"type":"contact","id":")", contact,
                        R"("}]},"source":{"author":)", author, "}");
  };
  records.conversations = {
      // The author's word counts although the workspace says user.
      Conversation(ConversationJson("1", "", about("u1", R"({"type":"lead","id":"u1"})"))),
      Conversation(ConversationJson("2", "", about("u2", R"({"type":"admin","id":"9"})"))),
      Conversation(ConversationJson("3", "", about("l1", R"({"type":"bot","id":"8"})"))),
      Conversation(ConversationJson("4", "", about("nobody", "null"))),
  };
  ExtractionHarness harness(records);
  const Extracted got = harness.Run({"conversations", "conversations_customers"});
  std::map<std::string, std::string> types;
  for (const auto& row : got.rows.conversations()) types[row.id()] = row.user_type();
  EXPECT_EQ(types, (std::map<std::string, std::string>{
                       {"1", "lead"}, {"2", "user"}, {"3", "lead"}, {"4", "contact"}}));
  EXPECT_EQ(got.rows.conversations_customers_size(), 4);
  for (const auto& notice : got.Notices(v1::NOTICE_CODE_ROLE_NOT_FOUND)) {
    EXPECT_EQ(notice.record_id(), "4");
  }
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_ROLE_NOT_FOUND), Not(IsEmpty()));
  int searches = 0;
  for (const auto& [route, count] : harness.intercom().stats().by_route) {
    if (absl::StrContains(route, "search")) searches += static_cast<int>(count);
    EXPECT_FALSE(absl::StrContains(route, "GET /contacts/{")) << route;
  }
  EXPECT_EQ(searches, 1);
}

class PartsOfConversation : public ::testing::TestWithParam<int> {};

TEST_P(PartsOfConversation, AreAllThereUpToTheLimitOf500) {
  const int total = GetParam();
  std::string parts;
  for (int i = std::max(0, total - 500); i < total; ++i) {
    absl::StrAppend(&parts, parts.empty() ? "" : ",", PartJson(absl::StrCat(i), "hello"));
  }
  std::string json = ConversationJson("c", parts);
  // Intercom keeps the full number.
  const std::string cut = absl::StrCat("\"total_count\":", std::min(total, 500), "}}");
  json.replace(json.size() - cut.size(), cut.size(), absl::StrCat("\"total_count\":", total, "}}"));
  ExtractionHarness harness(OneConversation(json));
  const Extracted got = harness.Run();
  EXPECT_EQ(got.rows.conversation_parts_size(), std::min(total, 500));
  ASSERT_EQ(got.rows.conversations_size(), 1);
  EXPECT_EQ(got.rows.conversations(0).parts_truncated(), total > 500);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_PARTS_TRUNCATED), SizeIs(total > 500 ? 1 : 0));
  for (const auto& part : got.rows.conversation_parts()) EXPECT_EQ(part.conversations_pk(), "c");
}

INSTANTIATE_TEST_SUITE_P(Counts, PartsOfConversation, ::testing::Values(0, 1, 499, 500, 501, 900));

TEST(ExtractionTest, FewerPartsThanIntercomCountsAreANotice) {
  const auto notices = [](const std::string& statistics) {
    ExtractionHarness harness(OneConversation(ConversationJson(
        "c", PartJson("1", "hello") + "," + PartJson("2", "hello"),
        absl::StrCat(R"(,"statistics":{"count_conversation_parts":)", statistics, "}"))));
    const Extracted got = harness.Run({"conversation_parts", "conversations"});
    EXPECT_FALSE(got.rows.conversations(0).parts_truncated());
    return got.Notices(v1::NOTICE_CODE_PARTS_DIFFER);
  };
  // The source message counts as well.
  EXPECT_THAT(notices("3"), IsEmpty());
  EXPECT_THAT(notices("null"), IsEmpty());
  const std::vector<v1::Notice> differ = notices("5");
  ASSERT_THAT(differ, SizeIs(1));
  EXPECT_EQ(differ[0].record_id(), "c");
  EXPECT_EQ(differ[0].message(),
            "Intercom gave 2 parts and counts 4; others may have been deleted or redacted");
}

TEST(ExtractionTest, BodiesKeepEveryCharacter) {
  const std::string escaped = R"(a,\"b\"\r\n\n\ttab 😀 \u2028 \ud83d\ude00 \u0001 é)";
  const std::string plain =
      "a,\"b\"\r\n\n\ttab \xF0\x9F\x98\x80 \xE2\x80\xA8 \xF0\x9F\x98\x80 \x01 \xC3\xA9";
  ExtractionHarness harness(OneConversation(ConversationJson("c", PartJson("1", escaped))));
  const Extracted got = harness.Run({"conversation_parts"});
  ASSERT_EQ(got.rows.conversation_parts_size(), 1);
  EXPECT_EQ(got.rows.conversation_parts(0).body(), plain);
}

TEST(ExtractionTest, BodyOfAMegabyteArrivesWhole) {
  const std::string body(1 << 20, 'x');
  ExtractionHarness harness(OneConversation(ConversationJson("c", PartJson("1", body))));
  const Extracted got = harness.Run({"conversation_parts"});
  ASSERT_EQ(got.rows.conversation_parts_size(), 1);
  EXPECT_EQ(got.rows.conversation_parts(0).body(), body);
}

TEST(ExtractionTest, RecordsThatVanishAfterListingAreNoticesOnly) {
  for (const int status : {404, 410}) {
    fake::FixedRecords records;
    records.contacts = {ContactWithLists("u1", "user", 11), ContactWithLists("u2", "user", 11)};
    records.conversations = {Conversation(ConversationJson("1", PartJson("p1", "x"))),
                             Conversation(ConversationJson("2", PartJson("p2", "x")))};
    ExtractionHarness harness(records);
    const auto gone = [status](const fake::Request&, fake::Response* response) {
      response->status = status;
      response->content_type = "text/html";
      response->body = "<html><body>nginx</body></html>";
      return true;
    };
    harness.intercom().SetHandler("GET", "/contacts/u1/", gone);
    harness.intercom().SetHandler("GET", "/conversations/1", gone);
    const Extracted got = harness.Run();
    EXPECT_EQ(got.rows.users_size(), 2);
    // All of u2's, and of u1's the ten that were embedded in the list.
    EXPECT_EQ(got.rows.users_tags_size(), 21);
    EXPECT_EQ(got.rows.users_companies_size(), 21);
    EXPECT_EQ(got.rows.conversations_size(), 1);
    EXPECT_EQ(got.rows.conversation_parts_size(), 1);
    EXPECT_THAT(got.Notices(v1::NOTICE_CODE_RECORD_GONE), Not(IsEmpty()));
    for (const auto& table : got.summary.tables()) {
      EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.table();
    }
  }
}

TEST(ExtractionTest, OneMalformedRecordLosesNoHealthyOne) {
  fake::FixedRecords records;
  for (int i = 0; i < 20; ++i)
    records.contacts.push_back(Contact(ContactJson(absl::StrCat(i), "user")));
  records.contacts[7].json = R"({"type":"contact","id":"7","role":"user","name":tru})";
  ExtractionHarness harness(records);
  const Extracted got = harness.Run({"users"});
  EXPECT_EQ(got.rows.users_size(), 19);
  EXPECT_THAT(got.Notices(v1::NOTICE_CODE_RECORD_MALFORMED), SizeIs(1));
  EXPECT_EQ(got.Table("users").status(), v1::TABLE_STATUS_PARTIAL);
  std::set<std::string> ids;
  for (const auto& user : got.rows.users()) ids.insert(user.id());
  EXPECT_THAT(ids, SizeIs(19)) << "a record came twice";
}

TEST(ExtractionTest, PageThatIsAlwaysCutKeepsItsWholeRecordsAndFailsTheTable) {
  fake::FixedRecords records;
  for (int i = 0; i < 5; ++i)
    records.contacts.push_back(Contact(ContactJson(absl::StrCat(i), "user")));
  ExtractionHarness harness(records);
  harness.intercom().SetHandler("GET", "/contacts", [](const auto&, fake::Response* response) {
    // Ends as JSON does, so that only its parser can tell.
    response->body = R"({"type":"list","data":[{"id":"0","role":"user"},{"id":"1","role":{"x":1}})";
    return true;
  });
  const Extracted got = harness.Run({"users"});
  EXPECT_EQ(got.rows.users_size(), 1);
  EXPECT_EQ(got.Table("users").status(), v1::TABLE_STATUS_FAILED);
}

TEST(ExtractionTest, AccidentsOfOneMomentAreInvisible) {
  fake::FixedRecords records;
  for (int i = 0; i < 30; ++i) {
    records.contacts.push_back(ContactWithLists(absl::StrCat("c", i), "user", 11));
  }
  records.segments = SegmentsOf(11, 30);
  for (const char* faults : {"empty_body:7", "malformed_json:7", "truncate:7", "html_200:7",
                             "status:503:7", "reset:7"}) {
    ExtractionHarness harness(records, faults);
    const Extracted got = harness.Run({"users", "users_tags", "users_segments"});
    EXPECT_TRUE(got.status.ok()) << faults << ": " << got.status;
    EXPECT_EQ(got.rows.users_size(), 30) << faults;
    EXPECT_EQ(got.rows.users_tags_size(), 330) << faults;
    EXPECT_EQ(got.rows.users_segments_size(), 330) << faults;
    EXPECT_THAT(got.notices, IsEmpty()) << faults;
  }
}

TEST(ExtractionTest, MissingScopeEndsItsTableOnly) {
  fake::FixedRecords records;
  records.contacts = {ContactWithLists("u", "user", 2)};
  records.tags = {R"({"type":"tag","id":"1","name":"a"})"};
  ExtractionHarness harness(records, "scope_missing:/tags");
  const Extracted got = harness.Run();
  EXPECT_TRUE(got.status.ok());
  EXPECT_EQ(got.Table("tags").status(), v1::TABLE_STATUS_FAILED);
  EXPECT_EQ(got.Table("tags").error().reason(), "SCOPE_MISSING");
  for (const auto& table : got.summary.tables()) {
    if (table.table() == "tags") continue;
    EXPECT_EQ(table.status(), v1::TABLE_STATUS_COMPLETE) << table.table();
  }
  EXPECT_EQ(got.rows.users_tags_size(), 2);
}

TEST(ExtractionTest, WrongTokenEndsTheRunWithOneErrorThatHidesTheToken) {
  ExtractionHarness harness{fake::FixedRecords()};
  harness.access_token = "wrong-but-secret";
  const Extracted got = harness.Run();
  EXPECT_EQ(got.status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(got.status.message()), Not(HasSubstr("wrong-but-secret")));
  EXPECT_EQ(harness.intercom().stats().total, 1);
}

TEST(ExtractionTest, UnreachableHostEndsTheRun) {
  ExtractionHarness harness{fake::FixedRecords()};
  // Nobody listens on the discard port.
  harness.base_url = "http://127.0.0.1:9";
  const Extracted got = harness.Run();
  EXPECT_EQ(got.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(got.status.message()), HasSubstr("GET /me"));
}

TEST(ExtractionTest, CleanRunAsksNothingTwice) {
  fake::FixedRecords records;
  for (int i = 0; i < 400; ++i) {
    records.contacts.push_back(ContactWithLists(absl::StrCat("c", i), i % 3 ? "user" : "lead", 3));
    records.conversations.push_back(
        Conversation(ConversationJson(absl::StrCat(i), PartJson(absl::StrCat("p", i), "x"))));
  }
  records.segments = SegmentsOf(3, 400);
  ExtractionHarness harness(records);
  const Extracted got = harness.Run();
  EXPECT_EQ(got.rows.users_size() + got.rows.leads_size(), 400);
  EXPECT_EQ(got.rows.users_segments_size() + got.rows.leads_segments_size(), 1200);
  EXPECT_EQ(got.rows.conversation_parts_size(), 400);
  EXPECT_EQ(harness.intercom().stats().duplicates, 0);
  EXPECT_EQ(got.summary.requests().sent(), harness.intercom().stats().total);
}

}  // namespace
}  // namespace intercom_extractor

#include "extractor/tables/record_converter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/http/response_body.h"
#include "extractor/tables/converted_rows.h"
#include "extractor/tables/page_reader.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::optional<std::string> kNull;

using Roles = std::map<std::string, std::string>;

// Roles of a few contacts; nobody knows the others.
class FakeRoles : public RoleDirectory {
 public:
  explicit FakeRoles(Roles roles) : roles_(std::move(roles)) {}
  std::optional<absl::string_view> Role(absl::string_view contact_id) const override {
    const auto found = roles_.find(std::string(contact_id));
    if (found == roles_.end()) return std::nullopt;
    return found->second;
  }

 private:
  const Roles roles_;
};

ConvertedRows Contact(const std::string& members, const std::string& role = "user") {
  return ConvertRecord(v1::SOURCE_RECORD_CONTACT,
                       absl::StrCat(R"({"type":"contact","id":"c1","role":")", role, "\"",
                                    members.empty() ? "" : ",", members, "}"));
}

ConvertedRows Conversation(const std::string& members, const RoleDirectory* roles = nullptr) {
  RecordContext context;
  context.roles = roles;
  return ConvertRecord(
      v1::SOURCE_RECORD_CONVERSATION,
      absl::StrCat(R"({"type":"conversation","id":"v1")", members.empty() ? "" : ",", members, "}"),
      {}, context);
}

std::vector<v1::NoticeCode> Codes(const ConvertedRows& rows) {
  std::vector<v1::NoticeCode> result;
  for (const auto& notice : rows.notices) result.push_back(notice.code);
  return result;
}

TEST(UserAgentDataTest, IsNullWhenAllFourMembersAre) {
  for (const char* members : {"", R"("browser":null,"browser_version":null)",
                              R"("browser":null,"browser_version":null,"browser_language":null,)"
                              R"("os":null)"}) {
    EXPECT_EQ(Contact(members).Cell("users", "user_agent_data"), kNull) << members;
    EXPECT_EQ(Contact(members, "lead").Cell("leads", "user_agent_data"), kNull) << members;
  }
}

TEST(UserAgentDataTest, HoldsItsMembersInFixedOrderWithoutSpaces) {
  const std::string members =
      R"("os" : "OS X 10.15.7" , "browser_language": "en", "browser":  "chrome",)"
      R"("browser_version":"119.0")";
  const std::string expected =
      R"({"browser":"chrome","browser_version":"119.0","browser_language":"en",)"
      R"("os":"OS X 10.15.7"})";
  EXPECT_EQ(Contact(members).Cell("users", "user_agent_data"), expected);
  EXPECT_EQ(Contact(members, "lead").Cell("leads", "user_agent_data"), expected);
}

TEST(UserAgentDataTest, WritesMissingMembersAsNull) {
  EXPECT_EQ(Contact(R"("os":"Linux","browser":null)").Cell("users", "user_agent_data"),
            R"({"browser":null,"browser_version":null,"browser_language":null,"os":"Linux"})");
  EXPECT_EQ(Contact(R"("browser":"")").Cell("users", "user_agent_data"),
            R"({"browser":"","browser_version":null,"browser_language":null,"os":null})");
}

TEST(UserAgentDataTest, KeepsEscapesSoThatItStaysJson) {
  EXPECT_EQ(Contact(R"("browser":"a\"b\\c\u00e9")").Cell("users", "user_agent_data"),
            R"({"browser":"a\"b\\c\u00e9","browser_version":null,"browser_language":null,)"
            R"("os":null})");
}

TEST(UserAgentDataTest, MemberThatIsNoTextIsNullWithANotice) {
  const ConvertedRows rows = Contact(R"("browser":{"a": 1},"os":"Linux","browser_version":5)");
  EXPECT_EQ(rows.Cell("users", "user_agent_data"),
            R"({"browser":null,"browser_version":null,"browser_language":null,"os":"Linux"})");
  EXPECT_THAT(Codes(rows),
              ElementsAre(v1::NOTICE_CODE_VALUE_INVALID, v1::NOTICE_CODE_VALUE_INVALID));
  EXPECT_EQ(Contact(R"("browser":5)").Cell("users", "user_agent_data"), kNull);
}

struct Assignee {
  const char* admin;
  const char* team;
  std::optional<std::string> type;
  std::optional<std::string> id;
  std::optional<std::string> team_id;
};

TEST(AssigneeTest, AdminWinsThenTeamThenNobody) {
  for (const Assignee& test : std::vector<Assignee>{
           {"991267715", "null", "admin", "991267715", kNull},
           {R"("991267715")", "null", "admin", "991267715", kNull},
           {"null", "5017691", "team", "5017691", "5017691"},
           {"null", R"("5017691")", "team", "5017691", "5017691"},
           {"991267715", "5017691", "admin", "991267715", "5017691"},
           {"null", "null", "nobody_admin", kNull, kNull},
           {"0", "0", "nobody_admin", kNull, "0"},
           {R"("")", R"("")", "nobody_admin", kNull, ""},
           {R"("0")", R"("0")", "nobody_admin", kNull, "0"},
           {"0", "5017691", "team", "5017691", "5017691"},
           {R"("")", "5017691", "team", "5017691", "5017691"},
       }) {
    SCOPED_TRACE(absl::StrCat(test.admin, " ", test.team));
    const ConvertedRows rows = Conversation(
        absl::StrCat("\"admin_assignee_id\":", test.admin, ",\"team_assignee_id\":", test.team));
    EXPECT_EQ(rows.Cell("conversations", "assignee_type"), test.type);
    EXPECT_EQ(rows.Cell("conversations", "assignee_id"), test.id);
    EXPECT_EQ(rows.Cell("conversations", "team_assignee_id"), test.team_id);
    EXPECT_THAT(rows.notices, IsEmpty());
  }
}

TEST(AssigneeTest, AbsentIsNobody) {
  const ConvertedRows rows = Conversation("");
  EXPECT_EQ(rows.Cell("conversations", "assignee_type"), "nobody_admin");
  EXPECT_EQ(rows.Cell("conversations", "assignee_id"), kNull);
}

// It was not set without a word.
TEST(AssigneeTest, WhatIsNoIdIsNotSetAndOneNotice) {
  for (const char* wrong : {"{}", "[]", "true", "false"}) {
    const ConvertedRows nobody = Conversation(absl::StrCat("\"admin_assignee_id\":", wrong));
    EXPECT_EQ(nobody.Cell("conversations", "assignee_type"), "nobody_admin") << wrong;
    EXPECT_EQ(nobody.Cell("conversations", "assignee_id"), kNull) << wrong;
    EXPECT_THAT(Codes(nobody), ElementsAre(v1::NOTICE_CODE_VALUE_INVALID)) << wrong;
    const ConvertedRows team =
        Conversation(absl::StrCat("\"team_assignee_id\":7,\"admin_assignee_id\":", wrong));
    EXPECT_EQ(team.Cell("conversations", "assignee_type"), "team") << wrong;
    EXPECT_EQ(team.Cell("conversations", "assignee_id"), "7") << wrong;
    EXPECT_THAT(Codes(team), ElementsAre(v1::NOTICE_CODE_VALUE_INVALID)) << wrong;
  }
}

TEST(PersonTypeTest, ContactIsWrittenAsLead) {
  for (const auto& [value, expected] : std::map<std::string, std::optional<std::string>>{
           {R"("contact")", "lead"},
           {R"("user")", "user"},
           {R"("lead")", "lead"},
           {R"("")", ""},
           {R"("something new")", "something new"},
           {"null", kNull},
       }) {
    const ConvertedRows rows =
        ConvertRecord(v1::SOURCE_RECORD_SEGMENT, absl::StrCat("{\"person_type\":", value, "}"));
    EXPECT_EQ(rows.Cell("segments", "person_type"), expected) << value;
    EXPECT_THAT(rows.notices, IsEmpty());
  }
}

TEST(PersonTypeTest, WrongTypeIsNullWithOneNotice) {
  const ConvertedRows rows = ConvertRecord(v1::SOURCE_RECORD_SEGMENT, R"({"person_type":5})");
  EXPECT_EQ(rows.Cell("segments", "person_type"), kNull);
  EXPECT_THAT(Codes(rows), ElementsAre(v1::NOTICE_CODE_VALUE_INVALID));
}

ConvertedRows Events(const std::string& events,
                     const std::string& rest = R"(,"intercom_user_id":"u1")") {
  return ConvertRecord(v1::SOURCE_RECORD_EVENT_SUMMARY,
                       absl::StrCat(R"({"type":"event.summary","events":)", events, rest, "}"), {},
                       {"asked", v1::CONTACT_ROLE_USER, nullptr, std::nullopt, {}});
}

TEST(EventSummaryTest, TimesAreTrimmedAndElseKeptAsReceived) {
  const ConvertedRows rows =
      Events(R"([{"name":" n ","count":3,"first":" 2014-01-16T23:12:21.000+00:00\n",)"
             R"("last":"\t\r\n","description":null}])");
  EXPECT_EQ(rows.Cell("events_summary", "name"), " n ");
  EXPECT_EQ(rows.Cell("events_summary", "first"), "2014-01-16T23:12:21.000+00:00");
  EXPECT_EQ(rows.Cell("events_summary", "last"), "");
  EXPECT_EQ(rows.Cell("events_summary", "count"), "3");
  EXPECT_EQ(rows.Cell("events_summary", "description"), kNull);
}

TEST(EventSummaryTest, TimeOfWrongTypeIsNullWithOneNotice) {
  const ConvertedRows rows = Events(R"([{"name":"n","first":1389913941}])");
  EXPECT_EQ(rows.Cell("events_summary", "first"), kNull);
  EXPECT_EQ(rows.Cell("events_summary", "last"), kNull);
  EXPECT_THAT(Codes(rows), ElementsAre(v1::NOTICE_CODE_VALUE_INVALID));
}

TEST(EventSummaryTest, UserIsTheAnswersElseTheOneAskedFor) {
  EXPECT_EQ(Events(R"([{"name":"n"}])").Cell("events_summary", "user_id"), "u1");
  EXPECT_EQ(
      Events(R"([{"name":"n"}])", R"(,"intercom_user_id":null)").Cell("events_summary", "user_id"),
      "asked");
  EXPECT_EQ(Events(R"([{"name":"n"}])", "").Cell("events_summary", "user_id"), "asked");
  // The external id has nothing to do with it.
  EXPECT_EQ(
      Events(R"([{"name":"n"}])", R"(,"user_id":"external")").Cell("events_summary", "user_id"),
      "asked");
}

TEST(OrdinalTest, CountsWithinTheRowsOwnParent) {
  const ConvertedRows rows = Conversation(
      R"("source":{"attachments":[{"name":"s0"},{"name":"s1"}]},
         "conversation_parts":{"conversation_parts":[
           {"id":"p1","attachments":[{"name":"a"},{"name":"b"},{"name":"c"}]},
           {"id":"p2"},
           {"id":"p3","attachments":[]},
           {"id":"p4","attachments":[{"name":"d"}]},
           {"attachments":[{"name":"e"},{"name":"f"}],"id":"p5"}]})");
  EXPECT_THAT(rows.Cells("conversations_attachments", "ordinal"), ElementsAre("0", "1"));
  EXPECT_THAT(rows.Cells("conversation_parts_attachments", "name"),
              ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_THAT(rows.Cells("conversation_parts_attachments", "ordinal"),
              ElementsAre("0", "1", "2", "0", "0", "1"));
  EXPECT_THAT(rows.Cells("conversation_parts_attachments", "conversation_parts_pk"),
              ElementsAre("p1", "p1", "p1", "p4", "p5", "p5"));
  EXPECT_THAT(rows.Cells("conversation_parts", "conversations_pk"),
              ElementsAre("v1", "v1", "v1", "v1", "v1"));
}

TEST(OrdinalTest, NumbersSocialProfiles) {
  const std::string profiles =
      R"("social_profiles":{"data":[{"type":"social_profile","name":"Twitter","url":"u",)"
      R"("id":"x","username":"y"},{"name":null}]})";
  const ConvertedRows users = Contact(profiles);
  EXPECT_THAT(users.Cells("users_social_profiles", "ordinal"), ElementsAre("0", "1"));
  EXPECT_THAT(users.Cells("users_social_profiles", "users_pk"), ElementsAre("c1", "c1"));
  EXPECT_THAT(users.Cells("users_social_profiles", "id"), ElementsAre("null", "null"));
  EXPECT_EQ(users.Count("leads_social_profiles"), 0);
  EXPECT_EQ(Contact(profiles, "lead").Count("leads_social_profiles"), 2);
}

TEST(AdminEmailTest, TeamsHaveNone) {
  const ConvertedRows admin = ConvertRecord(
      v1::SOURCE_RECORD_ADMIN, R"({"type":"admin","id":"1","name":"n","email":"a@example.com"})");
  EXPECT_EQ(admin.Cell("admins", "email"), "a@example.com");
  const ConvertedRows team = ConvertRecord(
      v1::SOURCE_RECORD_TEAM, R"({"email":"a@example.com","type":"team","id":1,"name":"n"})");
  EXPECT_EQ(team.Cell("admins", "email"), kNull);
  EXPECT_EQ(team.Cell("admins", "type"), "team");
  EXPECT_EQ(team.Cell("admins", "id"), "1");
  EXPECT_THAT(team.notices, IsEmpty());
}

ConvertedRows SubResource(v1::SourceRecord record, const std::string& json,
                          v1::ContactRole role = v1::CONTACT_ROLE_USER) {
  return ConvertRecord(record, json, {}, {"c7", role, nullptr, std::nullopt, {}});
}

TEST(ParentTest, EmbeddedChildrenCarryTheirContactsId) {
  const std::string members =
      R"("tags":{"data":[{"id":"t1"},{"id":2}]},"companies":{"data":[{"id":"k1"}]})";
  const ConvertedRows users = Contact(members);
  EXPECT_THAT(users.Cells("users_tags", "id"), ElementsAre("t1", "2"));
  EXPECT_THAT(users.Cells("users_tags", "users_pk"), ElementsAre("c1", "c1"));
  EXPECT_THAT(users.Cells("users_companies", "users_pk"), ElementsAre("c1"));
  EXPECT_EQ(users.Count("leads_tags") + users.Count("leads_companies") + users.Count("leads"), 0);
  const ConvertedRows leads = Contact(members, "lead");
  EXPECT_THAT(leads.Cells("leads_tags", "leads_pk"), ElementsAre("c1", "c1"));
  EXPECT_THAT(leads.Cells("leads_companies", "leads_pk"), ElementsAre("c1"));
  EXPECT_EQ(leads.Count("users_tags") + leads.Count("users_companies") + leads.Count("users"), 0);
}

TEST(ParentTest, SubResourcesCarryTheContactAskedFor) {
  const ConvertedRows tag = SubResource(v1::SOURCE_RECORD_CONTACT_TAG, R"({"id":"t1"})");
  EXPECT_EQ(tag.Cell("users_tags", "id"), "t1");
  EXPECT_EQ(tag.Cell("users_tags", "users_pk"), "c7");
  EXPECT_EQ(tag.Cell("users_tags", "type"), "tag");
  EXPECT_EQ(tag.Count("leads_tags"), 0);
  const ConvertedRows segment =
      SubResource(v1::SOURCE_RECORD_CONTACT_SEGMENT, R"({"id":"s1"})", v1::CONTACT_ROLE_LEAD);
  EXPECT_EQ(segment.Cell("leads_segments", "leads_pk"), "c7");
  EXPECT_EQ(segment.Count("users_segments"), 0);
  const ConvertedRows company =
      SubResource(v1::SOURCE_RECORD_CONTACT_COMPANY, R"({"type":"company","id":"k1"})");
  EXPECT_EQ(company.Cell("users_companies", "users_pk"), "c7");
}

TEST(ParentTest, NoteSaysWhomItIsAbout) {
  const ConvertedRows note = SubResource(
      v1::SOURCE_RECORD_NOTE, R"({"type":"note","id":26,"contact":{"type":"contact","id":"c8"}})");
  EXPECT_EQ(note.Cell("notes", "user_id"), "c8");
  EXPECT_EQ(note.Cell("notes", "user_type"), "user");
  EXPECT_EQ(note.Cell("notes", "author_type"), kNull);
  for (const char* json : {R"({"id":"1"})", R"({"id":"1","contact":null})",
                           R"({"id":"1","contact":{}})", R"({"id":"1","contact":{"id":null}})"}) {
    const ConvertedRows fallback = SubResource(v1::SOURCE_RECORD_NOTE, json, v1::CONTACT_ROLE_LEAD);
    EXPECT_EQ(fallback.Cell("notes", "user_id"), "c7") << json;
    EXPECT_EQ(fallback.Cell("notes", "user_type"), "lead") << json;
    EXPECT_THAT(fallback.notices, IsEmpty());
  }
}

TEST(ParentTest, ParentOfWrongTypeIsNullWithOneNotice) {
  for (const char* json : {R"({"id":"1","contact":5})", R"({"id":"1","contact":{"id":{}}})",
                           R"({"id":"1","contact":["c8"]})"}) {
    const ConvertedRows note = SubResource(v1::SOURCE_RECORD_NOTE, json);
    EXPECT_EQ(note.Cell("notes", "user_id"), kNull) << json;
    EXPECT_THAT(Codes(note), ElementsAre(v1::NOTICE_CODE_VALUE_INVALID)) << json;
  }
}

constexpr char kTwoContacts[] =
    R"("contacts":{"type":"contact.list","contacts":[{"type":"contact","id":"u1"},)"
    R"({"type":"contact","id":"u2"}]})";

TEST(ReferencedRoleTest, ComesFromTheAuthorWhenItIsTheContact) {
  const FakeRoles roles(Roles{{"u1", "lead"}, {"u2", "lead"}});
  const ConvertedRows rows = Conversation(
      absl::StrCat(kTwoContacts, R"(,"source":{"author":{"type":"user","id":"u1"}})"), &roles);
  EXPECT_EQ(rows.Cell("conversations", "user_type"), "user");
  EXPECT_EQ(rows.Cell("conversations", "user_id"), "u1");
  EXPECT_THAT(rows.Cells("conversations_customers", "type"), ElementsAre("user", "lead"));
  EXPECT_THAT(rows.notices, IsEmpty());
}

TEST(ReferencedRoleTest, AuthorsOfOtherKindsSayNothing) {
  const FakeRoles roles(Roles{{"u1", "lead"}, {"u2", "user"}});
  for (const char* type : {"bot", "admin", "team", "contact", ""}) {
    const ConvertedRows rows = Conversation(
        absl::StrCat(R"("source":{"author":{"id":"u1","type":")", type, "\"}},", kTwoContacts),
        &roles);
    EXPECT_EQ(rows.Cell("conversations", "user_type"), "lead") << type;
    EXPECT_THAT(rows.Cells("conversations_customers", "type"), ElementsAre("lead", "user"));
  }
}

TEST(ReferencedRoleTest, AuthorWithNumberAsIdIsTheSameContact) {
  const ConvertedRows rows = Conversation(
      R"("contacts":{"contacts":[{"id":"17"}]},"source":{"author":{"type":"lead","id":17}})");
  EXPECT_EQ(rows.Cell("conversations", "user_type"), "lead");
  EXPECT_THAT(rows.notices, IsEmpty());
}

TEST(ReferencedRoleTest, UnknownContactIsContactWithANotice) {
  const FakeRoles roles(Roles{{"u1", "user"}});
  const ConvertedRows rows = Conversation(kTwoContacts, &roles);
  EXPECT_EQ(rows.Cell("conversations", "user_type"), "user");
  EXPECT_THAT(rows.Cells("conversations_customers", "type"), ElementsAre("user", "contact"));
  ASSERT_THAT(Codes(rows), ElementsAre(v1::NOTICE_CODE_ROLE_NOT_FOUND));
  EXPECT_EQ(rows.notices[0].record_id, "v1");
  EXPECT_THAT(rows.notices[0].message, HasSubstr("u2"));
}

TEST(ReferencedRoleTest, WithoutDirectoryEveryReferenceIsAContact) {
  const ConvertedRows rows = Conversation(kTwoContacts);
  EXPECT_EQ(rows.Cell("conversations", "user_type"), "contact");
  EXPECT_THAT(rows.Cells("conversations_customers", "type"), ElementsAre("contact", "contact"));
}

TEST(ReferencedRoleTest, NoContactIsNull) {
  for (const char* members : {"", R"("contacts":null)", R"("contacts":{"contacts":[]})",
                              R"("contacts":[])", R"("contacts":{"contacts":[{"id":null}]})"}) {
    const ConvertedRows rows = Conversation(members);
    EXPECT_EQ(rows.Cell("conversations", "user_type"), kNull) << members;
    EXPECT_EQ(rows.Cell("conversations", "user_id"), kNull) << members;
    EXPECT_THAT(rows.notices, IsEmpty()) << members;
  }
}

TEST(ContactsOfConversationTest, BareArrayOfOldAnswersIsRead) {
  const FakeRoles roles(Roles{{"u1", "user"}, {"u2", "lead"}});
  const ConvertedRows rows =
      Conversation(R"("contacts":[{"type":"user","id":"u1"},{"type":"lead","id":"u2"}])", &roles);
  EXPECT_EQ(rows.Cell("conversations", "user_type"), "user");
  EXPECT_EQ(rows.Cell("conversations", "user_id"), "u1");
  EXPECT_THAT(rows.Cells("conversations_customers", "id"), ElementsAre("u1", "u2"));
  EXPECT_THAT(rows.Cells("conversations_customers", "type"), ElementsAre("user", "lead"));
  EXPECT_THAT(rows.Cells("conversations_customers", "conversations_pk"), ElementsAre("v1", "v1"));
  EXPECT_THAT(rows.notices, IsEmpty());
}

// A reader that has seen one shape must read the other just as well.
TEST(ContactsOfConversationTest, ShapesMayAlternate) {
  RecordConverter converter(v1::SOURCE_RECORD_CONVERSATION, TablesNamed({}));
  PageReader reader({"conversations"}, "", converter.shape());
  ResponseBody body = ResponseBody::FromString(
      R"({"conversations":[{"id":"1","contacts":{"contacts":[{"id":"a"}]}},
          {"id":"2","contacts":[{"id":"b"},{"id":"c"}]},{"id":"3","contacts":null},{"id":"4"},
          {"id":"5","contacts":{"contacts":[{"id":"d"}]}}]})");
  UnitRows unit(TableCatalog::Get().tables().size());
  ASSERT_TRUE(reader
                  .Read(&body,
                        [&](const PageReader::Record& record) {
                          converter.Convert(*record.values, {}, &unit);
                          return absl::OkStatus();
                        })
                  .ok());
  const ConvertedRows rows = ConvertedRows::Of(&unit);
  EXPECT_THAT(rows.Cells("conversations", "user_id"), ElementsAre("a", "b", "null", "null", "d"));
  EXPECT_THAT(rows.Cells("conversations_customers", "conversations_pk"),
              ElementsAre("1", "2", "2", "5"));
}

TEST(ContactsOfConversationTest, WhatIsNoListIsANotice) {
  const ConvertedRows rows = Conversation(R"("contacts":5)");
  EXPECT_EQ(rows.Count("conversations"), 1);
  EXPECT_EQ(rows.Count("conversations_customers"), 0);
  // The list, user_type and user_id.
  EXPECT_THAT(rows.notices, SizeIs(3));
}

TEST(AvatarTest, IsNullAnObjectOrAUrl) {
  for (const auto& [value, expected] : std::map<std::string, std::optional<std::string>>{
           {"null", kNull},
           {R"({"type":"avatar","image_url":"https://example.com/a.png"})",
            "https://example.com/a.png"},
           {R"({"type":"avatar","image_url":null})", kNull},
           {R"({"type":"avatar"})", kNull},
           {"{}", kNull},
           {R"({"image_url":""})", ""},
           {R"("https://example.com/b.png")", "https://example.com/b.png"},
           {R"("")", ""},
       }) {
    const ConvertedRows user = Contact("\"avatar\":" + value);
    EXPECT_EQ(user.Cell("users", "avatar_image_url"), expected) << value;
    EXPECT_THAT(user.notices, IsEmpty()) << value;
    EXPECT_EQ(Contact("\"avatar\":" + value, "lead").Cell("leads", "avatar_image_url"), expected);
  }
  EXPECT_EQ(Contact("").Cell("users", "avatar_image_url"), kNull);
  for (const char* wrong : {"5", "[]", "true", R"({"image_url":{}})"}) {
    const ConvertedRows user = Contact(absl::StrCat("\"avatar\":", wrong));
    EXPECT_EQ(user.Cell("users", "avatar_image_url"), kNull) << wrong;
    EXPECT_THAT(Codes(user), ElementsAre(v1::NOTICE_CODE_VALUE_INVALID)) << wrong;
  }
}

TEST(PlanTest, IsItsNameOrNull) {
  for (const auto& [members, expected] : std::map<std::string, std::optional<std::string>>{
           {R"("plan":{"type":"plan","id":"269315","name":"Pro"})", "Pro"},
           {R"("plan":{})", kNull},
           {R"("plan":null)", kNull},
           {R"("name":"n")", kNull},
           {R"("plan":{"name":""})", ""},
           {R"("plan":{"name":null})", kNull},
       }) {
    const ConvertedRows rows =
        ConvertRecord(v1::SOURCE_RECORD_COMPANY, absl::StrCat("{\"id\":\"k\",", members, "}"));
    EXPECT_EQ(rows.Cell("companies", "plan"), expected) << members;
    EXPECT_THAT(rows.notices, IsEmpty()) << members;
  }
}

TEST(CustomAttributesTest, AreTheTextAsReceived) {
  for (const std::string& text : std::vector<std::string>{
           "{}",
           "{ }",
           R"({"a":{"b":[1,2,{"c":null}]}})",
           R"({"\u00e9":"\ud83d\ude00","plain é":"😀"})",
           "{ \"a\" :\t1 ,\n \"b\" : [ 1 , 2 ] }",
           R"({"n":1.50,"big":12345678901234567890,"e":1E5})",
           R"({"id":"not the contact's","role":"lead","x":"\"}{][\\"})",
       }) {
    const ConvertedRows user = Contact(absl::StrCat("\"custom_attributes\":", text, " , \"x\":1"));
    EXPECT_EQ(user.Cell("users", "custom_attributes"), text);
    EXPECT_EQ(user.Cell("users", "id"), "c1");
    EXPECT_EQ(Contact("\"custom_attributes\":" + text, "lead").Cell("leads", "custom_attributes"),
              text);
    EXPECT_EQ(ConvertRecord(v1::SOURCE_RECORD_COMPANY,
                            absl::StrCat("{\"id\":\"k\",\"custom_attributes\": ", text, "\n}"))
                  .Cell("companies", "custom_attributes"),
              text);
  }
  EXPECT_EQ(Contact("").Cell("users", "custom_attributes"), kNull);
  EXPECT_EQ(Contact("\"custom_attributes\":null").Cell("users", "custom_attributes"), kNull);
}

TEST(ContactRoleTest, OtherRolesGiveNoRows) {
  for (const char* role : {"contact", "visitor", "", "User"}) {
    const ConvertedRows rows = Contact(R"("tags":{"data":[{"id":"t"}]})", role);
    for (const TableInfo& table : TableCatalog::Get().tables()) {
      EXPECT_EQ(rows.Count(table.name()), 0) << role << " " << table.name();
    }
  }
  for (const char* json : {R"({"id":"c"})", R"({"id":"c","role":null})", R"({"id":"c","role":5})",
                           R"({"id":"c","role":{"x":"user"}})"}) {
    EXPECT_EQ(ConvertRecord(v1::SOURCE_RECORD_CONTACT, json).Count("users"), 0) << json;
  }
}

TEST(ContactRoleTest, RoleMayComeLast) {
  EXPECT_EQ(ConvertRecord(v1::SOURCE_RECORD_CONTACT,
                          R"({"tags":{"data":[{"id":"t"}]},"id":"c","role":"lead"})")
                .Cells("leads_tags", "leads_pk"),
            std::vector<std::string>{"c"});
}

TEST(RecordConverterTest, ListsOfAllSizesAreComplete) {
  for (const int size : {0, 1, 10, 11, 151}) {
    std::string list;
    for (int i = 0; i < size; ++i) absl::StrAppend(&list, i == 0 ? "" : ",", R"({"id":)", i, "}");
    const ConvertedRows rows = Contact(
        absl::StrCat(R"("tags":{"data":[)", list, R"(]},"companies":{"data":[)", list, R"(]})"));
    ASSERT_EQ(rows.Count("users_tags"), size);
    ASSERT_EQ(rows.Count("users_companies"), size);
    for (int i = 0; i < size; ++i) {
      EXPECT_EQ(rows.Cell("users_tags", i, "id"), std::to_string(i));
      EXPECT_EQ(rows.Cell("users_companies", i, "id"), std::to_string(i));
    }
  }
}

TEST(RecordConverterTest, NoListGivesNoRowsAndNoNotice) {
  for (const char* members :
       {"", R"("tags":null)", R"("tags":{})", R"("tags":{"data":null})", R"("tags":{"data":[]})"}) {
    const ConvertedRows rows = Contact(members);
    EXPECT_EQ(rows.Count("users"), 1) << members;
    EXPECT_EQ(rows.Count("users_tags"), 0) << members;
    EXPECT_THAT(rows.notices, IsEmpty()) << members;
  }
}

TEST(RecordConverterTest, WhatIsNoListIsOneNoticeAndTheHealthyElementsStay) {
  for (const char* members :
       {R"("tags":5)", R"("tags":[])", R"("tags":{"data":{}})", R"("tags":{"data":"x"})",
        R"("tags":{"data":[5]})", R"("tags":{"data":[null]})"}) {
    const ConvertedRows rows = Contact(members);
    EXPECT_EQ(rows.Count("users"), 1) << members;
    EXPECT_EQ(rows.Count("users_tags"), 0) << members;
    ASSERT_THAT(Codes(rows), ElementsAre(v1::NOTICE_CODE_VALUE_INVALID)) << members;
    EXPECT_EQ(rows.notices[0].record_id, "c1");
  }
  const ConvertedRows rows = Contact(R"("tags":{"data":[{"id":"a"},7,[],{"id":"b"}]})");
  EXPECT_THAT(rows.Cells("users_tags", "id"), ElementsAre("a", "b"));
  EXPECT_THAT(rows.notices, SizeIs(1));
}

TEST(RecordConverterTest, EachBadValueIsItsOwnNoticeAndTheRowStays) {
  const ConvertedRows rows =
      Contact(R"("created_at":"yesterday","email":5,"has_hard_bounced":1,"name":"n")");
  ASSERT_EQ(rows.Count("users"), 1);
  EXPECT_EQ(rows.Cell("users", "name"), "n");
  ASSERT_THAT(rows.notices, SizeIs(3));
  for (const auto& notice : rows.notices) {
    EXPECT_EQ(notice.record_id, "c1");
    EXPECT_EQ(notice.table, TableCatalog::Get().Find("users")->index);
  }
}

// The value is somebody's data.
TEST(RecordConverterTest, NoticesNeverQuoteTheValue) {
  const ConvertedRows rows = Contact(R"("created_at":"secret-7","email":{"k":"secret-7"})");
  ASSERT_THAT(rows.notices, SizeIs(2));
  for (const auto& notice : rows.notices) EXPECT_THAT(notice.message, Not(HasSubstr("secret-7")));
}

TEST(RecordConverterTest, SkippedTablesGetNoRows) {
  RecordContext context;
  context.skip.set(TableCatalog::Get().Find("users_tags")->index);
  const ConvertedRows rows = ConvertRecord(
      v1::SOURCE_RECORD_CONTACT,
      R"({"id":"c","role":"user","tags":{"data":[{"id":"t"}]},"companies":{"data":[{"id":"k"}]}})",
      {}, context);
  EXPECT_EQ(rows.Count("users_tags"), 0);
  EXPECT_EQ(rows.Count("users_companies"), 1);
}

TEST(RecordConverterTest, OnlyWantedTablesGetRows) {
  const ConvertedRows rows = ConvertRecord(
      v1::SOURCE_RECORD_CONTACT, R"({"id":"c","role":"user","tags":{"data":[{"id":"t"}]}})",
      {"users_tags", "conversations"});
  EXPECT_EQ(rows.Count("users"), 0);
  EXPECT_EQ(rows.Count("users_tags"), 1);
  EXPECT_TRUE(RecordConverter(v1::SOURCE_RECORD_TAG, TablesNamed({"tags"})).wanted());
  EXPECT_FALSE(RecordConverter(v1::SOURCE_RECORD_TAG, TablesNamed({"users"})).wanted());
}

TEST(RecordConverterTest, PartsTruncatedIsWhatTheContextSays) {
  for (const std::optional<bool> truncated :
       {std::optional<bool>(), std::optional<bool>(true), std::optional<bool>(false)}) {
    RecordContext context;
    context.parts_truncated = truncated;
    const ConvertedRows rows =
        ConvertRecord(v1::SOURCE_RECORD_CONVERSATION, R"({"id":"v"})", {}, context);
    EXPECT_EQ(
        rows.Cell("conversations", "parts_truncated"),
        truncated.has_value() ? std::optional<std::string>(*truncated ? "true" : "false") : kNull);
  }
}

TEST(RecordConverterTest, EmptyRecordIsARowOfNulls) {
  const ConvertedRows rows = ConvertRecord(v1::SOURCE_RECORD_COMPANY, "{}");
  ASSERT_EQ(rows.Count("companies"), 1);
  for (const v1::ColumnDescription& column :
       TableCatalog::Get().Find("companies")->description.columns()) {
    EXPECT_EQ(rows.Cell("companies", column.name()), kNull) << column.name();
  }
}

TEST(UnknownRolesTest, AreTheContactsThatTheAuthorDoesNotTell) {
  Shape shape;
  const int list = shape.AddList(-1, "contacts.contacts");
  const ValueRef id = shape.AddValue(list, "id");
  const ValueRef author_id = shape.AddValue(-1, "source.author.id");
  const ValueRef author_type = shape.AddValue(-1, "source.author.type");
  PageReader reader({}, "", &shape);
  const auto unknown = [&](const std::string& json) {
    ResponseBody body = ResponseBody::FromString(json);
    std::vector<std::string> ids;
    EXPECT_TRUE(reader
                    .Read(&body,
                          [&](const PageReader::Record& record) {
                            AppendUnknownRoles(shape, *record.values, list, id, author_id,
                                               author_type, &ids);
                            return absl::OkStatus();
                          })
                    .ok());
    return ids;
  };
  const std::string contacts =
      R"("contacts":{"contacts":[{"id":"a"},{"id":7},{"id":null},{"id":""},{"id":0},{}]})";
  EXPECT_THAT(unknown(absl::StrCat("{", contacts, "}")), ElementsAre("a", "7"));
  EXPECT_THAT(
      unknown(absl::StrCat("{", contacts, R"(,"source":{"author":{"type":"lead","id":"a"}}})")),
      ElementsAre("7"));
  EXPECT_THAT(
      unknown(absl::StrCat("{", contacts, R"(,"source":{"author":{"type":"bot","id":"a"}}})")),
      ElementsAre("a", "7"));
}

}  // namespace
}  // namespace intercom_extractor

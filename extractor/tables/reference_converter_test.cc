// The real converter beside the slow and plain one: every row of every table, field
// by field, and every notice, over answers of real shapes and thousands of changed
// ones. The few cases by hand are there so that both cannot be wrong together.

#include "extractor/tables/reference_converter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "extractor/tables/answer_converter.h"
#include "extractor/tables/json_mutation.h"
#include "extractor/tables/reference_json.h"
#include "tests/benchmarks/payloads/answers.h"

namespace intercom_extractor {
namespace payloads {

// Names the answer where a test fails, instead of its bytes.
void PrintTo(const Answer& answer, std::ostream* out) { *out << answer.name; }

}  // namespace payloads

namespace {

using nlohmann::json;
using payloads::Answer;

constexpr uint64_t kSeed = 20260;
// Bytes of changed records for each answer, which is how long the test takes.
constexpr size_t kChangedBytes = 3 << 20;
constexpr size_t kMostChanged = 500;

AnswerKind KindOf(const Answer& answer) {
  AnswerKind kind;
  kind.record = answer.record;
  kind.items = answer.items;
  kind.context.parent_id = answer.parent_id;
  kind.context.parent_role = answer.parent_role;
  // Of the contacts in the payloads and mutations, nobody knows some.
  kind.context.roles = {{"70", "user"}, {"71", "lead"}, {"7", "lead"}, {"1571672154", "user"}};
  kind.context.parts_truncated = false;
  return kind;
}

std::vector<const ReferenceJson*> RecordsOf(const Answer& answer, const ReferenceJson& json) {
  if (answer.items.empty()) return {&json};
  std::vector<const ReferenceJson*> records;
  for (const ReferenceJson& element : json.Find(answer.items)->elements) {
    records.push_back(&element);
  }
  return records;
}

std::string PageOf(const Answer& answer, const std::string& record) {
  return answer.items.empty()
             ? record
             : absl::StrCat(R"({"type":"list",")", answer.items, "\":[", record, "]}");
}

json ToNlohmann(const ReferenceJson& value) {
  switch (value.type) {
    case ReferenceJson::Type::kString:
      return value.string;
    case ReferenceJson::Type::kArray: {
      json array = json::array();
      for (const ReferenceJson& element : value.elements) array.push_back(ToNlohmann(element));
      return array;
    }
    case ReferenceJson::Type::kObject: {
      json object = json::object();
      for (const ReferenceMember& member : value.members) {
        object[member.key] = ToNlohmann(member.value);
      }
      return object;
    }
    default:
      return json::parse(std::string(value.raw));
  }
}

// By hand: what the real converter and the reference must both say.

std::string Rows(v1::SourceRecord kind, const std::string& record,
                 const ReferenceContext& context = {}) {
  const auto parsed = ReferenceJson::Parse(record);
  if (!parsed.has_value()) return "no JSON";
  const ReferenceRows rows = ReferenceConvert(kind, *parsed, context);
  return absl::StrCat(rows.batch.ShortDebugString(), "\n", NoticesText(rows.notices));
}

TEST(ReferenceConverterTest, TellsNullFromEmptyAndZero) {
  EXPECT_EQ(Rows(v1::SOURCE_RECORD_TAG, R"({"type":"tag","id":5,"name":""})"),
            "tags { type: \"tag\" id: \"5\" name: \"\" }\n");
  EXPECT_EQ(Rows(v1::SOURCE_RECORD_TAG, R"({"id":"5","name":null})"), "tags { id: \"5\" }\n");
  EXPECT_EQ(Rows(v1::SOURCE_RECORD_SEGMENT, R"({"id":"s","count":0,"person_type":"contact"})"),
            "segments { id: \"s\" count: 0 person_type: \"lead\" }\n");
}

TEST(ReferenceConverterTest, LastOfRepeatedKeysCounts) {
  EXPECT_EQ(Rows(v1::SOURCE_RECORD_TAG, R"({"id":"1","name":"a","id":"2","name":null})"),
            "tags { id: \"2\" }\n");
}

TEST(ReferenceConverterTest, CountsANoticeForEachColumnThatDoesNotFit) {
  EXPECT_EQ(Rows(v1::SOURCE_RECORD_SEGMENT,
                 R"({"id":"s","name":7,"created_at":"12","updated_at":1.5,"count":true})"),
            "segments { id: \"s\" created_at: 12 }\n"
            "segments NOTICE_CODE_VALUE_INVALID \"s\" count\n"
            "segments NOTICE_CODE_VALUE_INVALID \"s\" name\n"
            "segments NOTICE_CODE_VALUE_INVALID \"s\" updated_at\n");
}

TEST(ReferenceConverterTest, KeepsJsonTextAsReceived) {
  EXPECT_EQ(Rows(v1::SOURCE_RECORD_COMPANY, R"({"id":"c","custom_attributes" : { "a" : 1.50 } })"),
            "companies { id: \"c\" custom_attributes: \"{ \\\"a\\\" : 1.50 }\" }\n");
}

TEST(ReferenceConverterTest, ListsGiveRowsWithTheirParent) {
  ReferenceContext context;
  context.parent_id = "u";
  context.parent_role = v1::CONTACT_ROLE_USER;
  EXPECT_EQ(Rows(v1::SOURCE_RECORD_EVENT_SUMMARY,
                 R"({"events":[{"name":"a","count":2,"last":" x "},5]})", context),
            "events_summary { user_id: \"u\" name: \"a\" count: 2 last: \"x\" }\n"
            "events_summary NOTICE_CODE_VALUE_INVALID \"u\" \n");
}

TEST(ReferenceConverterTest, ContactFeedsTheTablesOfItsRoleOnly) {
  const std::string members =
      R"("id":"c","avatar":"http://a","location":5,"tags":{"data":[{"id":1}]})";
  const std::string lead =
      Rows(v1::SOURCE_RECORD_CONTACT, absl::StrCat(R"({"role":"lead",)", members, "}"));
  EXPECT_EQ(lead.substr(0, lead.find('\n')),
            "leads { type: \"contact\" id: \"c\" anonymous: true avatar_image_url: \"http://a\" } "
            "leads_tags { type: \"tag\" id: \"1\" leads_pk: \"c\" }");
  // Seven values below the location that is none.
  EXPECT_EQ(std::count(lead.begin(), lead.end(), '\n'), 1 + 7);
  EXPECT_EQ(Rows(v1::SOURCE_RECORD_CONTACT, absl::StrCat(R"({"role":"visitor",)", members, "}")),
            "\n");
}

TEST(ReferenceConverterTest, FindsWhoAConversationConcerns) {
  const std::string record =
      R"({"id":1,"source":{"author":{"type":"lead","id":"a"}},"team_assignee_id":"t",)"
      R"("contacts":[{"id":"a"},{"id":"b"}]})";
  const std::string rows = Rows(v1::SOURCE_RECORD_CONVERSATION, record);
  EXPECT_NE(rows.find(R"(user_type: "lead" user_id: "a" assignee_type: "team" assignee_id: "t")"),
            std::string::npos)
      << rows;
  EXPECT_NE(rows.find(R"(conversations_customers { type: "contact" id: "b")"), std::string::npos)
      << rows;
  EXPECT_NE(rows.find(R"(conversations_customers NOTICE_CODE_ROLE_NOT_FOUND "1")"),
            std::string::npos)
      << rows;
}

TEST(ReferenceJsonTest, ReadsTextsAsAnotherLibraryDoes) {
  for (const Answer& answer : payloads::AllAnswers(kSeed)) {
    // The largest take long under sanitizers and hold nothing that others do not.
    if (answer.text.size() > 500'000) continue;
    const auto parsed = ReferenceJson::Parse(answer.text);
    ASSERT_TRUE(parsed.has_value()) << answer.name;
    EXPECT_EQ(ToNlohmann(*parsed), json::parse(answer.text)) << answer.name;
  }
}

TEST(ReferenceJsonTest, RefusesWhatIsNoJson) {
  for (const char* text :
       {"",        " ",        "{",          "}",     "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}",
        "[1 2]",   "01",       "1.",         ".5",    "+1",   "tru",        "nul",     "\"a",
        "\"a\\\"", "\"a\nb\"", "\"a\\\nb\"", "{} {}", "[}",   "'a'",        "-",       "1e"}) {
    EXPECT_FALSE(ReferenceJson::Parse(text).has_value()) << text;
    EXPECT_FALSE(json::accept(text)) << text;
  }
}

TEST(ReferenceJsonTest, KnowsWhereValuesStandAndWhatTheySay) {
  const std::string text = R"( {"a" : [ 1.50 , "\u00e9\ud83d\ude00\ud83d" ] } )";
  const auto parsed = ReferenceJson::Parse(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->members[0].raw, R"("a" : [ 1.50 , "\u00e9\ud83d\ude00\ud83d" ])");
  const std::vector<ReferenceJson>& elements = parsed->Find("a")->elements;
  EXPECT_EQ(elements[0].raw, "1.50");
  EXPECT_EQ(elements[1].string, "\u00e9\U0001F600\uFFFD");
}

class AnswerTest : public testing::TestWithParam<Answer> {};

TEST_P(AnswerTest, HasTheRowsOfTheReference) {
  const auto parsed = ReferenceJson::Parse(GetParam().text);
  ASSERT_TRUE(parsed.has_value());
  const std::vector<const ReferenceJson*> records = RecordsOf(GetParam(), *parsed);
  AnswerConverter converter(KindOf(GetParam()));
  const auto whole = converter.Read(GetParam().text);
  const auto in_pieces = converter.Salvage(GetParam().text);
  ASSERT_TRUE(whole.ok()) << whole.status();
  ASSERT_TRUE(in_pieces.ok()) << in_pieces.status();
  ASSERT_EQ(whole->size(), records.size());
  ASSERT_EQ(in_pieces->records.size(), records.size());
  EXPECT_EQ(in_pieces->malformed, 0);
  for (size_t i = 0; i < records.size(); ++i) {
    const ReferenceRows expected =
        ReferenceConvert(GetParam().record, *records[i], KindOf(GetParam()).context);
    EXPECT_GT(expected.batch.ByteSizeLong(), 0);
    ASSERT_EQ(Difference(expected, (*whole)[i]), "") << records[i]->raw;
    ASSERT_EQ(Difference(expected, in_pieces->records[i]), "") << records[i]->raw;
  }
}

// Whether a record that stands alone or in a page of its own gives the rows of the
// reference.
void CompareRecord(const std::string& record, const Answer& answer, AnswerConverter* converter) {
  const auto parsed = ReferenceJson::Parse(record);
  ASSERT_TRUE(parsed.has_value()) << record;
  const auto rows = converter->Read(PageOf(answer, record));
  ASSERT_TRUE(rows.ok()) << rows.status() << record;
  ASSERT_EQ(rows->size(), 1) << record;
  ASSERT_EQ(
      Difference(ReferenceConvert(answer.record, *parsed, KindOf(answer).context), rows->front()),
      "")
      << record;
}

TEST_P(AnswerTest, ChangedHasTheRowsOfTheReference) {
  const auto parsed = ReferenceJson::Parse(GetParam().text);
  ASSERT_TRUE(parsed.has_value());
  const std::vector<const ReferenceJson*> records = RecordsOf(GetParam(), *parsed);
  JsonMutation mutation(kSeed, AnnotatedKeys::Get().containers);
  AnswerConverter converter(KindOf(GetParam()));
  const size_t rounds =
      std::min(kMostChanged, kChangedBytes * records.size() / GetParam().text.size());
  for (size_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", kSeed, ", round ", round));
    CompareRecord(mutation.Change(std::string(records[round % records.size()]->raw)), GetParam(),
                  &converter);
    // One is enough to read.
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(All, AnswerTest, testing::ValuesIn(payloads::AllAnswers(kSeed)),
                         [](const auto& info) { return info.param.name; });

// The first answer of each kind, whose records hold everything that the others' do,
// and conversations with parts.
std::vector<Answer> OneOfEachKind() {
  std::set<v1::SourceRecord> kinds;
  std::vector<Answer> answers;
  for (Answer& answer : payloads::AllAnswers(kSeed)) {
    if (kinds.insert(answer.record).second || answer.name == "conversation_5_parts") {
      answers.push_back(std::move(answer));
    }
  }
  return answers;
}

class EveryValueTest : public testing::TestWithParam<Answer> {};

TEST_P(EveryValueTest, ExchangedForAnyOtherGivesTheRowsOfTheReference) {
  const auto parsed = ReferenceJson::Parse(GetParam().text);
  ASSERT_TRUE(parsed.has_value());
  AnswerConverter converter(KindOf(GetParam()));
  const std::vector<std::string> exchanged = JsonMutation::Exchanged(
      std::string(RecordsOf(GetParam(), *parsed).front()->raw), AnnotatedKeys::Get().all);
  EXPECT_GT(exchanged.size(), 100);
  for (const std::string& record : exchanged) {
    CompareRecord(record, GetParam(), &converter);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryValueTest, testing::ValuesIn(OneOfEachKind()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace intercom_extractor

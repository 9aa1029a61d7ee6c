#include "tests/benchmarks/payloads/answers.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace intercom_extractor::payloads {
namespace {

using nlohmann::json;

std::map<std::string, Answer> ByName() {
  std::map<std::string, Answer> result;
  for (Answer& answer : AllAnswers(1)) result.emplace(answer.name, std::move(answer));
  return result;
}

size_t BytesPerRecord(const Answer& answer) { return answer.text.size() / answer.records; }

TEST(AnswersTest, AreJsonWithTheRecordsTheySay) {
  for (const Answer& answer : AllAnswers(1)) {
    SCOPED_TRACE(answer.name);
    const json parsed = json::parse(answer.text, nullptr, false);
    ASSERT_TRUE(parsed.is_object());
    if (answer.items.empty()) {
      EXPECT_EQ(answer.records, 1);
    } else {
      ASSERT_TRUE(parsed[answer.items].is_array());
      EXPECT_EQ(parsed[answer.items].size(), answer.records);
    }
  }
}

TEST(AnswersTest, HoldEveryKindOfRecord) {
  std::set<v1::SourceRecord> kinds;
  for (const Answer& answer : AllAnswers(1)) kinds.insert(answer.record);
  for (int kind = v1::SOURCE_RECORD_UNSPECIFIED + 1; kind < v1::SourceRecord_ARRAYSIZE; ++kind) {
    EXPECT_EQ(kinds.count(static_cast<v1::SourceRecord>(kind)), 1) << kind;
  }
}

TEST(AnswersTest, NamesAreUnique) { EXPECT_EQ(ByName().size(), AllAnswers(1).size()); }

TEST(AnswersTest, ContactsHaveTheSizesOfTheirNames) {
  const auto answers = ByName();
  EXPECT_NEAR(BytesPerRecord(answers.at("contacts_1KB")), 1024, 200);
  EXPECT_NEAR(BytesPerRecord(answers.at("contacts_3KB")), 2800, 200);
  EXPECT_NEAR(BytesPerRecord(answers.at("contacts_20KB")), 20 * 1024, 2000);
}

TEST(AnswersTest, OtherOrderHasTheSameContacts) {
  const auto answers = ByName();
  const std::string& usual = answers.at("contacts_3KB").text;
  const std::string& other = answers.at("contacts_3KB_other_order").text;
  EXPECT_NE(usual, other);
  EXPECT_EQ(json::parse(usual), json::parse(other));
}

TEST(AnswersTest, MostFieldsOfAMostlyNullContactAreNull) {
  const auto answers = ByName();
  const json contact = json::parse(answers.at("contacts_mostly_null").text)["data"][0];
  size_t nulls = 0;
  for (const json& member : contact) nulls += member.is_null() ? 1 : 0;
  EXPECT_GT(nulls, contact.size() / 2);
}

TEST(AnswersTest, BodiesAreHtmlWithEscapes) {
  const auto answers = ByName();
  const json parts = json::parse(answers.at("conversation_50_long_parts").text);
  const std::string body =
      parts["conversation_parts"]["conversation_parts"][0]["body"].get<std::string>();
  EXPECT_GT(body.size(), 8000);
  EXPECT_EQ(body.rfind("<p class=\"no-margin\">", 0), 0);
  EXPECT_NE(answers.at("conversation_50_long_parts").text.find(R"(<p class=\"no-)"),
            std::string::npos);
  EXPECT_NE(answers.at("conversation_50_escaped_parts").text.find(R"(\u003cp class=\"no-)"),
            std::string::npos);
}

TEST(AnswersTest, SameSeedGivesTheSameBytes) {
  const std::vector<Answer> first = AllAnswers(7);
  const std::vector<Answer> second = AllAnswers(7);
  const std::vector<Answer> other = AllAnswers(8);
  ASSERT_EQ(first.size(), second.size());
  bool differs = false;
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].text, second[i].text) << first[i].name;
    differs = differs || first[i].text != other[i].text;
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace intercom_extractor::payloads

// What becomes of values that privacy rules are about.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "extractor/tables/converted_rows.h"
#include "extractor/tables/privacy_rules.h"
#include "extractor/tables/request_tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kKey[] = "a key of more than 16 bytes";

class PrivacyConversionTest : public ::testing::Test {
 protected:
  PrivacyConversionTest() { rules_->set_hash_key(kKey); }

  void Column(const std::string& name, const std::string& action) {
    const absl::Status added = rules_->AddColumn(name, *PrivacyRules::ParseAction(action));
    ASSERT_TRUE(added.ok()) << added;
  }
  void Attribute(const std::string& name, const std::string& action) {
    ASSERT_TRUE(rules_->AddAttribute(name, *PrivacyRules::ParseAction(action)).ok());
  }

  ConvertedRows Convert(v1::SourceRecord record, const std::string& json,
                        const std::vector<std::string>& columns = {}) {
    auto tables = RequestTables::Create(TablesNamed({}), columns, rules_);
    EXPECT_TRUE(tables.ok()) << tables.status();
    return ConvertRecordInto(record, json, tables->tables(), {});
  }

  ConvertedRows Contact(const std::string& members, const std::string& role = "user") {
    return Convert(v1::SOURCE_RECORD_CONTACT,
                   absl::StrCat(R"({"id":"c1","role":")", role, "\",", members, "}"));
  }

  // What custom attributes become; nothing when the column is null.
  std::optional<std::string> Attributes(const std::string& json) {
    return Contact(absl::StrCat(R"("custom_attributes":)", json))
        .Cell("users", "custom_attributes");
  }

  static std::string Hash(absl::string_view text) { return HmacHex(kKey, text); }

  const std::shared_ptr<PrivacyRules> rules_ = std::make_shared<PrivacyRules>();
};

const std::optional<std::string> kNull;

TEST_F(PrivacyConversionTest, EachActionDoesWhatItSays) {
  Column("users.email", "hash");
  Column("users.phone", "mask");
  Column("users.name", "leave_out");
  const ConvertedRows rows =
      Contact(R"("email":"ann@example.com","phone":"+44 1","name":"Ann","updated_at":7)");
  EXPECT_EQ(rows.Cell("users", "email"), Hash("ann@example.com"));
  EXPECT_EQ(rows.Cell("users", "phone"), "[masked]");
  EXPECT_EQ(rows.Cell("users", "name"), kNull);
  EXPECT_EQ(rows.Cell("users", "id"), "c1");
  EXPECT_EQ(rows.Cell("users", "updated_at"), "7");
  EXPECT_THAT(rows.notices, IsEmpty());
}

TEST_F(PrivacyConversionTest, NullStaysNullAndTheEmptyTextIsText) {
  Column("users.email", "hash");
  Column("users.phone", "mask");
  for (const char* value : {R"("email":null,"phone":null)", R"("x":1)"}) {
    const ConvertedRows rows = Contact(value);
    EXPECT_EQ(rows.Cell("users", "email"), kNull);
    EXPECT_EQ(rows.Cell("users", "phone"), kNull);
  }
  const ConvertedRows empty = Contact(R"("email":"","phone":"")");
  EXPECT_EQ(empty.Cell("users", "email"), Hash(""));
  EXPECT_EQ(empty.Cell("users", "phone"), "[masked]");
}

TEST_F(PrivacyConversionTest, TheSameTextHasTheSameHashWhereverItStands) {
  Column("*.email", "hash");
  Column("*.user_agent_data", "leave_out");
  Column("users.user_id", "hash");
  Column("companies.company_id", "hash");
  Attribute("number", "hash");
  const std::string members =
      R"("email":"\u0061nn@example.com","external_id":42,"custom_attributes":{"number":"42"})";
  const ConvertedRows user = Contact(members);
  const ConvertedRows lead = Contact(R"("email":"ann@example.com")", "lead");
  const ConvertedRows company =
      Convert(v1::SOURCE_RECORD_COMPANY,
              R"({"id":"1","company_id":"42","custom_attributes":{"number":42}})");
  EXPECT_EQ(user.Cell("users", "email"), Hash("ann@example.com"));
  EXPECT_EQ(lead.Cell("leads", "email"), Hash("ann@example.com"));
  EXPECT_EQ(user.Cell("users", "user_id"), Hash("42"));
  EXPECT_EQ(company.Cell("companies", "company_id"), Hash("42"));
  const std::string attributes = absl::StrCat(R"({"number":")", Hash("42"), "\"}");
  EXPECT_EQ(user.Cell("users", "custom_attributes"), attributes);
  EXPECT_EQ(company.Cell("companies", "custom_attributes"), attributes);
}

TEST_F(PrivacyConversionTest, DerivedAndConstantColumnsAreTreatedToo) {
  Column("segments.person_type", "hash");
  Column("segments.type", "hash");
  Column("admins.email", "mask");
  Column("users.type", "mask");
  Column("users.anonymous", "leave_out");
  const ConvertedRows segment =
      Convert(v1::SOURCE_RECORD_SEGMENT, R"({"id":"s","type":"segment","person_type":"contact"})");
  EXPECT_EQ(segment.Cell("segments", "person_type"), Hash("lead"));
  EXPECT_EQ(segment.Cell("segments", "type"), Hash("segment"));
  const ConvertedRows admin =
      Convert(v1::SOURCE_RECORD_ADMIN, R"({"id":"1","type":"admin","email":"a@b.c"})");
  EXPECT_EQ(admin.Cell("admins", "email"), "[masked]");
  const ConvertedRows team =
      Convert(v1::SOURCE_RECORD_TEAM, R"({"id":"1","type":"team","email":"a@b.c"})");
  EXPECT_EQ(team.Cell("admins", "email"), kNull);
  const ConvertedRows user = Contact(R"("x":1)");
  EXPECT_EQ(user.Cell("users", "type"), "[masked]");
  EXPECT_EQ(user.Cell("users", "anonymous"), kNull);
}

TEST_F(PrivacyConversionTest, LongTextsAndManyRowsComeOutWhole) {
  Column("conversation_parts.body", "hash");
  Column("conversation_parts.part_type", "mask");
  std::string parts;
  for (int i = 0; i < 300; ++i) {
    absl::StrAppend(&parts, i > 0 ? "," : "", R"({"id":"p)", i, R"(","part_type":"c","body":")",
                    std::string(static_cast<size_t>(i * i), 'x'), i, "\"}");
  }
  const ConvertedRows rows = Convert(
      v1::SOURCE_RECORD_CONVERSATION,
      absl::StrCat(R"({"id":"v","conversation_parts":{"conversation_parts":[)", parts, "]}}"));
  ASSERT_EQ(rows.Count("conversation_parts"), 300);
  for (int i = 0; i < 300; ++i) {
    const std::string body = absl::StrCat(std::string(static_cast<size_t>(i * i), 'x'), i);
    EXPECT_EQ(rows.Cell("conversation_parts", i, "body"), Hash(body)) << i;
    EXPECT_EQ(rows.Cell("conversation_parts", i, "id"), absl::StrCat("p", i));
    EXPECT_EQ(rows.Cell("conversation_parts", i, "part_type"), "[masked]");
  }
  EXPECT_THAT(rows.DebugString(), Not(HasSubstr("xxxx")));
}

TEST_F(PrivacyConversionTest, AttributesAreTreatedByName) {
  Attribute("salary", "leave_out");
  Attribute("passport", "mask");
  Attribute("number", "hash");
  EXPECT_EQ(
      Attributes(R"({"salary": 5, "a": [1, {"b":null}], "passport": "X1", "number": "N"})"),
      absl::StrCat(R"({"a":[1,{"b":null}],"passport":"[masked]","number":")", Hash("N"), "\"}"));
  EXPECT_EQ(Attributes(R"({"salary":5})"), "{}");
  EXPECT_EQ(Attributes(R"({"a":1,"salary":5})"), R"({"a":1})");
  EXPECT_EQ(Attributes(R"({"passport":null,"number":null,"salary":null})"),
            R"({"passport":null,"number":null})");
  EXPECT_EQ(Attributes(R"({"passport":true,"number":1.50})"),
            absl::StrCat(R"({"passport":"[masked]","number":")", Hash("1.50"), "\"}"));
  EXPECT_EQ(Attributes(R"({"number":{"x": 1}})"),
            absl::StrCat(R"({"number":")", Hash(R"({"x": 1})"), "\"}"));
}

TEST_F(PrivacyConversionTest, AttributesWithoutARuleAreAsIntercomSentThem) {
  Attribute("salary", "leave_out");
  for (const char* json :
       {R"({ "a" : 1.50 , "b" : "salary" })", "{}", "[]", "[ 1, 2 ]", R"("salary")", "5",
        R"({"Salary": 1})", R"({"a":"\ud83d"})", R"({"salary ":1})"}) {
    EXPECT_EQ(Attributes(json), json);
  }
  EXPECT_EQ(Attributes("null"), kNull);
}

TEST_F(PrivacyConversionTest, ANameIsFoundHoweverItIsWrittenAndHoweverDeep) {
  Attribute("salary", "leave_out");
  Attribute("caf\u00e9 \"x\"", "mask");
  EXPECT_EQ(Attributes(R"({"s\u0061lary":1,"a":2})"), R"({"a":2})");
  EXPECT_EQ(Attributes(R"({"caf\u00e9 \"x\"":1})"), R"({"caf\u00e9 \"x\"":"[masked]"})");
  EXPECT_EQ(Attributes(R"({"salary":1,"salary":2,"a":3,"salary":4})"), R"({"a":3})");
  EXPECT_EQ(Attributes(R"({"order":{"instances":[{"salary":1,"b":2},[{"salary":3}]]}})"),
            R"({"order":{"instances":[{"b":2},[{}]]}})");
  EXPECT_EQ(Attributes(R"([{"salary":1},{"a":1}])"), R"([{},{"a":1}])");
}

TEST_F(PrivacyConversionTest, WhatCannotBeToldApartIsNullAndANotice) {
  Attribute("salary", "leave_out");
  std::string deep;
  for (int i = 0; i < 600; ++i) deep += R"({"a":)";
  deep += "1" + std::string(600, '}');
  for (const std::string& json :
       {std::string(R"({"salary" 5})"), std::string(R"({"a":1,,"salary":5})"),
        std::string(R"({"a":[1,"salary":5]})"), std::string(R"({5:1})"), deep}) {
    const ConvertedRows rows = Contact(absl::StrCat(R"("custom_attributes":)", json));
    if (!rows.status.ok()) continue;
    EXPECT_EQ(rows.Cell("users", "custom_attributes"), kNull) << json;
    ASSERT_THAT(rows.notices, SizeIs(1)) << json;
    EXPECT_EQ(rows.notices[0].code, v1::NOTICE_CODE_VALUE_INVALID);
    EXPECT_THAT(rows.notices[0].message, HasSubstr("custom_attributes: not the JSON"));
    EXPECT_EQ(rows.Cell("users", "id"), "c1");
  }
}

TEST_F(PrivacyConversionTest, AWrongTypeIsANoticeWithoutTheValue) {
  Column("users.email", "hash");
  const ConvertedRows rows = Contact(R"("email":{"planted":"text"})");
  EXPECT_EQ(rows.Cell("users", "email"), kNull);
  ASSERT_THAT(rows.notices, SizeIs(1));
  EXPECT_THAT(rows.notices[0].message, Not(HasSubstr("planted")));
}

TEST_F(PrivacyConversionTest, OnlyColumnsAskedForAndKeysHaveValues) {
  Column("users.email", "mask");
  const ConvertedRows rows = Convert(
      v1::SOURCE_RECORD_CONTACT, R"({"id":"c","role":"user","email":"e","name":"n","phone":"p"})",
      {"*", "users.email", "users.name"});
  EXPECT_EQ(rows.Cell("users", "phone"), "p");
  auto tables = RequestTables::Create(TablesNamed({"users"}), {"email", "name"}, rules_);
  const ConvertedRows some = ConvertRecordInto(
      v1::SOURCE_RECORD_CONTACT, R"({"id":"c","role":"user","email":"e","name":"n","phone":"p"})",
      tables->tables(), {});
  EXPECT_EQ(some.batch.users(0).ShortDebugString(), R"(id: "c" email: "[masked]" name: "n")");
}

}  // namespace
}  // namespace intercom_extractor

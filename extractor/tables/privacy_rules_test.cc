#include "extractor/tables/privacy_rules.h"

#include <string>

#include "absl/status/status.h"
#include "extractor/tables/table_catalog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kLeaveOut = v1::PRIVACY_ACTION_LEAVE_OUT;
constexpr auto kMask = v1::PRIVACY_ACTION_MASK;
constexpr auto kHash = v1::PRIVACY_ACTION_HASH;

std::string ErrorOf(const std::string& name, v1::PrivacyAction action) {
  PrivacyRules rules;
  const absl::Status status = rules.AddColumn(name, action);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << name;
  EXPECT_TRUE(rules.empty());
  return std::string(status.message());
}

v1::PrivacyAction Described(const PrivacyRules& rules, const std::string& table,
                            const std::string& column) {
  v1::TableDescription description = TableCatalog::Get().Find(table)->description;
  rules.Describe(&description);
  for (const auto& described : description.columns()) {
    if (described.name() == column) return described.privacy();
  }
  ADD_FAILURE() << "no " << table << "." << column;
  return v1::PRIVACY_ACTION_UNSPECIFIED;
}

TEST(PrivacyRulesTest, AColumnsOwnRuleComesBeforeThatOfEveryTable) {
  PrivacyRules rules;
  ASSERT_TRUE(rules.AddColumn("users.email", kHash).ok());
  ASSERT_TRUE(rules.AddColumn("*.email", kMask).ok());
  EXPECT_EQ(Described(rules, "users", "email"), kHash);
  EXPECT_EQ(Described(rules, "leads", "email"), kMask);
  EXPECT_EQ(Described(rules, "admins", "email"), kMask);
  EXPECT_EQ(Described(rules, "users", "phone"), v1::PRIVACY_ACTION_UNSPECIFIED);
}

TEST(PrivacyRulesTest, AttributesAreSaidAtTheColumnsThatHaveThem) {
  PrivacyRules rules;
  ASSERT_TRUE(rules.AddAttribute("salary", kLeaveOut).ok());
  v1::TableDescription description = TableCatalog::Get().Find("companies")->description;
  rules.Describe(&description);
  int with = 0;
  for (const auto& column : description.columns()) {
    if (column.attributes().empty()) continue;
    ++with;
    EXPECT_EQ(column.name(), "custom_attributes");
    EXPECT_EQ(column.attributes(0).name(), "salary");
    EXPECT_EQ(column.attributes(0).privacy(), kLeaveOut);
  }
  EXPECT_EQ(with, 1);
}

TEST(PrivacyRulesTest, NamesThatDoNotExistAreRefusedWithTheNearest) {
  EXPECT_EQ(ErrorOf("user.email", kMask), "there is no such table; did you mean users?");
  EXPECT_EQ(ErrorOf("users.e_mail", kMask), "there is no such column; did you mean email?");
  EXPECT_EQ(ErrorOf("*.emial", kMask), "there is no such column; did you mean email?");
  EXPECT_THAT(ErrorOf("users.salary_in_euros", kMask),
              StartsWith("there is no such column; known here: "));
  EXPECT_THAT(ErrorOf("email", kMask), HasSubstr("must be TABLE.COLUMN"));
}

TEST(PrivacyRulesTest, WhatIdentifiesOrJoinsRowsStaysAsItIs) {
  for (const auto action : {kLeaveOut, kMask, kHash}) {
    EXPECT_EQ(ErrorOf("users.id", action),
              "users.id identifies the rows of users and stays as it is");
    EXPECT_EQ(ErrorOf("events_summary.name", action),
              "events_summary.name identifies the rows of events_summary and stays as it is");
    EXPECT_EQ(ErrorOf("users_tags.users_pk", action),
              "users_tags.users_pk identifies the rows of users_tags and stays as it is");
    EXPECT_EQ(ErrorOf("users.owner_id", action),
              "users.owner_id refers to admins.id and stays as it is");
    EXPECT_EQ(ErrorOf("conversation_parts.author_type", action),
              "conversation_parts.author_type says what author_id refers to and stays as it is");
    EXPECT_THAT(ErrorOf("conversations.user_type", action), HasSubstr("says what user_id refers"));
  }
  // None of the columns that join is let through, whatever it is called.
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    for (const auto& column : table.description.columns()) {
      if (column.column().references().empty() && !column.column().primary_key()) continue;
      EXPECT_FALSE(PrivacyRules().AddColumn(table.name() + "." + column.name(), kLeaveOut).ok())
          << table.name() << "." << column.name();
    }
  }
}

TEST(PrivacyRulesTest, ARuleForEveryTableIsRefusedWhereItCannotBeDoneToOne) {
  const std::string error = ErrorOf("*.name", kHash);
  EXPECT_EQ(error,
            "events_summary.name identifies the rows of events_summary and stays as it is; name "
            "the other tables one by one, as TABLE.COLUMN");
}

TEST(PrivacyRulesTest, OnlyTextsAreMaskedOrHashed) {
  EXPECT_EQ(ErrorOf("users.created_at", kHash),
            "users.created_at is no text, hash is for texts; leave_out works for all");
  EXPECT_THAT(ErrorOf("users.location_data_latitude", kMask), HasSubstr("is no text"));
  EXPECT_THAT(ErrorOf("users.anonymous", kMask), HasSubstr("is no text"));
  EXPECT_THAT(ErrorOf("users.custom_attributes", kMask),
              HasSubstr("name single attributes under custom_attributes"));
  EXPECT_THAT(ErrorOf("users.user_agent_data", kHash), HasSubstr("holds JSON"));
  EXPECT_THAT(ErrorOf("events_summary.first", kMask), HasSubstr("holds times"));
  PrivacyRules rules;
  for (const char* name : {"users.created_at", "users.location_data_latitude", "users.anonymous",
                           "users.custom_attributes", "events_summary.first"}) {
    EXPECT_TRUE(rules.AddColumn(name, kLeaveOut).ok()) << name;
  }
}

TEST(PrivacyRulesTest, ActionsHaveNames) {
  EXPECT_EQ(*PrivacyRules::ParseAction("leave_out"), kLeaveOut);
  EXPECT_EQ(PrivacyRules::ActionName(kMask), "mask");
  EXPECT_EQ(std::string(PrivacyRules::ParseAction("encrypt").status().message()),
            "\"encrypt\" cannot be done to a value; known here: leave_out, mask, hash");
  EXPECT_EQ(std::string(PrivacyRules::ParseAction("leave-out").status().message()),
            "\"leave-out\" cannot be done to a value; did you mean leave_out?");
}

std::vector<v1::TableDescription> Tables(const std::vector<std::string>& names) {
  std::vector<v1::TableDescription> tables;
  for (const std::string& name : names) {
    tables.push_back(TableCatalog::Get().Find(name)->description);
  }
  return tables;
}

TEST(PrivacyRulesTest, ADigestTellsWhatHappensToTheTablesInQuestion) {
  PrivacyRules rules;
  EXPECT_EQ(rules.Digest(Tables({"users"})), "");
  ASSERT_TRUE(rules.AddColumn("users.email", kHash).ok());
  rules.set_hash_key("0123456789abcdef");
  const std::string digest = rules.Digest(Tables({"users"}));
  EXPECT_EQ(digest.size(), 32u);
  EXPECT_EQ(rules.Digest(Tables({"leads"})), "");

  PrivacyRules other = rules;
  other.set_hash_key("0123456789abcdeg");
  EXPECT_NE(other.Digest(Tables({"users"})), digest);
  other = rules;
  ASSERT_TRUE(other.AddColumn("users.phone", kMask).ok());
  EXPECT_NE(other.Digest(Tables({"users"})), digest);
  other = rules;
  ASSERT_TRUE(other.AddColumn("leads.phone", kMask).ok());
  EXPECT_EQ(other.Digest(Tables({"users"})), digest);
  other = rules;
  ASSERT_TRUE(other.AddColumn("users.email", kMask).ok());
  EXPECT_NE(other.Digest(Tables({"users"})), digest);
  other = rules;
  ASSERT_TRUE(other.AddAttribute("a", kMask).ok());
  EXPECT_NE(other.Digest(Tables({"users"})), digest);
  // Written otherwise, it is the same.
  PrivacyRules every;
  ASSERT_TRUE(every.AddColumn("*.phone", kMask).ok());
  PrivacyRules one;
  ASSERT_TRUE(one.AddColumn("users.phone", kMask).ok());
  EXPECT_EQ(every.Digest(Tables({"users"})), one.Digest(Tables({"users"})));
  EXPECT_FALSE(every == one);
}

TEST(PrivacyRulesTest, PeopleReadThemInOneLine) {
  PrivacyRules rules;
  ASSERT_TRUE(rules.AddColumn("*.phone", kMask).ok());
  ASSERT_TRUE(rules.AddColumn("notes.body", kLeaveOut).ok());
  ASSERT_TRUE(rules.AddAttribute("salary", kLeaveOut).ok());
  EXPECT_EQ(rules.Summary(), "leaves out notes.body, attribute salary; masks *.phone");
  EXPECT_FALSE(rules.hashes());
  ASSERT_TRUE(rules.AddAttribute("number", kHash).ok());
  EXPECT_TRUE(rules.hashes());
}

// From RFC 4231, test case 2.
TEST(PrivacyRulesTest, HashesAreHmacSha256) {
  EXPECT_EQ(HmacHex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace intercom_extractor

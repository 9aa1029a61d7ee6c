#include "tests/fake_intercom/oracle.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/fake_intercom/changed_since.h"
#include "tests/fake_intercom/csv_directory.h"
#include "tests/fake_intercom/fixed_workspace.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"
#include "tests/fake_intercom/html_to_text.h"

namespace intercom_extractor::fake {
namespace {

using Rows = std::map<std::string, std::vector<OracleRow>>;

Rows Expected(const Workspace& workspace, const OracleOptions& options = {}) {
  Rows rows;
  ExpectedRows(workspace, options, [&](size_t table, const OracleRow& row) {
    EXPECT_EQ(row.size(), OracleTables()[table].columns.size()) << OracleTables()[table].name;
    rows[OracleTables()[table].name].push_back(row);
  });
  return rows;
}

OracleCell Cell(const std::string& table, const std::string& column, const OracleRow& row) {
  for (const OracleTable& described : OracleTables()) {
    if (described.name != table) continue;
    for (size_t i = 0; i < described.columns.size(); ++i) {
      if (described.columns[i] == column) return row.at(i);
    }
  }
  ADD_FAILURE() << "no column " << table << "." << column;
  return "?";
}

FixedRecords OneContact(const std::string& json) {
  FixedRecords records;
  records.contacts.push_back({json, {}, {}, {}, {}, ""});
  return records;
}

// The cell of the one user that `fields` make.
OracleCell UserCell(const std::string& fields, const std::string& column) {
  const FixedWorkspace workspace(
      OneContact(R"({"type":"contact","id":"1","role":"user",)" + fields + "}"));
  return Cell("users", column, Expected(workspace)["users"].at(0));
}

TEST(OracleTest, DocumentedColumnsAreThoseOfTheTablesFile) {
  std::ifstream file("tests/testdata/tables.tsv");
  ASSERT_TRUE(file);
  std::string line;
  std::getline(file, line);
  std::vector<std::pair<std::string, std::string>> documented;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string table;
    std::string position;
    std::string column;
    std::getline(fields, table, '\t');
    std::getline(fields, position, '\t');
    std::getline(fields, column, '\t');
    documented.emplace_back(table, column);
  }
  std::vector<std::pair<std::string, std::string>> ours;
  for (const OracleTable& table : OracleTables()) {
    for (size_t i = 0; i < table.documented; ++i) ours.emplace_back(table.name, table.columns[i]);
  }
  EXPECT_EQ(ours, documented);
  EXPECT_EQ(ours.size(), 183);
}

TEST(OracleTest, NumbersMayBeDecimalStringsAndMustFit) {
  EXPECT_EQ(UserCell(R"("created_at":1700000000)", "created_at"), "1700000000");
  EXPECT_EQ(UserCell(R"("created_at":"1700000000")", "created_at"), "1700000000");
  EXPECT_EQ(UserCell(R"("created_at":9223372036854775807)", "created_at"), "9223372036854775807");
  EXPECT_EQ(UserCell(R"("created_at":9223372036854775808)", "created_at"), std::nullopt);
  EXPECT_EQ(UserCell(R"("created_at":1.5)", "created_at"), std::nullopt);
  EXPECT_EQ(UserCell(R"("created_at":"")", "created_at"), std::nullopt);
  EXPECT_EQ(UserCell(R"("created_at":{})", "created_at"), std::nullopt);
}

TEST(OracleTest, NumbersAreTextInIdColumnsOnly) {
  EXPECT_EQ(UserCell(R"("external_id":12345678901234567890123)", "user_id"),
            "12345678901234567890123");
  EXPECT_EQ(UserCell(R"("owner_id":0)", "owner_id"), "0");
  EXPECT_EQ(UserCell(R"("name":42)", "name"), std::nullopt);
  EXPECT_EQ(UserCell(R"("name":"")", "name"), "");
  EXPECT_EQ(UserCell(R"("name":null)", "name"), std::nullopt);
}

TEST(OracleTest, AvatarIsAnObjectOrAText) {
  EXPECT_EQ(UserCell(R"("avatar":{"image_url":"u"})", "avatar_image_url"), "u");
  EXPECT_EQ(UserCell(R"("avatar":"v")", "avatar_image_url"), "v");
  EXPECT_EQ(UserCell(R"("avatar":{"image_url":null})", "avatar_image_url"), std::nullopt);
}

TEST(OracleTest, UserAgentDataIsNullOnlyWhenAllIs) {
  EXPECT_EQ(UserCell(R"("browser":"a\"b","browser_version":null,"os":7)", "user_agent_data"),
            R"({"browser":"a\"b","browser_version":null,"browser_language":null,"os":null})");
  EXPECT_EQ(UserCell(R"("browser":null)", "user_agent_data"), std::nullopt);
}

TEST(OracleTest, CustomAttributesKeepEveryByte) {
  EXPECT_EQ(UserCell(R"("custom_attributes": { "a" : [1, 2.50], "b":"}\"" })", "custom_attributes"),
            R"({ "a" : [1, 2.50], "b":"}\"" })");
  EXPECT_EQ(UserCell(R"("custom_attributes":{})", "custom_attributes"), "{}");
  EXPECT_EQ(UserCell(R"("x":{"custom_attributes":1})", "custom_attributes"), std::nullopt);
}

TEST(OracleTest, DoublesAreShortest) {
  FixedRecords records;
  records.companies = {R"({"id":"1","monthly_spend":100.0})", R"({"id":"2","monthly_spend":"0.1"})",
                       R"({"id":"3","monthly_spend":"inf"})"};
  const auto rows = Expected(FixedWorkspace(records))["companies"];
  EXPECT_EQ(Cell("companies", "monthly_spend", rows[0]), "100");
  EXPECT_EQ(Cell("companies", "monthly_spend", rows[1]), "0.1");
  EXPECT_EQ(Cell("companies", "monthly_spend", rows[2]), std::nullopt);
}

TEST(OracleTest, UnknownRoleIsInNoTable) {
  EXPECT_TRUE(Expected(FixedWorkspace(OneContact(R"({"id":"1","role":"visitor"})"))).empty());
}

TEST(OracleTest, RoleComesFromTheAuthorElseFromTheWorkspace) {
  FixedRecords records = OneContact(R"({"id":"1","role":"user"})");
  const auto conversation = [&](const std::string& contacts, const std::string& author) {
    FixedRecords::Conversation record;
    record.detail = R"({"type":"conversation","id":"9","source":{"author":)" + author +
                    R"(},"contacts":)" + contacts + "}";
    records.conversations = {record};
    const Rows rows = Expected(FixedWorkspace(records));
    std::string roles;
    const auto customers = rows.find("conversations_customers");
    if (customers == rows.end()) return roles;
    for (const OracleRow& row : customers->second) roles += row[0].value() + " ";
    return roles;
  };
  const std::string known = R"({"contacts":[{"type":"contact","id":"1"},{"id":"2"}]})";
  EXPECT_EQ(conversation(known, R"({"type":"admin","id":"1"})"), "user contact ");
  EXPECT_EQ(conversation(known, R"({"type":"lead","id":"1"})"), "lead contact ");
  EXPECT_EQ(conversation(known, R"({"type":"lead","id":"2"})"), "user lead ");
  EXPECT_EQ(conversation(R"([{"id":"1"}])", "null"), "user ");
  EXPECT_EQ(conversation("null", "null"), "");
}

TEST(OracleTest, AdminWinsOverTeam) {
  const auto assignee = [](const std::string& admin, const std::string& team) {
    FixedRecords records;
    FixedRecords::Conversation record;
    record.detail =
        R"({"id":"9","admin_assignee_id":)" + admin + R"(,"team_assignee_id":)" + team + "}";
    records.conversations = {record};
    const OracleRow row = Expected(FixedWorkspace(records))["conversations"].at(0);
    return Cell("conversations", "assignee_type", row).value() + " " +
           Cell("conversations", "assignee_id", row).value_or("null");
  };
  EXPECT_EQ(assignee("1", "\"2\""), "admin 1");
  EXPECT_EQ(assignee("0", "\"2\""), "team 2");
  EXPECT_EQ(assignee("\"\"", "0"), "nobody_admin null");
  EXPECT_EQ(assignee("null", "null"), "nobody_admin null");
}

TEST(OracleTest, IncrementalRunHasWhatChangedWithItsChildrenAndAllOfTheOtherTables) {
  const GeneratedWorkspace workspace{GeneratorOptions()};
  const Rows all = Expected(workspace);
  for (const int64_t since : {int64_t{0}, kGeneratedNow - 300 * 86'400, kGeneratedNow + 1}) {
    OracleOptions options;
    options.since = ChangedSince::Exactly(since);
    Rows rows = Expected(workspace, options);
    for (const char* whole : {"companies", "admins", "tags", "segments"}) {
      EXPECT_EQ(rows[whole], all.at(whole));
    }
    for (const char* table : {"users", "leads", "conversations"}) {
      std::set<std::string> ids;
      for (const OracleRow& row : rows[table]) {
        ids.insert(Cell(table, "id", row).value());
        const OracleCell updated_at = Cell(table, "updated_at", row);
        if (updated_at) {
          EXPECT_GE(std::stoll(*updated_at), since);
        }
      }
      if (since == 0) {
        EXPECT_EQ(rows[table], all.at(table));
      }
      if (since > kGeneratedNow) {
        EXPECT_TRUE(ids.empty());
      }
      const std::string child = std::string(table) + "_tags";
      const std::string parent = std::string(table) + "_pk";
      size_t children = 0;
      for (const OracleRow& row : all.at(child)) {
        children += ids.count(Cell(child, parent, row).value());
      }
      EXPECT_EQ(rows[child].size(), children) << child;
    }
  }
}

TEST(OracleTest, SecondOfAChangeCountsAndTheNextDoesNot) {
  const FixedWorkspace workspace(OneContact(R"({"id":"1","role":"user","updated_at":"700"})"));
  OracleOptions options;
  options.since = ChangedSince::Exactly(700);
  EXPECT_EQ(Expected(workspace, options)["users"].size(), 1u);
  options.since = ChangedSince::Exactly(701);
  EXPECT_EQ(Expected(workspace, options)["users"].size(), 0u);
}

TEST(OracleTest, RecordsThatDoNotSayWhenTheyChangedAreThoseThatSearchGives) {
  GeneratorOptions generator;
  generator.users = 40;
  generator.leads = 0;
  const GeneratedWorkspace workspace(generator);
  // Each user's own ordinal is its number, but for the visitor at 25.
  constexpr size_t kNull = 5;
  constexpr size_t kAbsentMember = 6;
  constexpr size_t kText = 22;
  for (const size_t contact : {kNull, kAbsentMember, kText}) {
    const int64_t known = workspace.contact_key(contact).updated_at;
    EXPECT_TRUE(ChangedSince::Exactly(known).Contact(workspace, contact));
    EXPECT_FALSE(ChangedSince::Exactly(known + 1).Contact(workspace, contact));
    EXPECT_TRUE(ChangedSince::ByDays(known + 1, "UTC").Contact(workspace, contact));
    EXPECT_FALSE(ChangedSince::ByDays(known + 86'400, "UTC").Contact(workspace, contact));
    ChangedSince listed = ChangedSince::Exactly(known + 1);
    listed.find_deleted = true;
    EXPECT_TRUE(listed.Contact(workspace, contact));
  }
  const FixedWorkspace fixed(OneContact(R"({"id":"1","role":"user","updated_at":null})"));
  EXPECT_FALSE(ChangedSince::Exactly(1).Contact(fixed, 0));
}

TEST(OracleTest, TruncatedPartsAreSaid) {
  GeneratorOptions options;
  options.users = 40;
  options.conversations = 6;
  const GeneratedWorkspace workspace(options);
  Rows rows = Expected(workspace);
  std::vector<std::string> truncated;
  for (const OracleRow& row : rows["conversations"]) {
    truncated.push_back(Cell("conversations", "parts_truncated", row).value_or("null"));
  }
  EXPECT_EQ(truncated,
            (std::vector<std::string>{"false", "false", "false", "false", "true", "true"}));
  EXPECT_EQ(rows["conversation_parts"].size(), 0 + 1 + 499 + 3 * 500);
}

TEST(OracleTest, VanishedContactsKeepTheirRowAndWhatItEmbeds) {
  const GeneratedWorkspace workspace{GeneratorOptions()};
  size_t contact = 0;
  while (workspace.ContactTags(contact).size() != 151) ++contact;
  const OracleCell id = workspace.ContactId(contact);
  const std::string role(workspace.contact_key(contact).role);
  OracleOptions options;
  options.vanished_contacts = {contact};
  options.vanished_conversations = {1};
  Rows rows = Expected(workspace, options);
  const auto count = [&](const std::string& table, const std::string& column) {
    size_t found = 0;
    for (const OracleRow& row : rows[table]) found += Cell(table, column, row) == id ? 1 : 0;
    return found;
  };
  EXPECT_EQ(count(role + "s", "id"), 1);
  EXPECT_EQ(count(role + "s_tags", role + "s_pk"), 10);
  EXPECT_EQ(count(role + "s_segments", role + "s_pk"), 0);
  EXPECT_EQ(count("notes", "user_id"), 0);
  EXPECT_EQ(rows["conversations"].size(), workspace.conversation_count() - 1);
}

TEST(OracleTest, CsvQuotesOnlyWhereNeeded) {
  const OracleRow row = {"plain", std::nullopt, "",     " a\"b ",
                         "c,d",   "e\nf",       "g\rh", "\xE2\x80\xA8"};
  EXPECT_EQ(CsvRecord(row, row.size()),
            "plain,,\"\",\" a\"\"b \",\"c,d\",\"e\nf\",\"g\rh\",\xE2\x80\xA8\n");
  EXPECT_EQ(CsvRecord(row, 2), "plain,\n");
}

TEST(OracleTest, SameSeedSameBytes) {
  GeneratorOptions options;
  options.users = 60;
  const GeneratedWorkspace cached(options);
  options.record_cache_bytes = 0;
  const GeneratedWorkspace lazy(options);
  for (size_t i = 0; i < cached.contact_count(); ++i) {
    std::string a;
    std::string b;
    cached.AppendContact(i, &a);
    lazy.AppendContact(i, &b);
    EXPECT_EQ(a, b);
  }
}

TEST(HtmlToTextTest, LinksBecomeLabelAndUrl) {
  EXPECT_EQ(HtmlToText("<p>See <a href=\"https://example.com/?a=1&amp;b\" rel=\"x\">it</a>.</p>"),
            "See it (https://example.com/?a=1&b).");
  EXPECT_EQ(HtmlToText("a<br>b<br/>c &lt; d &#39;e&#39; 1 < 2"), "a\nb\nc < d 'e' 1 < 2");
  EXPECT_EQ(HtmlToText(""), "");
}

}  // namespace
}  // namespace intercom_extractor::fake

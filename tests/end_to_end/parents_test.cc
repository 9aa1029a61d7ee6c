// What the stream says of contacts and conversations (RowBatch.parents) against the rows
// that came.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "extractor/tables/table_catalog.h"
#include "gmock/gmock.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "proto/v1.h"
#include "tests/end_to_end/extraction_harness.h"
#include "tests/fake_intercom/fake_intercom.h"
#include "tests/fake_intercom/fixed_workspace.h"
#include "tests/fake_intercom/generated_workspace.h"
#include "tests/fake_intercom/generator_options.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// By table and parent.
using Counts = std::map<std::string, std::map<std::string, int64_t>>;

// What a reader of the stream learns of parents.
class Reader {
 public:
  void OnEvent(const v1::ExtractResponse& event) {
    if (!event.has_row_batch()) return;
    const v1::RowBatch& batch = event.row_batch();
    const TableInfo* table = TableCatalog::Get().Find(batch.table());
    const google::protobuf::Reflection* reflection = batch.GetReflection();
    for (int i = 0; i < reflection->FieldSize(batch, table->batch_field); ++i) {
      AddRow(*table, reflection->GetRepeatedMessage(batch, table->batch_field, i));
    }
    for (const v1::ParentRows& parent : batch.parents()) {
      if (!said[table->name()].emplace(parent.id(), parent.rows()).second) {
        twice.push_back(absl::StrCat(table->name(), " ", parent.id()));
      }
      if (parent.has_updated_at()) versions[parent.id()].insert(parent.updated_at());
    }
  }

  // As `said` should be: of each user, lead and conversation that came.
  Counts Expected(const std::vector<std::string>& tables) const {
    Counts expected;
    for (const std::string& name : tables) {
      const v1::Table& table = TableCatalog::Get().Find(name)->description.table();
      if (table.incremental() != v1::INCREMENTAL_PARENT) continue;
      for (const std::string& parents : ParentTables(table)) {
        const auto found = ids.find(parents);
        if (found == ids.end()) continue;
        for (const std::string& id : found->second) expected[name][id] = 0;
      }
      const auto counted = rows.find(name);
      if (counted == rows.end()) continue;
      const bool of_parts = table.parent() == "conversation_parts";
      for (const auto& [id, count] : counted->second) {
        expected[name][of_parts ? part_parents_.at(id) : id] += count;
      }
    }
    return expected;
  }

  Counts said;
  std::vector<std::string> twice;
  std::map<std::string, std::set<int64_t>> versions;
  std::map<std::string, std::set<std::string>> ids;
  std::map<std::string, std::map<std::string, int64_t>> updated_at;
  // Of attachments of parts by part: tables do not wait for each other, so that its
  // conversation may not have been named yet.
  Counts rows;

 private:
  // The tables of what is read and has rows in this one.
  static std::vector<std::string> ParentTables(const v1::Table& table) {
    if (table.parent().empty()) return {"users", "leads"};
    if (table.parent() == "conversation_parts") return {"conversations"};
    return {table.parent()};
  }

  static std::string Text(const google::protobuf::Message& row, const std::string& column) {
    return row.GetReflection()->GetString(row, row.GetDescriptor()->FindFieldByName(column));
  }

  void AddRow(const TableInfo& info, const google::protobuf::Message& row) {
    const v1::Table& table = info.description.table();
    if (table.incremental() == v1::INCREMENTAL_UPDATED_AT) {
      const std::string id = Text(row, "id");
      ids[info.name()].insert(id);
      const auto* field = row.GetDescriptor()->FindFieldByName("updated_at");
      if (row.GetReflection()->HasField(row, field)) {
        updated_at[info.name()][id] = row.GetReflection()->GetInt64(row, field);
      }
    }
    if (table.incremental() != v1::INCREMENTAL_PARENT) return;
    const std::string parent = ParentOf(info, row);
    if (info.name() == "conversation_parts") part_parents_[Text(row, "id")] = parent;
    ++rows[info.name()][parent];
  }

  static std::string ParentOf(const TableInfo& info, const google::protobuf::Message& row) {
    const v1::Table& table = info.description.table();
    const std::string parent = table.parent().empty() ? "users" : table.parent();
    for (const v1::ColumnDescription& column : info.description.columns()) {
      const auto& references = column.column().references();
      if (std::count(references.begin(), references.end(), absl::StrCat(parent, ".id")) > 0) {
        return Text(row, column.name());
      }
    }
    return "";
  }

  std::map<std::string, std::string> part_parents_;
};

std::vector<std::string> AllTables() {
  std::vector<std::string> names;
  for (const TableInfo& table : TableCatalog::Get().tables()) names.push_back(table.name());
  return names;
}

std::shared_ptr<const fake::Workspace> Workspace() {
  fake::GeneratorOptions options;
  options.users = 120;
  options.leads = 60;
  options.companies = 30;
  options.conversations = 60;
  return std::make_shared<fake::GeneratedWorkspace>(options);
}

class ParentsTest : public testing::Test {
 protected:
  Extracted Run(const std::vector<std::string>& tables) {
    harness_.with_parents = true;
    return harness_.Run(tables,
                        [this](const v1::ExtractResponse& event) { reader_.OnEvent(event); });
  }

  ExtractionHarness harness_{Workspace(), fake::FakeIntercomOptions()};
  Reader reader_;
};

TEST_F(ParentsTest, AFullRunSaysOfEachParentHowManyRowsItHas) {
  // Without segments, which a full run reads by segment.
  std::vector<std::string> tables = AllTables();
  tables.erase(
      std::remove_if(tables.begin(), tables.end(),
                     [](const std::string& name) { return absl::EndsWith(name, "_segments"); }),
      tables.end());
  ASSERT_TRUE(Run(tables).status.ok());
  EXPECT_EQ(reader_.said, reader_.Expected(tables));
  EXPECT_THAT(reader_.twice, IsEmpty());
}

TEST_F(ParentsTest, AnIncrementalRunSaysItOfSegmentsToo) {
  harness_.updated_since = 0;
  ASSERT_TRUE(Run(AllTables()).status.ok());
  EXPECT_EQ(reader_.said, reader_.Expected(AllTables()));
  EXPECT_THAT(reader_.twice, IsEmpty());
}

TEST_F(ParentsTest, ConversationsThatNeedNoDetailsSayItWithTheirPage) {
  harness_.body_format = v1::BODY_FORMAT_HTML;
  const std::vector<std::string> tables = {"conversations", "conversations_tags",
                                           "conversations_customers"};
  ASSERT_TRUE(Run(tables).status.ok());
  EXPECT_EQ(reader_.said, reader_.Expected(tables));
  EXPECT_THAT(reader_.twice, IsEmpty());
}

TEST_F(ParentsTest, TheVersionIsTheUpdatedAtOfTheParentsRow) {
  ASSERT_TRUE(Run({"users", "users_tags", "notes"}).status.ok());
  ASSERT_FALSE(reader_.versions.empty());
  for (const auto& [id, versions] : reader_.versions) {
    const auto user = reader_.updated_at["users"].find(id);
    if (user == reader_.updated_at["users"].end()) continue;  // A lead, which has notes.
    EXPECT_THAT(versions, ElementsAre(user->second)) << id;
  }
}

TEST_F(ParentsTest, NobodyHearsOfParentsWithoutAsking) {
  const Extracted got =
      harness_.Run({"users", "users_tags"}, [this](const auto& event) { reader_.OnEvent(event); });
  ASSERT_TRUE(got.status.ok());
  EXPECT_TRUE(reader_.said.empty());
}

TEST(ParentsOfConversationsTest, AnAnswerThatIsReadInPiecesIsCountedOnce) {
  std::string parts;
  constexpr int kParts = 300;
  for (int i = 0; i < kParts; ++i) {
    absl::StrAppend(&parts, i > 0 ? "," : "",
                    PartJson(std::to_string(1000 + i), std::string(4000, 'x')));
  }
  fake::FixedRecords records;
  records.conversations.resize(2);
  records.conversations[0].detail = ConversationJson("1", parts);
  records.conversations[1].detail = ConversationJson("2", "");
  ExtractionHarness harness(std::move(records));
  // Not in memory: the answer is read from a file, piece by piece.
  harness.http_options().max_body_in_memory = size_t{64} << 10;
  harness.with_parents = true;
  Reader reader;
  const Extracted got =
      harness.Run({"conversations", "conversation_parts"},
                  [&reader](const v1::ExtractResponse& event) { reader.OnEvent(event); });
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(reader.said["conversation_parts"],
            (std::map<std::string, int64_t>{{"1", kParts}, {"2", 0}}));
}

TEST(ParentsOfContactsTest, OneThatIsGoneIsLeftOutOfTheListsThatCouldNotBeRead) {
  fake::FixedRecords records;
  records.contacts.resize(1);
  records.contacts[0].json = ContactJson("a", "user");
  ExtractionHarness harness(std::move(records), "vanish:1");
  harness.with_parents = true;
  Reader reader;
  const Extracted got =
      harness.Run({"users", "users_tags", "events_summary"},
                  [&reader](const v1::ExtractResponse& event) { reader.OnEvent(event); });
  ASSERT_TRUE(got.status.ok()) << got.status;
  EXPECT_EQ(reader.said["users_tags"], (std::map<std::string, int64_t>{{"a", 0}}));
  EXPECT_THAT(reader.said["events_summary"], IsEmpty());
}

}  // namespace
}  // namespace intercom_extractor

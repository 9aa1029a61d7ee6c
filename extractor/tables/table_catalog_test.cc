#include "extractor/tables/table_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

// One line of the table list that is promised to users.
struct Promised {
  std::string table;
  int position = 0;
  std::string column;
  std::string type;
  std::string key;
};

std::vector<Promised> ReadPromised() {
  std::ifstream file("tests/testdata/tables.tsv");
  std::vector<Promised> result;
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "table\tposition\tcolumn\ttype\tkey");
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    EXPECT_EQ(cells.size(), 5) << line;
    result.push_back({cells[0], std::stoi(cells[1]), cells[2], cells[3], cells[4]});
  }
  return result;
}

std::vector<std::string> Names(const std::vector<const TableInfo*>& tables) {
  std::vector<std::string> result;
  for (const TableInfo* table : tables) result.push_back(table->name());
  return result;
}

std::string TypeInPromise(const v1::ColumnDescription& column) {
  switch (column.type()) {
    case v1::COLUMN_TYPE_STRING:
      if (column.column().format() == v1::COLUMN_FORMAT_ISO_8601) return "string, ISO 8601";
      // User agent data is built by us; only the documented JSON columns say so.
      if (column.name() == "custom_attributes") return "string, JSON text";
      return "string";
    case v1::COLUMN_TYPE_INT64:
      return column.column().format() == v1::COLUMN_FORMAT_UNIX_SECONDS ? "int64, Unix s" : "int64";
    case v1::COLUMN_TYPE_DOUBLE:
      return "double";
    case v1::COLUMN_TYPE_BOOL:
      return "bool";
    default:
      return "?";
  }
}

TEST(TableCatalogTest, DocumentedColumnsAreExactlyThePromisedOnes) {
  std::vector<std::string> promised;
  for (const Promised& line : ReadPromised()) {
    promised.push_back(absl::StrCat(line.table, " ", line.position, " ", line.column, " ",
                                    line.type, " ", line.key == "PK"));
  }
  std::vector<std::string> ours;
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    for (const v1::ColumnDescription& column : table.description.columns()) {
      if (!column.documented()) continue;
      ours.push_back(absl::StrCat(table.name(), " ", column.number(), " ", column.name(), " ",
                                  TypeInPromise(column), " ", column.column().primary_key()));
    }
  }
  EXPECT_EQ(promised.size(), 183);
  EXPECT_EQ(ours, promised);
}

TEST(TableCatalogTest, EveryPromisedForeignKeySaysWhatItRefersTo) {
  std::map<std::string, v1::ColumnDescription> columns;
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    for (const v1::ColumnDescription& column : table.description.columns()) {
      columns[absl::StrCat(table.name(), ".", column.name())] = column;
    }
  }
  for (const Promised& line : ReadPromised()) {
    const std::string name = absl::StrCat(line.table, ".", line.column);
    EXPECT_GE(columns[name].column().references_size(), line.key == "FK" ? 1 : 0) << name;
    for (const std::string& reference : columns[name].column().references()) {
      EXPECT_TRUE(columns.count(reference)) << name << " refers to " << reference;
    }
  }
}

TEST(TableCatalogTest, ExtensionColumnsAreNumberedFrom101AndStandLast) {
  int extensions = 0;
  for (const TableInfo& table : TableCatalog::Get().tables()) {
    int documented = 0;
    int next_extension = 101;
    for (const v1::ColumnDescription& column : table.description.columns()) {
      if (column.documented()) {
        EXPECT_EQ(next_extension, 101) << table.name() << "." << column.name();
        EXPECT_EQ(column.number(), ++documented) << table.name() << "." << column.name();
      } else {
        EXPECT_EQ(column.number(), next_extension++) << table.name() << "." << column.name();
        ++extensions;
      }
    }
  }
  EXPECT_EQ(extensions, 16);
}

TEST(TableCatalogTest, EveryTableHasKeyEndpointAndDescription) {
  ASSERT_EQ(TableCatalog::Get().tables().size(), 22);
  int index = 0;
  for (const TableInfo& info : TableCatalog::Get().tables()) {
    SCOPED_TRACE(info.name());
    EXPECT_EQ(info.index, index++);
    const v1::Table& table = info.description.table();
    EXPECT_FALSE(table.description().empty());
    EXPECT_TRUE(absl::StrContains(table.endpoint(), "GET /"));
    EXPECT_GT(table.sources_size(), 0);
    EXPECT_GT(table.key_size(), 0);
    for (const std::string& key : table.key()) {
      EXPECT_NE(info.row->FindFieldByName(key), nullptr) << key;
    }
    if (!table.parent().empty()) {
      EXPECT_NE(TableCatalog::Get().Find(table.parent()), nullptr) << table.parent();
    }
    EXPECT_EQ(info.description.row_message(), info.row->full_name());
    EXPECT_EQ(info.batch_field->name(), info.name());
    EXPECT_TRUE(info.batch_field->is_repeated());
    EXPECT_EQ(TableCatalog::Get().Find(info.name()), &info);
  }
}

// Without presence null and 0 would be the same.
TEST(TableCatalogTest, EveryColumnCanBeNull) {
  for (const TableInfo& info : TableCatalog::Get().tables()) {
    for (int i = 0; i < info.row->field_count(); ++i) {
      EXPECT_TRUE(info.row->field(i)->has_presence()) << info.row->field(i)->full_name();
    }
  }
}

TEST(TableCatalogTest, TemplatesHoldTheDocumentedTables) {
  const TableCatalog& catalog = TableCatalog::Get();
  const auto basic = catalog.Select(v1::TEMPLATE_BASIC, {});
  const auto conversations = catalog.Select(v1::TEMPLATE_CONVERSATIONS, {});
  const auto all = catalog.Select(v1::TEMPLATE_ALL, {});
  ASSERT_TRUE(basic.ok() && conversations.ok() && all.ok());
  EXPECT_THAT(
      Names(*basic),
      testing::ElementsAre("users", "users_tags", "users_segments", "users_companies",
                           "users_social_profiles", "notes", "events_summary", "leads",
                           "leads_tags", "leads_segments", "leads_companies",
                           "leads_social_profiles", "companies", "admins", "tags", "segments"));
  EXPECT_THAT(Names(*conversations),
              testing::ElementsAre("conversations", "conversations_attachments",
                                   "conversations_customers", "conversations_tags",
                                   "conversation_parts", "conversation_parts_attachments"));
  EXPECT_EQ(all->size(), 22);
}

TEST(TableCatalogTest, SelectionIsInCatalogOrderWithoutRepeats) {
  const auto chosen =
      TableCatalog::Get().Select(v1::TEMPLATE_CONVERSATIONS, {"tags", "users", "tags"});
  ASSERT_TRUE(chosen.ok());
  EXPECT_THAT(Names(*chosen),
              testing::ElementsAre("users", "tags", "conversations", "conversations_attachments",
                                   "conversations_customers", "conversations_tags",
                                   "conversation_parts", "conversation_parts_attachments"));
}

TEST(TableCatalogTest, UnknownTableNamesTheNearestKnownOne) {
  for (const auto& [wrong, right] : std::map<std::string, std::string>{
           {"user", "users"},
           {"conversation_part", "conversation_parts"},
           {"lead_tags", "leads_tags"},
           {"company", "companies"},
           {"event_summary", "events_summary"},
       }) {
    const auto chosen = TableCatalog::Get().Select(v1::TEMPLATE_BASIC, {wrong});
    EXPECT_EQ(chosen.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(chosen.status().message()),
                HasSubstr(absl::StrCat("\"", wrong, "\"; did you mean \"", right, "\"?")));
  }
}

TEST(TableCatalogTest, LongUnknownNameIsCutInTheMessage) {
  const auto chosen =
      TableCatalog::Get().Select(v1::TEMPLATE_UNSPECIFIED, {std::string(100000, 'x')});
  EXPECT_EQ(chosen.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_LT(chosen.status().message().size(), 300);
}

TEST(TableCatalogTest, AskingForNothingIsRefused) {
  const auto chosen = TableCatalog::Get().Select(v1::TEMPLATE_UNSPECIFIED, {});
  EXPECT_EQ(chosen.status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace intercom_extractor

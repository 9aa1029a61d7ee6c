#include "clients/cli/row_columns.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/test_tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/tables.pb.h"

namespace intercom_extractor {
namespace {

using ::testing::HasSubstr;

struct Texts {
  void Null() { absl::StrAppend(&text, "null;"); }
  void String(absl::string_view value) { absl::StrAppend(&text, "s:", value, ";"); }
  void Int64(int64_t value) { absl::StrAppend(&text, "i:", value, ";"); }
  void Double(double value) { absl::StrAppend(&text, "d:", value, ";"); }
  void Bool(bool value) { absl::StrAppend(&text, value ? "true;" : "false;"); }
  std::string text;
};

std::string Visit(const RowColumns& columns, const std::string& row) {
  Texts texts;
  return columns.VisitRow(row, &texts) ? texts.text : absl::StrCat("refused", texts.text);
}

std::string Visit(const RowColumns& columns, const google::protobuf::Message& row) {
  return Visit(columns, row.SerializeAsString());
}

TEST(RowColumnsTest, EachTableOfThisProgramResolves) {
  const v1::ListTablesResponse all = DescribeAllTables();
  for (const v1::TableDescription& table : all.tables()) {
    auto columns = RowColumns::Resolve(table, ColumnSelection::kAll);
    ASSERT_TRUE(columns.ok()) << columns.status();
    EXPECT_EQ(columns->columns().size(), static_cast<size_t>(table.columns_size()));
  }
}

TEST(RowColumnsTest, DocumentedSelectionLeavesExtensionColumnsOut) {
  const v1::TableDescription table = DescribeTable(*v1::UserSocialProfile::descriptor());
  auto all = RowColumns::Resolve(table, ColumnSelection::kAll);
  auto documented = RowColumns::Resolve(table, ColumnSelection::kDocumented);
  ASSERT_TRUE(all.ok() && documented.ok());
  EXPECT_EQ(all->columns().back().name, "ordinal");
  EXPECT_EQ(documented->columns().back().name, "users_pk");
}

TEST(RowColumnsTest, ExtensionColumnsComeLastWhateverTheServersOrder) {
  v1::TableDescription table = DescribeTable(*v1::UserSocialProfile::descriptor());
  table.mutable_columns()->SwapElements(0, table.columns_size() - 1);
  auto columns = RowColumns::Resolve(table, ColumnSelection::kAll);
  ASSERT_TRUE(columns.ok());
  EXPECT_EQ(columns->columns().back().name, "ordinal");
}

TEST(RowColumnsTest, NullEmptyZeroAndFalseAreDifferent) {
  v1::TableDescription table = DescribeTable(*v1::Company::descriptor());
  auto columns = RowColumns::Resolve(table, ColumnSelection::kAll);
  ASSERT_TRUE(columns.ok());
  v1::Company row;
  const std::string nothing = Visit(*columns, row);
  EXPECT_EQ(nothing.find_first_not_of("nul;"), std::string::npos) << nothing;
  row.set_name("");
  row.set_created_at(0);
  row.set_monthly_spend(0);
  const std::string something = Visit(*columns, row);
  EXPECT_THAT(something, HasSubstr("s:;"));
  EXPECT_THAT(something, HasSubstr("i:0;"));
  EXPECT_THAT(something, HasSubstr("d:0;"));
}

TEST(RowColumnsTest, ColumnOfANewerServerIsReadLikeAnyOther) {
  v1::TableDescription table = DescribeTable(*v1::Tag::descriptor());
  const struct {
    int number;
    v1::ColumnType type;
  } added[] = {{190, v1::COLUMN_TYPE_STRING},
               {191, v1::COLUMN_TYPE_INT64},
               {192, v1::COLUMN_TYPE_DOUBLE},
               {193, v1::COLUMN_TYPE_BOOL},
               {194, v1::COLUMN_TYPE_STRING}};
  for (const auto& column : added) {
    v1::ColumnDescription& description = *table.add_columns();
    description.set_name(absl::StrCat("new_", column.number));
    description.set_number(column.number);
    description.set_type(column.type);
  }
  auto columns = RowColumns::Resolve(table, ColumnSelection::kAll);
  ASSERT_TRUE(columns.ok()) << columns.status();
  v1::Tag row;
  auto* unknown = row.GetReflection()->MutableUnknownFields(&row);
  unknown->AddLengthDelimited(190, "new");
  unknown->AddVarint(191, static_cast<uint64_t>(int64_t{-5}));
  unknown->AddFixed64(192, 0x3ff8000000000000u);  // 1.5
  unknown->AddVarint(193, 1);
  EXPECT_EQ(Visit(*columns, row), "null;null;null;s:new;i:-5;d:1.5;true;null;");
}

TEST(RowColumnsTest, FieldsThatAreNoColumnOrOfAnotherTypeAreSkipped) {
  auto columns = RowColumns::Resolve(DescribeTable(*v1::Tag::descriptor()), ColumnSelection::kAll);
  ASSERT_TRUE(columns.ok());
  v1::Tag row;
  row.set_name("name");
  auto* unknown = row.GetReflection()->MutableUnknownFields(&row);
  unknown->AddVarint(v1::Tag::kIdFieldNumber, 7);
  unknown->AddFixed32(1000, 1);
  unknown->AddFixed64(1001, 1);
  unknown->AddGroup(1002)->AddLengthDelimited(v1::Tag::kNameFieldNumber, "no name");
  EXPECT_EQ(Visit(*columns, row), "null;null;s:name;");
}

TEST(RowColumnsTest, LastOfSeveralValuesCounts) {
  auto columns = RowColumns::Resolve(DescribeTable(*v1::Tag::descriptor()), ColumnSelection::kAll);
  ASSERT_TRUE(columns.ok());
  v1::Tag first;
  first.set_id("1");
  first.set_name("first");
  v1::Tag second;
  second.set_name("");
  EXPECT_EQ(Visit(*columns, first.SerializeAsString() + second.SerializeAsString()),
            "null;s:1;s:;");
}

TEST(RowColumnsTest, RowThatIsCutAnywhereIsReadAsTheMessageWould) {
  auto columns =
      RowColumns::Resolve(DescribeTable(*v1::Company::descriptor()), ColumnSelection::kAll);
  ASSERT_TRUE(columns.ok());
  v1::Company company;
  company.set_id("531ee472cce572a6ec000006");
  company.set_created_at(1394533506);
  company.set_monthly_spend(49.5);
  company.set_custom_attributes(R"({"paid":true})");
  const std::string row = company.SerializeAsString();
  for (size_t size = 0; size < row.size(); ++size) {
    const std::string cut = row.substr(0, size);
    v1::Company parsed;
    const std::string text = Visit(*columns, cut);
    if (parsed.ParseFromString(cut)) {
      EXPECT_EQ(text, Visit(*columns, parsed)) << size;
    } else {
      EXPECT_EQ(text, "refused") << size;
    }
  }
}

TEST(RowColumnsTest, TableOfANewerServerIsAClearError) {
  v1::TableDescription table;
  table.mutable_table()->set_name("calls");
  const absl::Status status = RowColumns::Resolve(table, ColumnSelection::kAll).status();
  EXPECT_TRUE(absl::IsUnimplemented(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("table calls is newer"));
  // A field of the batch that holds no rows is no table.
  table.mutable_table()->set_name("generation");
  EXPECT_FALSE(RowColumns::Resolve(table, ColumnSelection::kAll).ok());
}

TEST(RowColumnsTest, ChangedTypeOfAColumnIsAClearError) {
  v1::TableDescription table = DescribeTable(*v1::Tag::descriptor());
  table.mutable_columns(1)->set_type(v1::COLUMN_TYPE_INT64);
  EXPECT_TRUE(absl::IsUnimplemented(RowColumns::Resolve(table, ColumnSelection::kAll).status()));
}

}  // namespace
}  // namespace intercom_extractor

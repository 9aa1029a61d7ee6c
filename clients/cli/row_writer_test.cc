#include "clients/cli/row_writer.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "clients/cli/row_columns.h"
#include "clients/cli/test_tables.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/tables.pb.h"

namespace intercom_extractor {
namespace {

std::unique_ptr<RowWriter> Writer(RowFormat format, const google::protobuf::Descriptor& table) {
  return NewRowWriter(format, *RowColumns::Resolve(DescribeTable(table), ColumnSelection::kAll));
}

std::string Row(RowFormat format, const google::protobuf::Message& row) {
  std::string out;
  Writer(format, *row.GetDescriptor())->AppendRow(row.SerializeAsString(), &out);
  return out;
}

v1::Tag TagNamed(const std::string& name) {
  v1::Tag tag;
  tag.set_name(name);
  return tag;
}

// The columns of a row message that has one of each type.
v1::TableDescription OneOfEachType() {
  v1::TableDescription all = DescribeTable(*v1::User::descriptor());
  v1::TableDescription some;
  *some.mutable_table() = all.table();
  for (const v1::ColumnDescription& column : all.columns()) {
    for (const char* name : {"id", "created_at", "anonymous", "location_data_latitude"}) {
      if (column.name() == name) *some.add_columns() = column;
    }
  }
  return some;
}

std::string UserRow(RowFormat format, const v1::User& user) {
  std::string out;
  NewRowWriter(format, *RowColumns::Resolve(OneOfEachType(), ColumnSelection::kAll))
      ->AppendRow(user.SerializeAsString(), &out);
  return out;
}

TEST(CsvRowWriterTest, HeaderHasTheColumnsInOrder) {
  std::string out;
  Writer(RowFormat::kCsv, *v1::Tag::descriptor())->AppendHeader(&out);
  EXPECT_EQ(out, "type,id,name\n");
}

TEST(CsvRowWriterTest, NullIsEmptyAndTheEmptyStringIsQuoted) {
  v1::Tag tag;
  EXPECT_EQ(Row(RowFormat::kCsv, tag), ",,\n");
  tag.set_type("");
  EXPECT_EQ(Row(RowFormat::kCsv, tag), "\"\",,\n");
}

TEST(CsvRowWriterTest, QuotesOnlyWhatNeedsThem) {
  EXPECT_EQ(Row(RowFormat::kCsv, TagNamed("plain 'text'; \t é 🎉")), ",,plain 'text'; \t é 🎉\n");
  EXPECT_EQ(Row(RowFormat::kCsv, TagNamed(" spaces ")), ",, spaces \n");
  EXPECT_EQ(Row(RowFormat::kCsv, TagNamed("a,b")), ",,\"a,b\"\n");
  EXPECT_EQ(Row(RowFormat::kCsv, TagNamed("a\nb")), ",,\"a\nb\"\n");
  EXPECT_EQ(Row(RowFormat::kCsv, TagNamed("a\rb")), ",,\"a\rb\"\n");
  EXPECT_EQ(Row(RowFormat::kCsv, TagNamed("a\r\nb")), ",,\"a\r\nb\"\n");
  EXPECT_EQ(Row(RowFormat::kCsv, TagNamed("say \"hi\"")), ",,\"say \"\"hi\"\"\"\n");
  EXPECT_EQ(Row(RowFormat::kCsv, TagNamed("\"")), ",,\"\"\"\"\n");
}

TEST(CsvRowWriterTest, FindsSpecialCharactersAtEachPlaceOfAWord) {
  for (const char special : {',', '\n', '\r'}) {
    for (size_t length = 1; length < 30; ++length) {
      for (size_t at = 0; at < length; ++at) {
        std::string name(length, '\xab');
        name[at] = special;
        EXPECT_EQ(Row(RowFormat::kCsv, TagNamed(name)), ",,\"" + name + "\"\n");
      }
      const std::string neighbours(length, static_cast<char>(special + 1));
      EXPECT_EQ(Row(RowFormat::kCsv, TagNamed(neighbours)), ",," + neighbours + "\n");
    }
  }
}

TEST(CsvRowWriterTest, NumbersAndBools) {
  v1::User user;
  EXPECT_EQ(UserRow(RowFormat::kCsv, user), ",,,\n");
  user.set_created_at(0);
  user.set_anonymous(false);
  user.set_location_data_latitude(0);
  EXPECT_EQ(UserRow(RowFormat::kCsv, user), ",0,false,0\n");
  user.set_created_at(std::numeric_limits<int64_t>::min());
  user.set_anonymous(true);
  user.set_location_data_latitude(100);
  EXPECT_EQ(UserRow(RowFormat::kCsv, user), ",-9223372036854775808,true,100\n");
  user.set_created_at(std::numeric_limits<int64_t>::max());
  user.set_location_data_latitude(-0.0);
  EXPECT_EQ(UserRow(RowFormat::kCsv, user), ",9223372036854775807,true,-0\n");
}

TEST(JsonlRowWriterTest, HasNoHeader) {
  std::string out;
  Writer(RowFormat::kJsonl, *v1::Tag::descriptor())->AppendHeader(&out);
  EXPECT_EQ(out, "");
}

TEST(JsonlRowWriterTest, WritesEveryColumnWithExplicitNulls) {
  EXPECT_EQ(Row(RowFormat::kJsonl, v1::Tag()), "{\"type\":null,\"id\":null,\"name\":null}\n");
  v1::Tag tag = TagNamed("a \"b\"\n🎉");
  tag.set_type("");
  EXPECT_EQ(Row(RowFormat::kJsonl, tag),
            "{\"type\":\"\",\"id\":null,\"name\":\"a \\\"b\\\"\\n🎉\"}\n");
}

TEST(JsonlRowWriterTest, ValuesAreTyped) {
  v1::User user;
  user.set_id("7");
  user.set_created_at(std::numeric_limits<int64_t>::max());
  user.set_anonymous(false);
  user.set_location_data_latitude(1e300);
  EXPECT_EQ(UserRow(RowFormat::kJsonl, user),
            "{\"id\":\"7\",\"created_at\":9223372036854775807,\"anonymous\":false,"
            "\"location_data_latitude\":1e+300}\n");
}

TEST(JsonlRowWriterTest, NotANumberIsNullAsJsonHasNone) {
  v1::User user;
  user.set_location_data_latitude(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(UserRow(RowFormat::kJsonl, user),
            "{\"id\":null,\"created_at\":null,\"anonymous\":null,"
            "\"location_data_latitude\":null}\n");
}

}  // namespace
}  // namespace intercom_extractor

#include "clients/sinks/postgres/copy_rows.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "clients/cli/test_tables.h"
#include "clients/sinks/postgres/postgres_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/extractor_service.pb.h"
#include "intercom/extractor/v1/tables.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

// What PostgreSQL would read: the bytes of each value, or "null".
std::vector<std::string> Values(absl::string_view row) {
  const auto take = [&row](size_t size) {
    const std::string taken(row.substr(0, size));
    row.remove_prefix(taken.size());
    return taken;
  };
  const auto number = [&take](size_t size) {
    int64_t value = 0;
    for (const char c : take(size)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  };
  std::vector<std::string> values(static_cast<size_t>(number(2)));
  for (std::string& value : values) {
    const int64_t length = number(4);
    value = length == 0xFFFFFFFF ? "null" : take(static_cast<size_t>(length));
  }
  EXPECT_EQ(row, "");
  return values;
}

std::string BigEndian(uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

template <typename Row>
PostgresTable TableOf() {
  const v1::ListTablesResponse all = DescribeAllTables();
  return *PostgresTable::Make("raw", DescribeTable(*Row::descriptor()),
                              {all.tables().begin(), all.tables().end()});
}

template <typename Row>
std::vector<std::string> Written(const Row& row) {
  std::string bytes;
  EXPECT_TRUE(AppendCopyRow(TableOf<Row>(), row.SerializeAsString(), &bytes).has_value());
  return Values(bytes);
}

std::string WrittenJson(const std::string& text) {
  v1::User user;
  user.set_user_agent_data(text);
  return Written(user)[13];
}

std::string WrittenTime(int64_t seconds) {
  v1::User user;
  user.set_created_at(seconds);
  return Written(user)[2];
}

TEST(CopyRowsTest, BeginsAndEndsAsTheFormatSays) {
  std::string bytes;
  AppendCopyHeader(&bytes);
  EXPECT_EQ(bytes, std::string("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19));
  bytes.clear();
  AppendCopyTrailer(&bytes);
  EXPECT_EQ(bytes, "\xff\xff");
}

TEST(CopyRowsTest, EachColumnHasItsValueAndNullIsNotEmpty) {
  v1::Tag tag;
  tag.set_id("7");
  tag.set_name("");
  EXPECT_THAT(Written(tag), ElementsAre("null", "7", ""));
}

TEST(CopyRowsTest, NumbersAndFlagsAreBigEndian) {
  v1::User user;
  user.set_session_count(-2);
  user.set_anonymous(true);
  user.set_has_hard_bounced(false);
  user.set_location_data_latitude(1.5);
  const std::vector<std::string> values = Written(user);
  EXPECT_EQ(values[9], BigEndian(static_cast<uint64_t>(-2)));
  EXPECT_EQ(values[12], std::string(1, '\0'));
  EXPECT_EQ(values[16], "\x01");
  EXPECT_EQ(values[22], BigEndian(0x3FF8000000000000));
}

TEST(CopyRowsTest, UnixSecondsAreMicrosecondsSince2000) {
  EXPECT_EQ(WrittenTime(946'684'800), BigEndian(0));
  EXPECT_EQ(WrittenTime(946'684'801), BigEndian(1'000'000));
  EXPECT_EQ(WrittenTime(0), BigEndian(static_cast<uint64_t>(-946'684'800'000'000)));
}

TEST(CopyRowsTest, TimesThatPostgresLacksAreInfinite) {
  const std::string past = BigEndian(static_cast<uint64_t>(std::numeric_limits<int64_t>::min()));
  const std::string future = BigEndian(static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
  EXPECT_NE(WrittenTime(-210'866'803'200), past);
  EXPECT_EQ(WrittenTime(-210'866'803'201), past);
  EXPECT_NE(WrittenTime(9'224'318'015'999), future);
  EXPECT_EQ(WrittenTime(9'224'318'016'000), future);
  EXPECT_EQ(WrittenTime(std::numeric_limits<int64_t>::min()), past);
  EXPECT_EQ(WrittenTime(std::numeric_limits<int64_t>::max()), future);
}

TEST(CopyRowsTest, AZeroCharacterOfATextIsReplaced) {
  v1::Tag tag;
  tag.set_name(std::string("a\0b\0", 4));
  EXPECT_EQ(Written(tag)[2],
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
}

TEST(CopyRowsTest, JsonGoesAsItIs) {
  EXPECT_EQ(WrittenJson(R"({"b": 1.50, "a":[]})"),
            "\x01"
            R"({"b": 1.50, "a":[]})");
  EXPECT_EQ(WrittenJson("123456789012345678901234567890"),
            "\x01"
            "123456789012345678901234567890");
}

TEST(CopyRowsTest, AZeroCharacterInJsonIsReplacedAndABackslashBeforeATextIsNot) {
  EXPECT_EQ(WrittenJson(R"({"a":"x\u0000y"})"),
            "\x01"
            "{\"a\":\"x\xEF\xBF\xBDy\"}");
  EXPECT_EQ(WrittenJson(R"({"a":"x\\u0000y"})"),
            "\x01"
            R"({"a":"x\\u0000y"})");
}

TEST(CopyRowsTest, WhatIsNoJsonIsAStringOfIt) {
  EXPECT_EQ(WrittenJson("no \"json\""),
            "\x01"
            R"("no \"json\"")");
  EXPECT_EQ(WrittenJson(""),
            "\x01"
            R"("")");
  EXPECT_THAT(WrittenJson(R"({"a":"\ud800"})"), StartsWith("\x01\""));
}

TEST(CopyRowsTest, RowsWithTheSameKeyHaveTheSameHash) {
  const PostgresTable table = TableOf<v1::UserTag>();
  const auto hash = [&table](const char* user, const char* tag, const char* type) {
    v1::UserTag row;
    row.set_users_pk(user);
    if (tag != nullptr) row.set_id(tag);
    row.set_type(type);
    std::string bytes;
    return AppendCopyRow(table, row.SerializeAsString(), &bytes);
  };
  EXPECT_EQ(hash("1", "2", "tag"), hash("1", "2", "other"));
  EXPECT_NE(hash("1", "2", "tag"), hash("1", "3", "tag"));
  EXPECT_NE(hash("1", "2", "tag"), hash("2", "1", "tag"));
  EXPECT_NE(hash("1", "", "tag"), hash("1", nullptr, "tag"));
}

TEST(CopyRowsTest, WhatIsNoRowLeavesNothing) {
  std::string bytes = "before";
  EXPECT_EQ(AppendCopyRow(TableOf<v1::Tag>(), "\x0a\x05x", &bytes), std::nullopt);
  EXPECT_EQ(bytes, "before");
}

TEST(CopyRowsTest, ParentsAreRowsOfOneText) {
  std::string bytes;
  AppendCopyText("42", &bytes);
  EXPECT_THAT(Values(bytes), ElementsAre("42"));
}

}  // namespace
}  // namespace intercom_extractor

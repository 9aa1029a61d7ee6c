#include "clients/cli/record_keys.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "clients/cli/test_tables.h"
#include "gtest/gtest.h"
#include "intercom/extractor/v1/tables.pb.h"
#include "proto/v1.h"

namespace intercom_extractor {
namespace {

TEST(RecordKeysTest, LinesAreReadBackAndTellAllKeysApart) {
  const std::vector<std::optional<std::string>> values = {
      std::nullopt,           "",        "a", "\\", "\\N", "\\\\N", "\t", "\n", "\\t", "a\tb",
      std::string("\0\r", 2), "\xc3\xa9"};
  std::set<std::string> lines;
  size_t keys = 0;
  for (const auto& first : values) {
    for (const auto& second : values) {
      const KeyValues key = {first, second};
      const std::string line = JoinKeyLine(key);
      EXPECT_EQ(line.find('\n'), std::string::npos);
      EXPECT_EQ(SplitKeyLine(line), key) << line;
      lines.insert(line);
      ++keys;
    }
  }
  EXPECT_EQ(lines.size(), keys);
}

TEST(RecordKeysTest, OtherLinesAreNoKeys) {
  for (const absl::string_view line : {"\\", "a\\", "\\x", "a\t\\q"}) {
    EXPECT_TRUE(SplitKeyLine(line).empty()) << line;
  }
}

TEST(RecordKeysTest, KeyHasAllKeyColumnsOfARow) {
  const auto keys = RecordKeys::Resolve(DescribeTable(*v1::Admin::descriptor()));
  ASSERT_TRUE(keys.ok()) << keys.status();
  v1::Admin admin;
  admin.set_id("7");
  EXPECT_TRUE(keys->Of(admin.SerializeAsString()).empty()) << "a key of which a part is null";
  admin.set_type("team");
  EXPECT_EQ(keys->Of(admin.SerializeAsString()), (KeyValues{"team", "7"}));
}

TEST(RecordKeysTest, TableWithoutItsKeyColumnIsRefused) {
  v1::TableDescription description = DescribeTable(*v1::Admin::descriptor());
  description.mutable_table()->add_key("workspace");
  EXPECT_TRUE(absl::IsUnimplemented(RecordKeys::Resolve(description).status()));
}

}  // namespace
}  // namespace intercom_extractor

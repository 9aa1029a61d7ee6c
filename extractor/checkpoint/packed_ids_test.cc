#include "extractor/checkpoint/packed_ids.h"

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

using ::testing::UnorderedElementsAreArray;

TEST(PackedIdsTest, AllKindsComeBackAsTheyWere) {
  const std::vector<std::string> ids = {"6657adf76abd0167d9419d00",
                                        "6657adf76abd0167d9419d01",
                                        "7657adf76abd0167d9419d01",
                                        "6657ADF76ABD0167D9419D00",
                                        "0",
                                        "147",
                                        "148",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "007",
                                        "-5",
                                        "+5",
                                        " 5",
                                        "",
                                        std::string("a\0b", 3),
                                        "é",
                                        std::string(300, 'x')};
  const auto unpacked = UnpackIds(PackIds(ids));
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_THAT(*unpacked, UnorderedElementsAreArray(ids));
}

TEST(PackedIdsTest, RepeatedIdsComeOnce) {
  const auto unpacked = UnpackIds(PackIds({"5", "x", "5", "x"}));
  ASSERT_TRUE(unpacked.ok());
  EXPECT_THAT(*unpacked, UnorderedElementsAreArray({"5", "x"}));
}

TEST(PackedIdsTest, NoIdsAreNoIds) {
  for (const std::string& packed : {PackIds({}), std::string()}) {
    const auto unpacked = UnpackIds(packed);
    ASSERT_TRUE(unpacked.ok());
    EXPECT_TRUE(unpacked->empty());
  }
}

// 1,500 parents have to fit into a token of 64 KiB beside everything else.
TEST(PackedIdsTest, ManyIdsTakeFewBytes) {
  std::mt19937_64 random(1);
  std::vector<std::string> contacts;
  std::vector<std::string> conversations;
  for (int i = 0; i < 1500; ++i) {
    contacts.push_back(absl::StrFormat("%08x%016x", 0x6657adf7 + i * 7, random()));
    conversations.push_back(absl::StrCat(215000000000000 + i * 977));
  }
  EXPECT_LE(PackIds(contacts).size(), 1500 * 12U);
  EXPECT_LE(PackIds(conversations).size(), 1500 * 3U);
}

TEST(PackedIdsTest, WhatIsCutShortOrDamagedIsRefusedOrReadButNeverCrashes) {
  const std::string packed = PackIds({"6657adf76abd0167d9419d00", "6657adf76abd0167d9419e01", "12",
                                      "999999999999", "other", "another"});
  for (size_t size = 1; size < packed.size(); ++size) {
    const auto ids = UnpackIds(packed.substr(0, size));
    if (ids.ok()) {
      EXPECT_LT(ids->size(), 6U) << "cut after " << size << " bytes";
    }
  }
  for (size_t at = 0; at < packed.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      (void)UnpackIds(damaged);
    }
  }
}

}  // namespace
}  // namespace intercom_extractor

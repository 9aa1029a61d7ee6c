#include "extractor/pipeline/record_ids.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace intercom_extractor {
namespace {

TEST(RecordIdsTest, IdsOfEveryFormAreKeptApart) {
  const std::vector<std::string> ids = {
      "",
      "1",
      "5ba682d23d7cf92bef87bfd4",
      "5ba682d23d7cf92bef87bfd5",
      "6ba682d23d7cf92bef87bfd4",
      "5ba682d2ad7cf92bef87bfd4",
      "5BA682D23D7CF92BEF87BFD4",
      "5ba682d23d7cf92bef87bfd",
      "05ba682d23d7cf92bef87bfd4",
      "5ba682d23d7cf92bef87bfg4",
      "0",
      "01",
      "00",
      "215473840934",
      "215473840935",
      "9999999999999999999",
      "10000000000000000000",
      "-1",
  };
  RecordIds set;
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_FALSE(set.Contains(ids[i])) << ids[i];
    set.Insert(RecordId(ids[i]));
    set.Insert(RecordId(ids[i]));
    EXPECT_TRUE(set.Contains(ids[i])) << ids[i];
    EXPECT_EQ(set.size(), i + 1);
  }
}

}  // namespace
}  // namespace intercom_extractor

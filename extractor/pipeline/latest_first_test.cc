#include "extractor/pipeline/latest_first.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

constexpr int64_t kStart = 1000;

class LatestFirstTest : public testing::Test {
 protected:
  // How many of the page's records were not read before.
  static int Read(LatestFirst* list, const std::vector<std::pair<std::string, int64_t>>& page) {
    list->BeginPage();
    int fresh = 0;
    for (const auto& [id, updated_at] : page) fresh += list->Add(id, updated_at) ? 1 : 0;
    list->CommitPage();
    return fresh;
  }

  LatestFirst list_{kStart};
};

TEST_F(LatestFirstTest, AListOfOnePageCannotMiss) {
  Read(&list_, {{"1", 900}, {"2", 800}});
  EXPECT_FALSE(list_.MayMiss());
}

TEST_F(LatestFirstTest, WhatIsSortedOtherwiseDoesNotMove) {
  Read(&list_, {{"1", 900}, {"2", 950}});
  Read(&list_, {{"3", 800}});
  EXPECT_FALSE(list_.MayMiss());
  EXPECT_EQ(list_.Save(), "");
}

TEST_F(LatestFirstTest, ARecordThatJumpedToTheFrontIsFound) {
  Read(&list_, {{"1", 900}, {"2", 800}});
  // 3 is updated now and 4 is read.
  Read(&list_, {{"4", 600}});
  ASSERT_TRUE(list_.MayMiss());
  ASSERT_TRUE(list_.CanFind());
  list_.BeginFront();
  EXPECT_EQ(Read(&list_, {{"3", 1001}, {"1", 900}}), 1);
  EXPECT_TRUE(list_.PageChanged());
  EXPECT_EQ(list_.found(), 1);
  EXPECT_EQ(Read(&list_, {{"2", 800}, {"4", 600}}), 0);
  EXPECT_FALSE(list_.PageChanged());
  // And once more, as others may have jumped meanwhile.
  list_.BeginFront();
  EXPECT_EQ(Read(&list_, {{"3", 1001}, {"1", 900}}), 0);
  EXPECT_EQ(list_.found(), 0);
}

TEST_F(LatestFirstTest, ARecordThatShiftedToTheNextPageIsNotReadTwice) {
  Read(&list_, {{"1", 900}, {"2", 800}});
  EXPECT_EQ(Read(&list_, {{"2", 800}, {"3", 700}}), 1);
}

TEST_F(LatestFirstTest, APageThatIsReadAnewCountsOnce) {
  Read(&list_, {{"1", 900}});
  list_.BeginPage();
  list_.Add("2", 800);
  EXPECT_EQ(Read(&list_, {{"2", 800}, {"3", 700}}), 2);
}

TEST_F(LatestFirstTest, GoesOnAfterAResume) {
  Read(&list_, {{"1", 900}, {"2", 800}});
  LatestFirst next(kStart);
  next.Restore(list_.Save(), list_.sorted_otherwise());
  Read(&next, {{"4", 600}});
  ASSERT_TRUE(next.MayMiss());
  ASSERT_TRUE(next.CanFind());
  next.BeginFront();
  EXPECT_EQ(Read(&next, {{"3", 1001}, {"1", 1002}}), 1);
}

TEST_F(LatestFirstTest, WhatIsSortedOtherwiseStaysSoAfterAResumeBeforeItsLastRecord) {
  Read(&list_, {{"1", 900}, {"2", 950}});
  LatestFirst next(kStart);
  next.Restore(list_.Save(), list_.sorted_otherwise());
  EXPECT_EQ(Read(&next, {{"3", 800}}), 1);
  EXPECT_FALSE(next.MayMiss());
}

TEST_F(LatestFirstTest, TooManyIdsAreForgottenAndSaidSo) {
  std::vector<std::pair<std::string, int64_t>> page;
  for (int64_t i = 0; i <= static_cast<int64_t>(LatestFirst::kMaxIds); ++i) {
    page.emplace_back(absl::StrCat(i), 900);
  }
  Read(&list_, page);
  Read(&list_, {{"x", 100}});
  EXPECT_TRUE(list_.MayMiss());
  EXPECT_FALSE(list_.CanFind());
  LatestFirst next(kStart);
  next.Restore(list_.Save(), list_.sorted_otherwise());
  EXPECT_FALSE(next.CanFind());
}

}  // namespace
}  // namespace intercom_extractor

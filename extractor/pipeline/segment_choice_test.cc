#include "extractor/pipeline/segment_choice.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace intercom_extractor {
namespace {

using Contacts = SegmentChoice::Contacts;
using Members = std::vector<std::optional<int64_t>>;

const SegmentChoice kBoth(true, true);
const SegmentChoice kUsers(true, false);
const SegmentChoice kLeads(false, true);

TEST(SegmentChoiceTest, ContactsOfBothRolesAreThoseOfTheList) {
  EXPECT_EQ(kBoth.RequestsPerContact({1000, 100, 50, 0}), 1000);
  EXPECT_EQ(kBoth.RequestsPerContact({std::nullopt, 100, 50, 0}), std::nullopt);
}

TEST(SegmentChoiceTest, ListOfOnePageTellsEachRoleExactly) {
  const Contacts contacts = {100, 70, 20, 10};
  EXPECT_EQ(kBoth.RequestsPerContact(contacts), 90);
  EXPECT_EQ(kUsers.RequestsPerContact(contacts), 70);
  EXPECT_EQ(kLeads.RequestsPerContact(contacts), 20);
}

TEST(SegmentChoiceTest, HalfOfWhatTheFirstPageTellsOfOneRoleCounts) {
  EXPECT_EQ(kUsers.RequestsPerContact({1500, 50, 100, 0}), 250);
  EXPECT_EQ(kLeads.RequestsPerContact({1500, 150, 0, 0}), 0);
}

TEST(SegmentChoiceTest, SearchingTakesAPageOf150MembersOrOneForNone) {
  // 1 + 1 + 2 + 3 pages.
  const Members members = {0, 150, 151, 450};
  EXPECT_TRUE(kBoth.SearchIsCheaper({8, 8, 0, 0}, members));
  EXPECT_FALSE(kBoth.SearchIsCheaper({7, 7, 0, 0}, members));
  EXPECT_TRUE(kUsers.SearchIsCheaper({8, 8, 0, 0}, members));
  EXPECT_FALSE(kLeads.SearchIsCheaper({8, 8, 0, 0}, members));
}

TEST(SegmentChoiceTest, WhatIsNotKnownIsNotCheaper) {
  EXPECT_TRUE(kBoth.SearchIsCheaper({5000, 150, 0, 0}, {3, 4}));
  EXPECT_FALSE(kBoth.SearchIsCheaper({5000, 150, 0, 0}, {3, std::nullopt}));
  EXPECT_FALSE(kBoth.SearchIsCheaper({std::nullopt, 150, 0, 0}, {3, 4}));
}

TEST(SegmentChoiceTest, OneContactIsAskedWithoutCountingSegments) {
  EXPECT_FALSE(kBoth.IsOpen({1, 1, 0, 0}));
  EXPECT_FALSE(kBoth.IsOpen({0, 0, 0, 0}));
  EXPECT_FALSE(kBoth.IsOpen({std::nullopt, 150, 0, 0}));
  EXPECT_TRUE(kBoth.IsOpen({2, 1, 1, 0}));
  EXPECT_FALSE(kLeads.IsOpen({2, 1, 1, 0}));
}

TEST(SegmentChoiceTest, LargeSegmentTakesSomeRequestsMoreForItsWindows) {
  EXPECT_EQ(SegmentChoice::PagesFor(2999).likely, 20);
  EXPECT_GT(SegmentChoice::PagesFor(3000).likely, 20);
  EXPECT_EQ(SegmentChoice::PagesFor(3000).min, 20);
}

}  // namespace
}  // namespace intercom_extractor

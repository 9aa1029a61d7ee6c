#include "extractor/tables/nearest_name.h"

#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

const std::vector<std::string>& Tables() {
  static const auto* const tables = new std::vector<std::string>{"users", "leads", "companies"};
  return *tables;
}

TEST(NearestNameTest, CountsLettersThatDiffer) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("users", "users"), 0u);
  EXPECT_EQ(EditDistance("user", "users"), 1u);
  EXPECT_EQ(EditDistance("usres", "users"), 2u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
}

TEST(NearestNameTest, SuggestsATypingErrorsOrigin) {
  EXPECT_EQ(Suggestion("compnies", Tables()), "did you mean companies?");
  EXPECT_EQ(*NearestName("lead", Tables()), "leads");
}

TEST(NearestNameTest, NamesAllWhenNoneIsNear) {
  EXPECT_EQ(Suggestion("conversations", Tables()), "known here: users, leads, companies");
  EXPECT_EQ(NearestName("x", {}), nullptr);
}

TEST(NearestNameTest, ALongNameIsNoTypingError) {
  EXPECT_FALSE(IsNear(std::string(65, 'u'), std::string(65, 'u')));
  EXPECT_EQ(*NearestName("users" + std::string(100'000, 's'), Tables()), "users");
}

}  // namespace
}  // namespace intercom_extractor

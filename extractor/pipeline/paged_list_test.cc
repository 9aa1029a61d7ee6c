#include "extractor/pipeline/paged_list.h"

#include <initializer_list>
#include <string>

#include "extractor/tables/page_reader.h"
#include "gtest/gtest.h"

namespace intercom_extractor {
namespace {

TEST(UrlEncodeTest, KeepsWhatIsUnreserved) {
  EXPECT_EQ(UrlEncode(""), "");
  EXPECT_EQ(UrlEncode("AZaz09-_.~"), "AZaz09-_.~");
}

TEST(UrlEncodeTest, EscapesEverythingElse) {
  EXPECT_EQ(UrlEncode("a+b/c=\n"), "a%2Bb%2Fc%3D%0A");
  EXPECT_EQ(UrlEncode(" &?#%\"\\\r"), "%20%26%3F%23%25%22%5C%0D");
  EXPECT_EQ(UrlEncode(absl::string_view("\0\x7f\xff", 3)), "%00%7F%FF");
  EXPECT_EQ(UrlEncode("\xc3\xa4"), "%C3%A4");
  EXPECT_EQ(UrlEncode("../me?"), "..%2Fme%3F");
}

PageInfo Page(size_t records) {
  PageInfo info;
  info.records = records;
  return info;
}

TEST(NextPageParameterTest, UnpagedListHasNoNext) { EXPECT_EQ(NextPageParameter(Page(3), 1), ""); }

TEST(NextPageParameterTest, FollowsACursorWhateverThePagesSay) {
  PageInfo info = Page(150);
  info.next_starting_after = "a+b/c\n";
  EXPECT_EQ(NextPageParameter(info, 1), "starting_after=a%2Bb%2Fc%0A");
  info.page = 9;
  info.total_pages = 9;
  info.next_page = 2;
  EXPECT_EQ(NextPageParameter(info, 9), "starting_after=a%2Bb%2Fc%0A");
}

TEST(NextPageParameterTest, FollowsPageNumbers) {
  PageInfo info = Page(60);
  info.page = 2;
  info.total_pages = 3;
  info.next_page = 3;
  EXPECT_EQ(NextPageParameter(info, 2), "page=3");
  info.total_pages.reset();
  EXPECT_EQ(NextPageParameter(info, 2), "page=3");
  info.page.reset();
  EXPECT_EQ(NextPageParameter(info, 2), "page=3");
}

TEST(NextPageParameterTest, LastPageHasNoNext) {
  PageInfo info = Page(60);
  info.page = 3;
  info.total_pages = 3;
  EXPECT_EQ(NextPageParameter(info, 3), "");
  info.next_page = 4;
  EXPECT_EQ(NextPageParameter(info, 3), "") << "beyond the last";
}

TEST(NextPageParameterTest, NeverGoesBack) {
  PageInfo info = Page(60);
  info.next_page = 2;
  EXPECT_EQ(NextPageParameter(info, 2), "");
  EXPECT_EQ(NextPageParameter(info, 3), "");
  info.page = 5;  // The answer knows better than we which page it is.
  EXPECT_EQ(NextPageParameter(info, 1), "");
}

TEST(NextPageParameterTest, EmptyPageIsTheLast) {
  PageInfo info = Page(0);
  info.next_starting_after = "more";
  info.next_page = 2;
  EXPECT_EQ(NextPageParameter(info, 1), "");
  info.malformed = 1;
  EXPECT_EQ(NextPageParameter(info, 1), "starting_after=more") << "had records, if bad ones";
}

// Whether the watch takes a page of these records for a new one.
bool IsNew(ProgressWatch* watch, std::initializer_list<const char*> ids) {
  watch->BeginPage();
  for (const char* id : ids) watch->AddRecord(id);
  return watch->EndPage();
}

TEST(ProgressWatchTest, NoticesAPageThatComesAgain) {
  ProgressWatch watch;
  EXPECT_TRUE(IsNew(&watch, {"1", "2"}));
  EXPECT_TRUE(IsNew(&watch, {"3", "4"}));
  EXPECT_TRUE(IsNew(&watch, {"5"}));
  EXPECT_FALSE(IsNew(&watch, {"3", "4"}));
  EXPECT_FALSE(IsNew(&watch, {"1", "2"}));
}

TEST(ProgressWatchTest, PagesMayOverlap) {
  ProgressWatch watch;
  EXPECT_TRUE(IsNew(&watch, {"1", "2"}));
  EXPECT_TRUE(IsNew(&watch, {"2", "3"}));
  EXPECT_TRUE(IsNew(&watch, {"2"}));
  EXPECT_TRUE(IsNew(&watch, {"12"}));
  EXPECT_TRUE(IsNew(&watch, {"1", "2", "3"}));
}

TEST(ProgressWatchTest, EmptyPagesAreNotCounted) {
  ProgressWatch watch;
  EXPECT_TRUE(IsNew(&watch, {}));
  EXPECT_TRUE(IsNew(&watch, {}));
}

TEST(ProgressWatchTest, PageThatIsReadAnewIsStillTheSamePage) {
  ProgressWatch watch;
  watch.BeginPage();
  watch.AddRecord("1");  // Then the answer turned out malformed.
  EXPECT_TRUE(IsNew(&watch, {"1", "2"}));
  EXPECT_FALSE(IsNew(&watch, {"1", "2"}));
}

}  // namespace
}  // namespace intercom_extractor

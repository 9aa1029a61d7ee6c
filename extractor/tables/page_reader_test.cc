#include "extractor/tables/page_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "extractor/http/response_body.h"
#include "extractor/tables/converted_rows.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kPartsPath[] = "conversation_parts.conversation_parts";

ResponseBody InFile(const std::string& text) {
  ResponseBody body(16);
  EXPECT_TRUE(body.Append(text.data(), text.size()).ok());
  EXPECT_EQ(body.in_file(), text.size() > 16);
  return body;
}

// What reading one answer gives: ids of the records, or why there are none.
struct ReadPage {
  absl::Status status;
  PageInfo info;
  std::vector<std::string> ids;
  std::vector<std::string> malformed;
};

class PageReaderTest : public ::testing::Test {
 protected:
  ReadPage Read(const std::string& text) {
    ResponseBody body = ResponseBody::FromString(text);
    return Take([&](ReadPage* page) {
      return reader_.Read(&body, [=](const PageReader::Record& r) { return OnRecord(r, page); });
    });
  }

  ReadPage Salvage(ResponseBody body) {
    return Take([&](ReadPage* page) {
      return reader_.Salvage(
          &body, [=](const PageReader::Record& r) { return OnRecord(r, page); },
          [=](const std::string& what) { page->malformed.push_back(what); });
    });
  }
  ReadPage Salvage(const std::string& text) { return Salvage(ResponseBody::FromString(text)); }

  // `pages` is JSON text; "" for none.
  PageInfo WithPages(const std::string& pages) {
    const ReadPage page =
        Read(absl::StrCat(R"({"data":[{"id":"1"}])", pages.empty() ? "" : ",\"pages\":", pages,
                          R"(,"total_count":"151"})"));
    EXPECT_TRUE(page.status.ok()) << pages << " " << page.status;
    EXPECT_THAT(page.ids, ElementsAre("1")) << pages;
    EXPECT_EQ(page.info.total_count, 151) << pages;
    return page.info;
  }

 private:
  absl::Status OnRecord(const PageReader::Record& record, ReadPage* page) {
    EXPECT_EQ(record.part, 0);
    page->ids.emplace_back(record.values->Get(shape_, id_, 0).text);
    return absl::OkStatus();
  }

  static ReadPage Take(const std::function<absl::StatusOr<PageInfo>(ReadPage*)>& read) {
    ReadPage page;
    absl::StatusOr<PageInfo> info = read(&page);
    page.status = info.status();
    if (info.ok()) page.info = *std::move(info);
    return page;
  }

  Shape shape_;
  const ValueRef id_ = shape_.AddValue(-1, "id");
  PageReader reader_{{"data", "companies"}, "", &shape_};
};

TEST_F(PageReaderTest, ReadsRecordsAndCounts) {
  const ReadPage page = Read(
      R"({"type":"list","data":[{"id":"a"},{"id":7},{"name":"x"}],"total_count":20,
          "pages":{"type":"pages","page":2,"per_page":3,"total_pages":"7",
                   "next":{"page":3,"starting_after":"WzE2"}},"scroll_param":"s-1"})");
  ASSERT_TRUE(page.status.ok()) << page.status;
  EXPECT_THAT(page.ids, ElementsAre("a", "7", ""));
  EXPECT_EQ(page.info.records, 3);
  EXPECT_EQ(page.info.total_count, 20);
  EXPECT_EQ(page.info.page, 2);
  EXPECT_EQ(page.info.total_pages, 7);
  EXPECT_EQ(page.info.next_page, 3);
  EXPECT_EQ(page.info.next_starting_after, "WzE2");
  EXPECT_EQ(page.info.scroll_param, "s-1");
  EXPECT_TRUE(page.info.complete);
}

TEST_F(PageReaderTest, NoNextPageIsWrittenInManyWays) {
  for (const char* pages :
       {"", "null", "{}", R"({"next":null})", R"({"next":{}})", R"({"next":""})",
        R"({"next":{"page":null,"starting_after":null}})", R"({"next":{"starting_after":""}})",
        R"({"type":"pages","page":1,"per_page":10,"total_pages":0})", "5", R"("x")", "[]",
        R"({"next":5})", R"({"next":[]})", R"({"next":true})"}) {
    const PageInfo info = WithPages(pages);
    EXPECT_EQ(info.next_page, std::nullopt) << pages;
    EXPECT_EQ(info.next_starting_after, std::nullopt) << pages;
  }
}

TEST_F(PageReaderTest, NextPageMayBeAnObject) {
  const PageInfo info = WithPages(
      R"({"next":{"per_page":5,"page":2,"x":{"page":9},"starting_after":"a+b\/\n=="},"page":1})");
  EXPECT_EQ(info.next_page, 2);
  EXPECT_EQ(info.next_starting_after, "a+b/\n==");
  EXPECT_EQ(info.page, 1);
  EXPECT_EQ(WithPages(R"({"next":{"page":"2"}})").next_page, 2);
}

TEST_F(PageReaderTest, NextPageMayBeAUrl) {
  const PageInfo page = WithPages(
      R"({"next":"https:\/\/api.intercom.io\/companies\/list?per_page=60&page=12&order=desc"})");
  EXPECT_EQ(page.next_page, 12);
  EXPECT_EQ(page.next_starting_after, std::nullopt);
  const PageInfo cursor = WithPages(
      R"({"next":"https://api.intercom.io/contacts?starting_after=WzE2%2BMDA%3d%2f%0a&per_page=1"})");
  EXPECT_EQ(cursor.next_starting_after, "WzE2+MDA=/\n");
  EXPECT_EQ(cursor.next_page, std::nullopt);
  for (const char* url : {"https://api.intercom.io/contacts", "?", "?page", "?page=", "?page=x",
                          "?xpage=2", "?starting_after=", "http://h/events?next page"}) {
    const PageInfo none = WithPages(absl::StrCat(R"({"next":")", url, "\"}"));
    EXPECT_EQ(none.next_page, std::nullopt) << url;
    EXPECT_EQ(none.next_starting_after, std::nullopt) << url;
  }
  EXPECT_EQ(WithPages(R"({"next":"?starting_after=100%&x=%4"})").next_starting_after, "100%");
}

// They are added up, and sums would overflow.
TEST_F(PageReaderTest, CountsThatNoWorkspaceHasAreUnknown) {
  for (const char* count : {"-1", "1000000000001", "9223372036854775807"}) {
    const PageInfo info = WithPages(absl::StrCat(R"({"page":)", count, R"(,"total_pages":)", count,
                                                 R"(,"next":{"page":)", count, "}}"));
    EXPECT_EQ(info.page, std::nullopt) << count;
    EXPECT_EQ(info.total_pages, std::nullopt) << count;
    EXPECT_EQ(info.next_page, std::nullopt) << count;
    const ReadPage page = Read(absl::StrCat(R"({"data":[],"total_count":)", count, "}"));
    EXPECT_EQ(page.info.total_count, std::nullopt) << count;
  }
  EXPECT_EQ(Read(R"({"data":[],"total_count":1000000000000})").info.total_count, 1'000'000'000'000);
}

TEST_F(PageReaderTest, CountsOfOtherTypesAreUnknown) {
  for (const char* count : {"null", "{}", "[1]", "true", R"("many")", "1.5", R"("")"}) {
    const ReadPage page = Read(absl::StrCat(
        R"({"total_count":)", count, R"(,"pages":{"page":)", count, R"(,"total_pages":)", count,
        R"(},"scroll_param":{"x":)", count, "}", R"(,"data":[{"id":"1"}]})"));
    ASSERT_TRUE(page.status.ok()) << count << " " << page.status;
    EXPECT_EQ(page.info.total_count, std::nullopt) << count;
    EXPECT_EQ(page.info.page, std::nullopt) << count;
    EXPECT_EQ(page.info.total_pages, std::nullopt) << count;
    EXPECT_EQ(page.info.scroll_param, std::nullopt) << count;
    EXPECT_THAT(page.ids, ElementsAre("1")) << count;
  }
}

TEST_F(PageReaderTest, EmptyListIsAPageWithoutRecords) {
  const ReadPage page =
      Read(R"({"type":"list","data":[],"pages":null,"total_count":null,"scroll_param":"s"})");
  ASSERT_TRUE(page.status.ok());
  EXPECT_THAT(page.ids, IsEmpty());
  EXPECT_EQ(page.info.records, 0);
  EXPECT_EQ(page.info.scroll_param, "s");
}

TEST_F(PageReaderTest, ListMayStandUnderTheSecondKey) {
  EXPECT_THAT(Read(R"({"companies":[{"id":"1"}]})").ids, ElementsAre("1"));
  EXPECT_THAT(Read(R"({"data":null,"companies":[{"id":"1"}]})").ids, ElementsAre("1"));
  EXPECT_THAT(Read(R"({"data":{"data":[]},"companies":[{"id":"1"}]})").ids, ElementsAre("1"));
  EXPECT_THAT(Read(R"({"d\u0061ta":[{"id":"1"}]})").ids, ElementsAre("1"));
}

TEST_F(PageReaderTest, AnswerWithoutItsListIsDataLoss) {
  for (const char* text :
       {"{}", R"({"type":"list"})", R"({"data":null})", R"({"data":{}})", R"({"data":"x"})",
        R"({"type":"error.list","errors":[{"code":"x"}]})", R"({"x":{"data":[{"id":"1"}]}})"}) {
    EXPECT_EQ(Read(text).status.code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_EQ(Salvage(text).status.code(), absl::StatusCode::kDataLoss) << text;
  }
}

TEST_F(PageReaderTest, WhatIsNoJsonObjectIsDataLoss) {
  for (const char* text : {"", " ", "<html>502</html>", "[]", "5", "null", "{", "\xff\xfe"}) {
    EXPECT_EQ(Read(text).status.code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_EQ(Salvage(text).status.code(), absl::StatusCode::kDataLoss) << text;
  }
}

TEST_F(PageReaderTest, ErrorOfTheCallerEndsReading) {
  Shape shape;
  PageReader reader({"data"}, "", &shape);
  ResponseBody body = ResponseBody::FromString(R"({"data":[{},{},{}]})");
  int records = 0;
  const auto cancel = [&](const PageReader::Record&) {
    return ++records == 2 ? absl::CancelledError("enough") : absl::OkStatus();
  };
  EXPECT_EQ(reader.Read(&body, cancel).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(records, 2);
  records = 0;
  EXPECT_EQ(reader.Salvage(&body, cancel, [](const std::string&) {}).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(records, 2);
}

TEST_F(PageReaderTest, MalformedRecordCostsThePageAndSalvageOnlyTheRecord) {
  for (const std::string& bad : std::vector<std::string>{
           R"({"id":tru})", R"({"id":"x" "y":1})", R"({"id":})", R"({"id" "x"})", R"({"id":01})",
           R"({"id":"x"} {"id":"y"})", R"({"id":"x"}})", R"({"id":"x","a":[1})", "null", "5",
           R"("text")", "[]", "", R"({id:"x"})", "{\"id\":\"\xff\"}", "{\"id\":\"a\nb\"}",
           R"({"id":"x",})"}) {
    SCOPED_TRACE(bad);
    const std::string text = absl::StrCat(R"({"data":[{"id":"1"},{"id":"2","a":[{}]},)", bad,
                                          R"(,{"id":"4"}],"pages":{"next":{"page":2}}})");
    EXPECT_EQ(Read(text).status.code(), absl::StatusCode::kDataLoss);
    for (const ReadPage& page : {Salvage(text), Salvage(InFile(text))}) {
      ASSERT_TRUE(page.status.ok()) << page.status;
      EXPECT_THAT(page.ids, ElementsAre("1", "2", "4"));
      EXPECT_EQ(page.info.records, 3);
      EXPECT_THAT(page.malformed, SizeIs(bad.empty() ? 0 : 1));
      EXPECT_EQ(page.info.malformed, bad.empty() ? 0 : 1);
      EXPECT_EQ(page.info.next_page, 2);
      EXPECT_TRUE(page.info.complete);
    }
  }
}

TEST_F(PageReaderTest, SalvageOfAHealthyPageIsTheSame) {
  const std::string text =
      R"( {"type":"list","data":[{"id":"a"} , {"id":7}],"total_count":20,
          "pages":{"next":{"page":3,"starting_after":"W]}["},"page":2},"scroll_param":"s-1"} )";
  const ReadPage read = Read(text);
  for (const ReadPage& page : {Salvage(text), Salvage(InFile(text))}) {
    ASSERT_TRUE(page.status.ok()) << page.status;
    EXPECT_EQ(page.ids, read.ids);
    EXPECT_EQ(page.info.records, read.info.records);
    EXPECT_EQ(page.info.total_count, read.info.total_count);
    EXPECT_EQ(page.info.next_starting_after, read.info.next_starting_after);
    EXPECT_EQ(page.info.scroll_param, read.info.scroll_param);
    EXPECT_TRUE(page.info.complete);
    EXPECT_THAT(page.malformed, IsEmpty());
  }
}

// They were dropped, and the page called complete.
TEST_F(PageReaderTest, RecordsBehindABracketTooManyMakeThePageIncomplete) {
  for (const char* text :
       {R"({"data":[{"id":"1"}]},{"id":"2"}],"total_count":2})",
        R"({"data":[{"id":"1"}]}{"data":[{"id":"2"}]})", R"({"data":[{"id":"1"}]} x)"}) {
    EXPECT_EQ(Read(text).status.code(), absl::StatusCode::kDataLoss) << text;
    const ReadPage page = Salvage(text);
    ASSERT_TRUE(page.status.ok()) << page.status;
    EXPECT_EQ(page.ids.front(), "1") << text;
    EXPECT_FALSE(page.info.complete) << text;
  }
}

// The splitter does not find such a list: its records were dropped in silence.
TEST_F(PageReaderTest, SalvageKeepsRecordsWhoseListIsWrittenWithEscapes) {
  const ReadPage page = Salvage(R"({"d\u0061ta":[{"id":"1"},{"id":"2"}],"total_count":2})");
  ASSERT_TRUE(page.status.ok()) << page.status;
  EXPECT_THAT(page.ids, ElementsAre("1", "2"));
  EXPECT_EQ(page.info.records, 2);
}

TEST_F(PageReaderTest, CutAnswerGivesItsWholeRecords) {
  const std::vector<std::string> records = {R"({"id":"1","x":{"a":[1,"]"]}})", R"({"id":"2"})",
                                            R"({"id":"3","\"}":"{"})"};
  const std::string before = R"({"type":"list","data":[)";
  const std::string text = absl::StrCat(
      before, absl::StrJoin(records, ","),
      R"(],"total_count":151,"pages":{"page":1,"next":{"page":2,"starting_after":"WzE2MDA="}}})");
  for (size_t cut = 0; cut < text.size(); ++cut) {
    SCOPED_TRACE(text.substr(0, cut));
    const ReadPage read = Read(text.substr(0, cut));
    EXPECT_EQ(read.status.code(), absl::StatusCode::kDataLoss);
    const ReadPage page =
        cut % 2 == 0 ? Salvage(text.substr(0, cut)) : Salvage(InFile(text.substr(0, cut)));
    if (cut < before.size()) {
      EXPECT_EQ(page.status.code(), absl::StatusCode::kDataLoss);
      continue;
    }
    ASSERT_TRUE(page.status.ok()) << page.status;
    EXPECT_FALSE(page.info.complete);
    std::vector<std::string> expected;
    size_t end = before.size();
    for (size_t i = 0; i < records.size(); ++i) {
      end += records[i].size();
      if (end <= cut) expected.push_back(std::to_string(i + 1));
      ++end;
    }
    EXPECT_EQ(page.ids, expected);
    EXPECT_THAT(page.malformed, IsEmpty());
    // Half a number or cursor is never taken for a whole one.
    EXPECT_TRUE(page.info.total_count.value_or(151) == 151);
    EXPECT_TRUE(page.info.next_starting_after.value_or("WzE2MDA=") == "WzE2MDA=");
    EXPECT_TRUE(page.info.next_page.value_or(2) == 2);
  }
}

// Rows of one conversation, read in memory or in pieces.
class ConversationReading {
 public:
  ConversationReading() : reader_({}, kPartsPath, converter_.shape()) {}

  ConvertedRows Read(const std::string& text) {
    ResponseBody body = ResponseBody::FromString(text);
    ConvertedRows rows;
    UnitRows unit(TableCatalog::Get().tables().size());
    rows.status = reader_
                      .Read(&body,
                            [&](const PageReader::Record& r) {
                              EXPECT_EQ(r.part, 0);
                              return Convert(r, &unit);
                            })
                      .status();
    return Finish(rows.status, &unit);
  }

  ConvertedRows Salvage(ResponseBody body, std::vector<std::string>* malformed = nullptr) {
    UnitRows unit(TableCatalog::Get().tables().size());
    info_ = reader_.Salvage(
        &body, [&](const PageReader::Record& r) { return Convert(r, &unit); },
        [&](const std::string& what) {
          if (malformed != nullptr) malformed->push_back(what);
        });
    return Finish(info_.status(), &unit);
  }

  const PageInfo& info() const { return *info_; }

  // As the conversation walk does it.
  absl::Status Convert(const PageReader::Record& record, UnitRows* unit) {
    using Part = RecordConverter::Part;
    converter_.Convert(*record.values, {}, unit,
                       record.part == 0   ? Part::kWhole
                       : record.part == 1 ? Part::kWithoutList
                                          : Part::kListOnly,
                       reader_.split_list());
    return absl::OkStatus();
  }

  RecordConverter* converter() { return &converter_; }
  PageReader* reader() { return &reader_; }

 private:
  static ConvertedRows Finish(const absl::Status& status, UnitRows* unit) {
    ConvertedRows rows = ConvertedRows::Of(unit);
    rows.status = status;
    return rows;
  }

  RecordConverter converter_{v1::SOURCE_RECORD_CONVERSATION, TablesNamed({})};
  PageReader reader_;
  absl::StatusOr<PageInfo> info_;
};

std::string MakePart(int number, size_t body_size) {
  return absl::StrCat(
      R"({"type":"conversation_part","id":)", number, R"(,"part_type":"comment","body":"\"\u00e9)",
      std::string(body_size, static_cast<char>('a' + number % 26)), R"(\ud83d","created_at":)",
      number, R"(,"author":{"type":"bot","id":"b)", number,
      R"("},"attachments":[{"name":"x"},{"name":"y)", number, R"("}],"odd":{"]}":"[{"}})");
}

std::string MakeConversation(int parts, size_t body_size) {
  std::string text =
      R"({"type":"conversation","id":"v1","source":{"id":"s1","body":"b","attachments":[{"name":"s"}]},)"
      R"("contacts":{"contacts":[{"id":"u1"}]},"conversation_parts":{"type":"conversation_part.list",)"
      R"("conversation_parts":[)";
  for (int i = 0; i < parts; ++i)
    absl::StrAppend(&text, i == 0 ? "" : " ,", MakePart(i, body_size));
  absl::StrAppend(&text, R"(],"total_count":)", parts,
                  R"(},"tags":{"tags":[{"type":"tag","id":"t1"}]},"title":"after the parts"})");
  return text;
}

TEST(ConversationReadingTest, PiecesGiveTheRowsOfTheWhole) {
  for (const int parts : {0, 1, 2, 10, 500}) {
    for (const size_t body : {size_t{0}, size_t{100}, size_t{70000}}) {
      if (parts == 500 && body > 1000) continue;
      SCOPED_TRACE(absl::StrCat(parts, " parts of ", body));
      const std::string text = MakeConversation(parts, body);
      ConversationReading reading;
      const ConvertedRows whole = reading.Read(text);
      ASSERT_TRUE(whole.status.ok());
      EXPECT_EQ(whole.Count("conversation_parts"), parts);
      EXPECT_EQ(whole.Count("conversation_parts_attachments"), 2 * parts);
      EXPECT_EQ(whole.Cell("conversations", "title"), "after the parts");
      // The same reader again, and a new one.
      EXPECT_EQ(reading.Salvage(InFile(text)).DebugString(), whole.DebugString());
      EXPECT_EQ(reading.info().records, 1);
      EXPECT_TRUE(reading.info().complete);
      EXPECT_EQ(ConversationReading().Salvage(ResponseBody::FromString(text)).DebugString(),
                whole.DebugString());
      EXPECT_EQ(reading.Read(text).DebugString(), whole.DebugString());
    }
  }
}

TEST(ConversationReadingTest, PartsOfTheConverterAddUpToTheWhole) {
  using Part = RecordConverter::Part;
  ConversationReading reading;
  ResponseBody body = ResponseBody::FromString(MakeConversation(7, 50));
  UnitRows whole(TableCatalog::Get().tables().size());
  UnitRows without(TableCatalog::Get().tables().size());
  UnitRows both(TableCatalog::Get().tables().size());
  const int list = reading.reader()->split_list();
  ASSERT_TRUE(reading.reader()
                  ->Read(&body,
                         [&](const PageReader::Record& record) {
                           RecordConverter* converter = reading.converter();
                           converter->Convert(*record.values, {}, &whole);
                           converter->Convert(*record.values, {}, &without, Part::kWithoutList,
                                              list);
                           converter->Convert(*record.values, {}, &both, Part::kWithoutList, list);
                           converter->Convert(*record.values, {}, &both, Part::kListOnly, list);
                           return absl::OkStatus();
                         })
                  .ok());
  const ConvertedRows rest = ConvertedRows::Of(&without);
  EXPECT_EQ(rest.Count("conversations"), 1);
  EXPECT_EQ(rest.Count("conversations_attachments"), 1);
  EXPECT_EQ(rest.Count("conversations_customers"), 1);
  EXPECT_EQ(rest.Count("conversations_tags"), 1);
  EXPECT_EQ(rest.Count("conversation_parts"), 0);
  EXPECT_EQ(rest.Count("conversation_parts_attachments"), 0);
  EXPECT_EQ(ConvertedRows::Of(&both).DebugString(), ConvertedRows::Of(&whole).DebugString());
}

TEST(ConversationReadingTest, OtherShapesInPiecesAreTheWholeToo) {
  for (
      const char* text :
      {R"({"id":"v","conversation_parts":null})", R"({"id":"v"})",
       R"({"id":"v","conversation_parts":{"conversation_parts":[]}})",
       R"({"id":"v","conversation_parts":{"conversation_parts":5}})",
       R"({"id":"v","conversation_parts":[]})",
       R"({"id":"v","conversation_parts":{"conversation_p\u0061rts":[{"id":"p"}]}})",
       R"({"conversation_parts":{"conversation_parts":[{"id":"p"}]},"id":"v"})",
       R"({"conversation_parts":{"conversation_parts":[{"id":"p","attachments":[{"name":5}]}]},"id":"v"})"}) {
    const ConvertedRows whole = ConversationReading().Read(text);
    ASSERT_TRUE(whole.status.ok()) << text;
    EXPECT_EQ(ConversationReading().Salvage(InFile(text)).DebugString(), whole.DebugString())
        << text;
  }
}

TEST(ConversationReadingTest, MalformedPartIsReportedAndTheOthersStay) {
  for (const char* bad : {R"({"id":tru})", R"({"id":"x"} {"id":"y"})", "5",
                          R"({"id":"x","attachments":[{"name":01}]})", R"({"id":"x","a":[1})"}) {
    const std::string text =
        absl::StrCat(R"({"id":"v","conversation_parts":{"conversation_parts":[{"id":"p1"},)", bad,
                     R"(,{"id":"p3","attachments":[{"name":"n"}]}]},"title":"t"})");
    ConversationReading reading;
    std::vector<std::string> malformed;
    const ConvertedRows rows = reading.Salvage(InFile(text), &malformed);
    ASSERT_TRUE(rows.status.ok()) << rows.status;
    EXPECT_THAT(rows.Cells("conversation_parts", "id"), ElementsAre("p1", "p3")) << bad;
    EXPECT_THAT(rows.Cells("conversation_parts_attachments", "name"), ElementsAre("n")) << bad;
    EXPECT_THAT(rows.Cells("conversations", "title"), ElementsAre("t")) << bad;
    EXPECT_THAT(malformed, SizeIs(1)) << bad;
    EXPECT_EQ(reading.info().malformed, 1);
    EXPECT_TRUE(reading.info().complete);
  }
}

TEST(ConversationReadingTest, CutConversationGivesItsWholeParts) {
  const std::string text = MakeConversation(5, 20);
  const size_t fourth = text.find(R"("id":3,)");
  ConversationReading reading;
  const ConvertedRows rows = reading.Salvage(InFile(text.substr(0, fourth)));
  ASSERT_TRUE(rows.status.ok()) << rows.status;
  EXPECT_FALSE(reading.info().complete);
  EXPECT_THAT(rows.Cells("conversation_parts", "id"), ElementsAre("0", "1", "2"));
  EXPECT_EQ(rows.Count("conversation_parts_attachments"), 6);
  EXPECT_THAT(rows.Cells("conversations", "id"), ElementsAre("v1"));
}

// 500 MB, which never stand in memory at once: rows are checked and dropped.
TEST(ConversationReadingTest, PartsOfAMegabyteEachAreReadFromTheFile) {
  constexpr int kParts = 500;
  constexpr size_t kSize = 1 << 20;
  const std::string small = MakeConversation(0, 0);
  const size_t list = small.find(R"("conversation_parts":[)") + 22;
  ResponseBody body(1 << 20);
  ASSERT_TRUE(body.Append(small.data(), list).ok());
  for (int i = 0; i < kParts; ++i) {
    const std::string part = absl::StrCat(i == 0 ? "" : ",", MakePart(i, kSize));
    ASSERT_TRUE(body.Append(part.data(), part.size()).ok());
  }
  ASSERT_TRUE(body.Append(small.data() + list, small.size() - list).ok());
  ASSERT_TRUE(body.in_file());

  ConversationReading reading;
  UnitRows unit(TableCatalog::Get().tables().size());
  int parts = 0;
  int attachments = 0;
  size_t most = 0;
  std::string conversation;
  const auto info = reading.reader()->Salvage(
      &body,
      [&](const PageReader::Record& record) {
        EXPECT_EQ(record.split_count, kParts);
        unit.Clear();
        const absl::Status status = reading.Convert(record, &unit);
        for (const auto& table : unit.tables()) most = std::max(most, table.bytes.size());
        const ConvertedRows rows = ConvertedRows::Of(&unit);
        EXPECT_THAT(rows.notices, record.part == 1 ? SizeIs(2) : SizeIs(0));
        if (record.part == 1) {
          conversation = rows.Cell("conversations", "title").value_or("");
          return status;
        }
        EXPECT_EQ(rows.Cell("conversation_parts", "id"), std::to_string(parts));
        EXPECT_EQ(rows.Cell("conversation_parts", "conversations_pk"), "v1");
        const std::string text = rows.Cell("conversation_parts", "body").value_or("");
        EXPECT_EQ(text.size(), kSize + 6);
        EXPECT_EQ(text.substr(text.size() - 3), "\uFFFD");
        attachments += rows.Count("conversation_parts_attachments");
        ++parts;
        return status;
      },
      [](const std::string& what) { ADD_FAILURE() << what; });
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(info->complete);
  EXPECT_EQ(parts, kParts);
  EXPECT_EQ(attachments, 2 * kParts);
  EXPECT_EQ(conversation, "after the parts");
  EXPECT_LT(most, 2 * kSize);
}

}  // namespace
}  // namespace intercom_extractor

#include "extractor/tables/body_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "extractor/http/response_body.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Paths = std::vector<std::vector<std::string>>;

// The splitter reads bodies in pieces of this size.
constexpr size_t kPiece = 64 << 10;

// What a split gives, with the elements' texts instead of their places.
struct Split {
  std::string rest;
  std::vector<std::string> elements;
  bool complete = false;
};

Split SplitText(const std::string& text, const Paths& paths, bool in_file = false) {
  ResponseBody body(in_file ? 0 : text.size());
  EXPECT_TRUE(body.Append(text.data(), text.size()).ok());
  EXPECT_EQ(body.in_file(), in_file && !text.empty());
  const absl::StatusOr<SplitBody> split = SplitAtList(body, paths);
  EXPECT_TRUE(split.ok()) << split.status();
  if (!split.ok()) return {};
  Split result{split->rest, {}, split->complete};
  for (const SplitBody::Slice& slice : split->elements) {
    // Spaces behind an element belong to no element.
    std::string element = text.substr(slice.offset, slice.size);
    absl::StripTrailingAsciiWhitespace(&element);
    result.elements.push_back(element);
  }
  return result;
}

TEST(BodySplitterTest, TakesTheElementsOutOfTheirList) {
  const Split split =
      SplitText(R"({"type":"list","data":[{"id":1},{"id":[2]}],"pages":null})", {{"data"}});
  EXPECT_EQ(split.rest, R"({"type":"list","data":[],"pages":null})");
  EXPECT_THAT(split.elements, ElementsAre(R"({"id":1})", R"({"id":[2]})"));
  EXPECT_TRUE(split.complete);
}

TEST(BodySplitterTest, FindsAListBelowOtherKeys) {
  const Split split = SplitText(
      R"({"parts":[0],"a":{"parts":[1]},"parts":{"x":{"parts":[2]},"parts":[{"y":3},4]}})",
      {{"parts", "parts"}});
  EXPECT_EQ(split.rest,
            R"({"parts":[0],"a":{"parts":[1]},"parts":{"x":{"parts":[2]},"parts":[]}})");
  EXPECT_THAT(split.elements, ElementsAre(R"({"y":3})", "4"));
}

TEST(BodySplitterTest, ListInAListOfTheSameNameStays) {
  const Split split = SplitText(R"({"data":[{"data":[1,2]},{"data":[]}]})", {{"data"}});
  EXPECT_THAT(split.elements, ElementsAre(R"({"data":[1,2]})", R"({"data":[]})"));
  EXPECT_THAT(SplitText(R"([{"data":[1,2]}])", {{"data"}}).elements, IsEmpty());
}

// Otherwise the half of a record that comes before the cut would stay in the rest, as one.
TEST(BodySplitterTest, KeysMayBeWrittenWithEscapes) {
  const Split split =
      SplitText(R"({"\u0070art\u0073":{"\/\"":[{"id":1},{"id":2,"na)", {{"parts", "/\""}});
  EXPECT_EQ(split.rest, R"({"\u0070art\u0073":{"\/\"":[]}})");
  EXPECT_THAT(split.elements, ElementsAre(R"({"id":1})"));
  EXPECT_FALSE(split.complete);
}

TEST(BodySplitterTest, FirstPathThatLeadsToAListCounts) {
  const Paths paths = {{"data"}, {"companies"}};
  EXPECT_THAT(SplitText(R"({"data":null,"companies":[1]})", paths).elements, ElementsAre("1"));
  // Both hold a list: as in memory, the first in the text.
  const Split split = SplitText(R"({"companies":[1],"data":[2]})", paths);
  EXPECT_THAT(split.elements, ElementsAre("1"));
  EXPECT_EQ(split.rest, R"({"companies":[],"data":[2]})");
}

TEST(BodySplitterTest, BracketsAndQuotesInTextsMeanNothing) {
  const Split split =
      SplitText(R"({"a":"\"data\":[","b":"]}\\","data":[{"x":"}],\\"},{"\"]":"\\\"]"}],"c":"["})",
                {{"data"}});
  EXPECT_EQ(split.rest, R"({"a":"\"data\":[","b":"]}\\","data":[],"c":"["})");
  EXPECT_THAT(split.elements, ElementsAre(R"({"x":"}],\\"})", R"({"\"]":"\\\"]"})"));
}

TEST(BodySplitterTest, SpacesBetweenElementsAreDropped) {
  const Split split =
      SplitText("{ \"data\" : [ \n {\"a\" : 1} \t,\r\n{\"b\":2} ] , \"c\": 1 }", {{"data"}});
  EXPECT_EQ(split.rest, "{ \"data\" : [] , \"c\": 1 }");
  EXPECT_THAT(split.elements, ElementsAre("{\"a\" : 1}", "{\"b\":2}"));
}

TEST(BodySplitterTest, WithoutPathOrListEverythingIsRest) {
  const std::string text = R"({"data":{"data":[1]},"list":[1,2]})";
  for (const Paths& paths : {Paths{}, Paths{{"data"}}, Paths{{"other"}}}) {
    const Split split = SplitText(text, paths);
    EXPECT_EQ(split.rest, text);
    EXPECT_THAT(split.elements, IsEmpty());
    EXPECT_TRUE(split.complete);
  }
}

TEST(BodySplitterTest, WhatIsNoJsonIsNotComplete) {
  for (const char* text : {"", "   ", "{", "[", R"({"data":[1)", R"({"data":[1]")", "\"", "{\"}"}) {
    EXPECT_FALSE(SplitText(text, {{"data"}}).complete) << text;
  }
}

TEST(BodySplitterTest, WrongBracketCostsOnlyItsElement) {
  for (const char* bad : {R"({"id":"bad","x":[1})", R"({"id":"bad"}})", R"({"id":"bad"]})",
                          R"({"id":"bad","x":[[{"y":[}]})", R"([{"id":"bad"])"}) {
    const Split split = SplitText(
        absl::StrCat(R"({"data":[{"id":"1"},)", bad, R"(,{"id":"3"}],"pages":null})"), {{"data"}});
    EXPECT_EQ(split.rest, R"({"data":[],"pages":null})") << bad;
    EXPECT_THAT(split.elements, ElementsAre(R"({"id":"1"})", bad, R"({"id":"3"})")) << bad;
    EXPECT_TRUE(split.complete) << bad;
  }
}

TEST(BodySplitterTest, MissingClosingBraceIsNeverTakenForAWholeAnswer) {
  for (const char* text : {R"({"data":[{"id":"1"},{"id":"2","x":{"y":1},{"id":"3"}],"pages":null})",
                           R"({"data":[{"id":"1"},{"id":"2","x":"open},{"id":"3"}],"pages":null})",
                           R"({"data":[{"id":"1"},{"id":"3"},"pages":null})"}) {
    const Split split = SplitText(text, {{"data"}});
    EXPECT_FALSE(split.complete) << text;
    ASSERT_FALSE(split.elements.empty()) << text;
    EXPECT_EQ(split.elements[0], R"({"id":"1"})");
    EXPECT_EQ(split.rest, R"({"data":[]})") << text;
  }
}

TEST(BodySplitterTest, DeepNestingIsFollowed) {
  const std::string deep = std::string(300000, '[') + std::string(300000, ']');
  const Split split =
      SplitText(absl::StrCat(R"({"x":)", deep, R"(,"data":[)", deep, "]}"), {{"data"}});
  EXPECT_EQ(split.rest, absl::StrCat(R"({"x":)", deep, R"(,"data":[]})"));
  EXPECT_THAT(split.elements, ElementsAre(deep));
}

TEST(BodySplitterTest, TooMuchOutsideTheListIsRefused) {
  ResponseBody body(0);
  const std::string piece(1 << 20, 'x');
  ASSERT_TRUE(body.Append("{\"x\":\"", 6).ok());
  for (int i = 0; i < 65; ++i) ASSERT_TRUE(body.Append(piece.data(), piece.size()).ok());
  EXPECT_EQ(SplitAtList(body, {{"data"}}).status().code(), absl::StatusCode::kResourceExhausted);
}

// Random JSON texts, with spaces and strings full of what means something
// elsewhere.
class RandomJson {
 public:
  explicit RandomJson(uint32_t seed) : random_(seed) {}

  int Up(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

  std::string Space() {
    static constexpr const char* kSpaces[] = {"", "", "", " ", "\n", "\t", "\r\n", "  "};
    return kSpaces[Up(8)];
  }

  std::string String() {
    static constexpr const char* kPieces[] = {"a",       "data", "[", "]",       "{",    "}",
                                              ",",       ":",    "é", "\\\"",    "\\\\", "\\n",
                                              "\\u005b", "😀",   " ", "\\ud800", "\\/",  "parts"};
    std::string result = "\"";
    for (int i = Up(6); i > 0; --i) result += kPieces[Up(18)];
    return result + "\"";
  }

  std::string Key() {
    static constexpr const char* kKeys[] = {"\"data\"", "\"parts\"", "\"x\"", "\"\""};
    return Up(3) == 0 ? String() : kKeys[Up(4)];
  }

  std::string Value(int depth) {
    static constexpr const char* kScalars[] = {"null", "true", "false", "0", "-1.5e3", "123456"};
    const int kind = Up(depth > 0 ? 5 : 3);
    if (kind < 2) return kScalars[Up(6)];
    if (kind == 2) return String();
    std::vector<std::string> parts;
    for (int i = Up(4); i > 0; --i) {
      parts.push_back(absl::StrCat(Space(), kind == 3 ? "" : Member(depth - 1),
                                   kind == 3 ? Value(depth - 1) : "", Space()));
    }
    const std::string inside = absl::StrJoin(parts, ",");
    return kind == 3 ? absl::StrCat("[", inside, "]") : absl::StrCat("{", inside, "}");
  }

  std::string Member(int depth) { return absl::StrCat(Key(), Space(), ":", Space(), Value(depth)); }

 private:
  std::mt19937 random_;
};

// A text made of what stands before the list, its elements and what follows.
struct Document {
  Paths path;
  std::string before;
  std::vector<std::string> elements;
  std::string after;
  std::string text;
};

Document MakeDocument(RandomJson* random) {
  Document result;
  std::vector<std::string> path;
  const int depth = 1 + random->Up(3);
  for (int i = 0; i < depth; ++i) path.push_back(random->Up(2) == 0 ? "data" : "parts");
  result.path = {path};
  result.before = random->Space();
  for (int i = 0; i < depth; ++i) {
    result.before += "{";
    // Other members, but none of the path's name: which list counts is tested above.
    for (int j = random->Up(3); j > 0; --j) {
      absl::StrAppend(&result.before, random->Space(), "\"_", j, "\":", random->Value(3),
                      random->Space(), ",");
    }
    absl::StrAppend(&result.before, random->Space(), "\"", path[i], "\"", random->Space(), ":",
                    random->Space());
  }
  result.before += "[";
  std::string list;
  for (int i = random->Up(5); i > 0; --i) {
    result.elements.push_back(random->Value(4));
    absl::StrAppend(&list, list.empty() ? "" : ",", random->Space(), result.elements.back(),
                    random->Space());
  }
  if (result.elements.empty()) list = random->Space();
  result.after = "]";
  for (int i = 0; i < depth; ++i) {
    for (int j = random->Up(3); j > 0; --j) {
      absl::StrAppend(&result.after, random->Space(), ",", "\"~", j, "\":", random->Value(3));
    }
    absl::StrAppend(&result.after, random->Space(), "}");
  }
  result.after += random->Space();
  result.text = absl::StrCat(result.before, list, result.after);
  return result;
}

TEST(BodySplitterPropertyTest, RestAndElementsAreTheDocument) {
  for (uint32_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    RandomJson random(seed);
    const Document document = MakeDocument(&random);
    const Split split = SplitText(document.text, document.path, seed % 8 == 0);
    ASSERT_EQ(split.rest, document.before + document.after) << document.text;
    ASSERT_EQ(split.elements, document.elements) << document.text;
    ASSERT_TRUE(split.complete) << document.text;
  }
}

TEST(BodySplitterPropertyTest, CutTextGivesTheElementsThatCameAndSoundRest) {
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    RandomJson random(seed);
    Document document = MakeDocument(&random);
    // Objects, of which can be told where they end.
    for (std::string& element : document.elements) {
      element = absl::StrCat("{\"e\":", element, "}");
    }
    document.text =
        absl::StrCat(document.before, absl::StrJoin(document.elements, " , "), document.after);
    std::string trimmed = document.text;
    absl::StripTrailingAsciiWhitespace(&trimmed);
    for (size_t cut = 0; cut < trimmed.size(); ++cut) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, " cut at ", cut, " of ", document.text));
      const Split split = SplitText(trimmed.substr(0, cut), document.path);
      ASSERT_FALSE(split.complete);
      size_t end = document.before.size();
      std::vector<std::string> expected;
      for (const std::string& element : document.elements) {
        end += element.size();
        if (end > cut) break;
        expected.push_back(element);
        end += 3;
      }
      ASSERT_EQ(split.elements, expected);
      if (document.text.substr(0, cut).find('{') == std::string::npos) continue;
      // A lone surrogate is no JSON to nlohmann: those documents are for the test above.
      if (document.text.find("\\ud800") != std::string::npos) continue;
      ASSERT_TRUE(nlohmann::json::accept(split.rest)) << split.rest;
    }
  }
}

// Each byte of a text comes once as the last of a piece.
TEST(BodySplitterPropertyTest, BordersOfPiecesMeanNothing) {
  const std::string list = R"({"i\"d":"1\\"},{"n":[{"x":"]}"}]} , {"é":"\\\"😀"},[1,"]"], 25)";
  const std::vector<std::string> elements = {R"({"i\"d":"1\\"})", R"({"n":[{"x":"]}"}]})",
                                             R"({"é":"\\\"😀"})", R"([1,"]"])", "25"};
  const std::string key = R"(","\u0064":1,"parts":{"data":[)";
  const std::string after = R"(],"total":12},"pages":{"next":null}})";
  const size_t window = key.size() + list.size() + after.size();
  for (size_t border = 0; border <= window; ++border) {
    const std::string before =
        absl::StrCat("{\"p\":\"", std::string(kPiece - 6 - border, 'x'), key);
    const Split split =
        SplitText(absl::StrCat(before, list, after), {{"parts", "data"}}, border % 2 == 0);
    ASSERT_EQ(split.rest, before + after) << border;
    ASSERT_EQ(split.elements, elements) << border;
    ASSERT_TRUE(split.complete) << border;
  }
}

}  // namespace
}  // namespace intercom_extractor

#include "extractor/tables/record_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace intercom_extractor {
namespace {

using ::testing::ElementsAre;
using Kind = JsonValue::Kind;

// Reads records from a buffer that is exactly as long as promised, text and
// padding, so that a sanitizer sees every byte read beyond.
class RecordReaderTest : public ::testing::Test {
 protected:
  absl::Status Read(const std::string& json) {
    text_.reset(new char[json.size() + JsonDocument::kPadding]);
    std::memcpy(text_.get(), json.data(), json.size());
    // What stood in the buffer before must not matter: a key and its quotes.
    for (size_t i = 0; i < JsonDocument::kPadding; ++i) {
      text_[json.size() + i] = "\"id\":5}]"[i % 8];
    }
    absl::Status status = document_.Open(absl::string_view(text_.get(), json.size()));
    if (!status.ok()) return status;
    JsonDocument::Token token = document_.begin();
    status = reader_.Read(&document_, &token, &values_);
    if (status.ok() && token != document_.end()) return absl::DataLossError("trailing text");
    return status;
  }

  // The text of a value of the record; "<kind>" when there is none.
  std::string Text(ValueRef ref, size_t element = 0) {
    const JsonValue& value = values_.Get(shape_, ref, element);
    switch (value.kind) {
      case Kind::kAbsent:
        return "<absent>";
      case Kind::kNull:
        return "<null>";
      case Kind::kMisplaced:
        return "<misplaced>";
      default:
        return std::string(value.text);
    }
  }

  // What is read from `{"id":<string>}`.
  std::string Unescaped(const std::string& string) {
    const absl::Status status = Read(absl::StrCat("{\"id\":", string, "}"));
    return status.ok() ? Text(id_) : std::string(status.message());
  }

  Shape shape_;
  const ValueRef id_ = shape_.AddValue(-1, "id");
  const ValueRef city_ = shape_.AddValue(-1, "location.city");
  const ValueRef attributes_ = shape_.AddValue(-1, "custom_attributes");
  const int tags_ = shape_.AddList(-1, "tags.data");
  const ValueRef tag_id_ = shape_.AddValue(tags_, "id");
  RecordReader reader_{&shape_};
  JsonDocument document_;
  RecordValues values_;
  std::unique_ptr<char[]> text_;
};

TEST_F(RecordReaderTest, KeepsTextAsItIs) {
  EXPECT_EQ(Unescaped(R"("")"), "");
  EXPECT_EQ(Unescaped("\"Zoë 😀 \u2028\u2029 \x7f\""), "Zoë 😀 \u2028\u2029 \x7f");
  EXPECT_EQ(Unescaped(R"("<p>a</p>\r\n\"quoted\" \\ \/ \b\f\t")"),
            "<p>a</p>\r\n\"quoted\" \\ / \b\f\t");
  EXPECT_EQ(Unescaped(R"("\u0041\u00e9\u20ac\ud83d\ude00\uD83D\uDE00")"), "Aé€😀😀");
  EXPECT_EQ(Unescaped(R"("\u2028")"), "\u2028");
}

TEST_F(RecordReaderTest, NulInATextStays) {
  EXPECT_EQ(Unescaped(R"("a\u0000b")"), std::string("a\0b", 3));
}

TEST_F(RecordReaderTest, LoneSurrogateBecomesReplacementCharacter) {
  EXPECT_EQ(Unescaped(R"("\ud83d")"), "\uFFFD");
  EXPECT_EQ(Unescaped(R"("a\ud83d b")"), "a\uFFFD b");
  EXPECT_EQ(Unescaped(R"("\ude00\ud83d")"), "\uFFFD\uFFFD");
  EXPECT_EQ(Unescaped(R"("\ud83d\ud83d\ude00")"), "\uFFFD😀");
  EXPECT_EQ(Unescaped(R"("\ud83d\n\u0041")"), "\uFFFD\nA");
  EXPECT_EQ(Unescaped(R"("cut \"here\" \ud83d")"), "cut \"here\" \uFFFD");
}

TEST_F(RecordReaderTest, BrokenEscapesCostOneCharacterNotTheRecord) {
  EXPECT_EQ(Unescaped(R"("\u12 é")"), "\uFFFD12 é");
  EXPECT_EQ(Unescaped(R"("\q\é")"), "qé");
}

// Each `\u` of two bytes becomes three: they were written beyond the memory.
TEST_F(RecordReaderTest, ManyBrokenEscapesFitTheMemory) {
  for (const size_t count : {1, 10, 100, 5000, 300000}) {
    std::string escapes;
    std::string expected;
    for (size_t i = 0; i < count; ++i) {
      escapes += "\\u";
      expected += "\uFFFD";
    }
    ASSERT_EQ(Unescaped(absl::StrCat("\"", escapes, "\"")), expected) << count;
  }
}

TEST_F(RecordReaderTest, TextOfAMegabyteIsWhole) {
  std::string body;
  std::string json;
  while (body.size() < (1 << 20)) {
    body += "line \"x\"\r\n😀";
    json += R"(line \"x\"\r\n😀)";
  }
  EXPECT_EQ(Unescaped(absl::StrCat("\"", json, "\"")), body);
  EXPECT_EQ(Unescaped(absl::StrCat("\"", std::string(1 << 20, 'x'), "\"")),
            std::string(1 << 20, 'x'));
}

TEST_F(RecordReaderTest, ManyEscapedTextsOfOneRecordLiveTogether) {
  Shape shape;
  std::vector<ValueRef> refs;
  std::string json = "{";
  for (int i = 0; i < 200; ++i) {
    refs.push_back(shape.AddValue(-1, absl::StrCat("k", i)));
    absl::StrAppend(&json, i == 0 ? "" : ",", "\"k", i, R"(":"\n\ud800)", i, "\"");
  }
  json += "}";
  RecordReader reader(&shape);
  ASSERT_TRUE(Read(json).ok());  // With no slot for them.
  ASSERT_TRUE(document_.Open(absl::string_view(text_.get(), json.size())).ok());
  JsonDocument::Token token = document_.begin();
  ASSERT_TRUE(reader.Read(&document_, &token, &values_).ok());
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(values_.Get(shape, refs[i], 0).text, absl::StrCat("\n\uFFFD", i));
  }
}

TEST_F(RecordReaderTest, KeyMayBeWrittenWithEscapes) {
  ASSERT_TRUE(Read(R"({"\u0069d":"7","l\u006fcation":{"cit\u0079":"Dublin"},)"
                   R"("tags":{"dat\u0061":[{"\u0069\u0064":"t"}]}})")
                  .ok());
  EXPECT_EQ(Text(id_), "7");
  EXPECT_EQ(Text(city_), "Dublin");
  EXPECT_EQ(Text(tag_id_), "t");
  // The reader has learnt these keys; plain ones are the same.
  ASSERT_TRUE(Read(R"({"id":"8","location":{"city":"Cork"},"tags":{"data":[{"id":"u"}]}})").ok());
  EXPECT_EQ(Text(id_), "8");
  EXPECT_EQ(Text(city_), "Cork");
  EXPECT_EQ(Text(tag_id_), "u");
}

// The learnt key `id":"5` stands in the text of `"id":"5"`: the id was lost.
TEST_F(RecordReaderTest, KeyWithQuotesIsNotTakenForAKeyAndItsValue) {
  ASSERT_TRUE(Read(R"({"id\":\"5":1,"id":"7"})").ok());
  EXPECT_EQ(Text(id_), "7");
  ASSERT_TRUE(Read(R"({"id":"5"})").ok());
  EXPECT_EQ(Text(id_), "5");
}

TEST_F(RecordReaderTest, KeyWithBackslashIsAnotherKey) {
  ASSERT_TRUE(Read(R"({"id\\":1,"\\":2,"id":"7"})").ok());
  EXPECT_EQ(Text(id_), "7");
  ASSERT_TRUE(Read(R"({"id":"5","id\"x":1,"id\\":2})").ok());
  EXPECT_EQ(Text(id_), "5");
}

TEST_F(RecordReaderTest, LastOfRepeatedKeysCounts) {
  ASSERT_TRUE(Read(R"({"id":"1","id":"2","location":{"city":"a"},"location":{"city":"b"}})").ok());
  EXPECT_EQ(Text(id_), "2");
  EXPECT_EQ(Text(city_), "b");
  ASSERT_TRUE(Read(R"({"id":"1","id":null})").ok());
  EXPECT_EQ(Text(id_), "<null>");
}

TEST_F(RecordReaderTest, KeysMayComeInAnyOrder) {
  const std::vector<std::string> members = {
      R"("id":"7")", R"("location":{"x":1,"city":"c","y":[]})",
      R"("tags":{"total":1,"data":[{"url":"","id":"t"}]})", R"("custom_attributes":{"id":0})"};
  std::vector<size_t> order = {0, 1, 2, 3};
  do {
    std::string json = "{";
    for (const size_t i : order) absl::StrAppend(&json, json == "{" ? "" : ",", members[i]);
    ASSERT_TRUE(Read(json + "}").ok());
    EXPECT_EQ(Text(id_), "7");
    EXPECT_EQ(Text(city_), "c");
    EXPECT_EQ(Text(tag_id_), "t");
    EXPECT_EQ(Text(attributes_), R"({"id":0})");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(RecordReaderTest, UnknownFieldsOfAnyShapeArePassedOver) {
  for (const char* unknown :
       {"null", "true", "5", "-1.5e300", R"("}{][\",:")", "{}", "[]", R"([[[{"id":"no"}]]])",
        R"({"id":"no","location":{"city":"no"},"tags":{"data":[{"id":"no"}]}})",
        R"([1,"a",{"b":[{}]},null])"}) {
    SCOPED_TRACE(unknown);
    ASSERT_TRUE(Read(absl::StrCat(R"({"a":)", unknown, R"(,"id":"7","b":)", unknown,
                                  R"(,"location":{"c":)", unknown, R"(,"city":"x","d":)", unknown,
                                  R"(},"tags":{"data":[{"e":)", unknown, R"(,"id":"t","f":)",
                                  unknown, R"(}],"g":)", unknown, R"(},"h":)", unknown, "}"))
                    .ok());
    EXPECT_EQ(Text(id_), "7");
    EXPECT_EQ(Text(city_), "x");
    ASSERT_EQ(values_.lists[tags_].count, 1);
    EXPECT_EQ(Text(tag_id_), "t");
  }
}

// Learnt keys are compared in place: near the end of the text that must not read
// beyond the padding.
TEST_F(RecordReaderTest, KeysOfAnyLengthAtTheEndOfTheText) {
  for (const size_t length : {1, 46, 47, 48, 49, 63, 64, 65, 500, 100000}) {
    const std::string key(length, 'k');
    ASSERT_TRUE(Read(absl::StrCat(R"({"id":"7",")", key, "\":1}")).ok()) << length;
    EXPECT_EQ(Text(id_), "7");
    // Now the learnt key is longer than what is left of the text.
    ASSERT_TRUE(Read(R"({"id":"7","x":1})").ok()) << length;
    ASSERT_TRUE(Read(R"({"id":"7","":1})").ok()) << length;
    ASSERT_TRUE(Read(absl::StrCat(R"({"id":"8",")", key, "\":1}")).ok()) << length;
    EXPECT_EQ(Text(id_), "8");
  }
}

TEST_F(RecordReaderTest, GeneratedKeysDoNotStopLearningFromWorking) {
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(Read(absl::StrCat("{\"generated", i, "\":1,\"id\":\"", i, "\"}")).ok());
    ASSERT_EQ(Text(id_), std::to_string(i));
  }
  EXPECT_LE(shape_.root()->seen.size(), 256);
}

TEST_F(RecordReaderTest, DeepUnknownNestingIsPassedOver) {
  for (const int depth : {100, 1000, 2000, 100000}) {
    const std::string deep = absl::StrCat(std::string(depth, '['), std::string(depth, ']'));
    const absl::Status status = Read(absl::StrCat(R"({"x":)", deep, R"(,"id":"7"})"));
    ASSERT_TRUE(status.ok()) << depth << " " << status;
    EXPECT_EQ(Text(id_), "7");
    ASSERT_TRUE(Read(absl::StrCat(R"({"custom_attributes":)", deep, "}")).ok()) << depth;
    EXPECT_EQ(Text(attributes_), deep);
  }
}

TEST_F(RecordReaderTest, RawTextEndsWithItsLastBracket) {
  ASSERT_TRUE(Read("{ \"custom_attributes\" : { \"a\" : 1 }  \n , \"id\" : 5 \n }").ok());
  EXPECT_EQ(Text(attributes_), "{ \"a\" : 1 }");
  EXPECT_EQ(Text(id_), "5");
}

TEST_F(RecordReaderTest, ForgetsTheRecordBefore) {
  ASSERT_TRUE(Read(R"({"id":"7","location":{"city":"x"},"tags":{"data":[{"id":"t"}]}})").ok());
  ASSERT_TRUE(Read("{}").ok());
  EXPECT_EQ(Text(id_), "<absent>");
  EXPECT_EQ(Text(city_), "<absent>");
  EXPECT_EQ(values_.lists[tags_].count, 0);
  EXPECT_FALSE(values_.lists[tags_].present);
}

TEST_F(RecordReaderTest, NestedListsRememberWhatHoldsThem) {
  Shape shape;
  const int inner = shape.AddList(-1, "parts.parts[].files");
  const int outer = shape.AddList(-1, "parts.parts");
  const ValueRef name = shape.AddValue(inner, "name");
  RecordReader reader(&shape);
  const std::string json =
      R"({"parts":{"parts":[{"files":[{"name":"a"},{"name":"b"}]},{},{"files":[{"name":"c"}]}]}})";
  ASSERT_TRUE(Read(json).ok());
  ASSERT_TRUE(document_.Open(absl::string_view(text_.get(), json.size())).ok());
  JsonDocument::Token token = document_.begin();
  ASSERT_TRUE(reader.Read(&document_, &token, &values_).ok());
  EXPECT_EQ(values_.lists[outer].count, 3);
  ASSERT_EQ(values_.lists[inner].count, 3);
  EXPECT_THAT(values_.lists[inner].outer, ElementsAre(0, 0, 2));
  EXPECT_EQ(values_.Get(shape, name, 2).text, "c");
}

TEST_F(RecordReaderTest, WantedValueThatIsNoJsonIsDataLoss) {
  for (const char* json : {"",
                           "   ",
                           "5",
                           "[]",
                           "null",
                           "{",
                           R"({"id")",
                           R"({"id":})",
                           R"({"id":tru})",
                           R"({"id":nulL})",
                           R"({"id":01})",
                           R"({"id":1.})",
                           R"({"id":+1})",
                           R"({"id":-})",
                           R"({"id":1e})",
                           R"({"id":"x})",
                           R"({"id" "x"})",
                           R"({"id":"x" "y"})",
                           R"({"id":"x")",
                           R"({"id":"x"}})",
                           R"({"id":"x"}{"id":"y"})",
                           R"({"id":"x"} 5)",
                           R"({id:"x"})",
                           R"({"id":'x'})",
                           R"({"tags":{"data":[{"id":1},]}})",
                           R"({"tags":{"data":[{"id":1}})",
                           "{\"id\":\"a\nb\"}",
                           "{\"id\":\"\xff\"}",
                           "{\"x\":\"\xed\xa0\x80\"}",
                           R"({"id":"x",})"}) {
    EXPECT_EQ(Read(json).code(), absl::StatusCode::kDataLoss) << json;
  }
}

TEST_F(RecordReaderTest, ReadsHealthyTextAfterAMalformedOne) {
  EXPECT_FALSE(Read(R"({"id":"a\n","location":{"city":tru}})").ok());
  ASSERT_TRUE(Read(R"({"id":"b\n"})").ok());
  EXPECT_EQ(Text(id_), "b\n");
  EXPECT_EQ(Text(city_), "<absent>");
}

}  // namespace
}  // namespace intercom_extractor

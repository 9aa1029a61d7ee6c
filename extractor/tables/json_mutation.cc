#include "extractor/tables/json_mutation.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "extractor/tables/reference_json.h"

namespace intercom_extractor {
namespace {

using Type = ReferenceJson::Type;

std::string Nested(int depth, const char* open, const char* inside, const char* close) {
  std::string result;
  for (int i = 0; i < depth; ++i) result += open;
  result += inside;
  for (int i = 0; i < depth; ++i) result += close;
  return result;
}

// Everything that a value may be exchanged for.
const std::vector<std::string>& Values() {
  static const auto* const values = new std::vector<std::string>{
      "null",
      "true",
      "false",
      // Numbers, and strings of them.
      "0",
      "-0",
      "-1",
      "7",
      "1734537460",
      "1734537460.0",
      "1.7345e9",
      "1E3",
      "1.5",
      "-0.25",
      "9007199254740993.0",
      "9223372036854775807",
      "9223372036854775808",
      "-9223372036854775808",
      "-9223372036854775809",
      "123456789012345678901234567890",
      "1e400",
      "-1e400",
      "1e-400",
      "4.9e-324",
      R"("0")",
      R"("7")",
      R"("-7")",
      R"("007")",
      R"("1734537460")",
      R"("1734537460.0")",
      R"("1e3")",
      R"("1.5")",
      R"("1.")",
      R"(".5")",
      R"("+7")",
      R"("0x10")",
      R"("1e")",
      R"("inf")",
      R"("nan")",
      R"("9223372036854775808")",
      R"("\u0037")",
      // White space around texts.
      R"(" 7")",
      R"("7 ")",
      R"("\t 2014-01-16 \n")",
      R"(" ")",
      // Words that mean something.
      R"("")",
      R"("null")",
      R"("user")",
      R"("lead")",
      R"("contact")",
      R"("team")",
      R"("admin")",
      R"("us\u0065r")",
      R"("70")",
      "70",
      // Escapes, sound and broken.
      R"("a\"b\\c\/d\b\f\n\r\t")",
      R"("\u0000 and more")",
      R"("\u00e9\u20ac\u2028\ud83d\ude00")",
      "\"\xf0\x9f\x98\x80 \xe2\x82\xac\"",
      R"("\ud83d")",
      R"("\ude00")",
      R"("\ud83d\ud83d\ude00")",
      R"("\ud83d\u0041")",
      R"("\ud83dx")",
      R"("cut \ud83d\"")",
      R"("\ude00\ud83d")",
      R"("\q\x")",
      R"("\u12G4")",
      R"("\u1\"")",
      R"("}]{[,:\"")",
      // Objects and lists.
      "{}",
      "{ }",
      "[]",
      "[ ]",
      "[null]",
      "[[]]",
      "[{}]",
      "[{},{}]",
      "[5,{\"id\":\"x\"}]",
      R"([{"id":5,"type":"tag","name":null},null])",
      R"([{"id":{"id":1}},{"id":[2]}])",
      R"({"id":5,"type":"user"})",
      R"({"id":"70","type":"lead","name":"n"})",
      R"({"data":[{"id":"d1"}],"contacts":[{"id":"70"}],"tags":[{"id":1}]})",
      R"({"data":5,"contacts":5,"tags":5,"conversation_parts":5})",
      R"({"data":null,"contacts":null,"tags":null})",
      R"({ "a" : [ 1 , 2.50 ,  "x" ] , "b" : { } })",
      R"({"\ud83d":1,"caf\u00e9":2,"":3})",
      Nested(300, "[", "", "]"),
      Nested(300, "{\"id\":", "1", "}"),
      "\"" + std::string(5000, 'x') + "\"",
      "\"" + Nested(2000, "", "\\n", "") + std::string(200, '\'') + "\\u20ac\"",
  };
  return *values;
}

std::string Replace(const std::string& record, std::string_view part, const std::string& by) {
  const size_t offset = static_cast<size_t>(part.data() - record.data());
  return absl::StrCat(record.substr(0, offset), by, record.substr(offset + part.size()));
}

// All values below `json`, and the objects and members among them.
struct Parts {
  std::vector<const ReferenceJson*> values;
  std::vector<const ReferenceJson*> objects;
  std::vector<const ReferenceJson*> arrays;
  std::vector<const ReferenceMember*> members;
};

void Collect(const ReferenceJson& json, Parts* parts) {
  if (json.type == Type::kObject && !json.members.empty()) parts->objects.push_back(&json);
  if (json.type == Type::kArray) parts->arrays.push_back(&json);
  for (const ReferenceMember& member : json.members) {
    parts->members.push_back(&member);
    parts->values.push_back(&member.value);
    Collect(member.value, parts);
  }
  for (const ReferenceJson& element : json.elements) {
    parts->values.push_back(&element);
    Collect(element, parts);
  }
}

std::string Member(std::string_view key, std::string_view value) {
  return absl::StrCat(std::string(key), ":", std::string(value));
}

// The key as it stands, with its quotes.
std::string_view RawKey(const ReferenceMember& member) {
  std::string_view key = member.raw;
  key.remove_suffix(key.size() - static_cast<size_t>(member.value.raw.data() - key.data()));
  return key.substr(0, key.rfind('"') + 1);
}

std::string Escaped(std::string_view raw_key) {
  // What has escapes of its own stays.
  if (raw_key.size() < 3 || raw_key.find('\\') != std::string_view::npos) {
    return std::string(raw_key);
  }
  char escape[8];
  std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned char>(raw_key[1]));
  // A byte of a longer character cannot be escaped by itself.
  if (static_cast<unsigned char>(raw_key[1]) >= 0x80) return std::string(raw_key);
  return absl::StrCat("\"", escape, std::string(raw_key.substr(2)));
}

std::string ObjectOf(const std::vector<std::string>& members) {
  return absl::StrCat("{", absl::StrJoin(members, ","), "}");
}

std::vector<std::string> MembersOf(const ReferenceJson& object) {
  std::vector<std::string> members;
  members.reserve(object.members.size());
  for (const ReferenceMember& member : object.members) members.emplace_back(member.raw);
  return members;
}

// The value's text with at most one element in each list.
std::string WithFirstElements(const ReferenceJson& value) {
  if (!value.elements.empty()) {
    return absl::StrCat("[", WithFirstElements(value.elements.front()), "]");
  }
  if (value.members.empty()) return std::string(value.raw);
  std::vector<std::string> inside;
  inside.reserve(value.members.size());
  for (const ReferenceMember& member : value.members) {
    inside.push_back(Member(RawKey(member), WithFirstElements(member.value)));
  }
  return ObjectOf(inside);
}

}  // namespace

std::string JsonMutation::Value() { return Values()[Below(Values().size())]; }

std::string JsonMutation::Change(const std::string& record) {
  std::string changed = record;
  for (size_t changes = 1 + Below(4); changes > 0; --changes) changed = ChangeOnce(changed);
  // Last, lest one of two like values becomes an object.
  return Below(4) == 0 ? RepeatKey(changed) : changed;
}

std::vector<std::string> JsonMutation::Exchanged(const std::string& record,
                                                 const std::set<std::string>& keys) {
  std::vector<std::string> result;
  const std::optional<ReferenceJson> whole = ReferenceJson::Parse(record);
  if (!whole.has_value()) return result;
  const std::string cut = WithFirstElements(*whole);
  const std::optional<ReferenceJson> json = ReferenceJson::Parse(cut);
  std::vector<const ReferenceJson*> waiting = {&*json};
  while (!waiting.empty()) {
    const ReferenceJson& value = *waiting.back();
    waiting.pop_back();
    if (!value.elements.empty()) waiting.push_back(&value.elements.front());
    for (const ReferenceMember& member : value.members) {
      waiting.push_back(&member.value);
      if (keys.count(member.key) == 0) continue;
      for (const std::string& other : Values()) {
        result.push_back(Replace(cut, member.value.raw, other));
      }
    }
  }
  return result;
}

std::string JsonMutation::ChangeOnce(const std::string& record) {
  const std::optional<ReferenceJson> json = ReferenceJson::Parse(record);
  Parts parts;
  if (json.has_value()) Collect(*json, &parts);
  if (parts.members.empty()) return record;
  const ReferenceMember& member = *parts.members[Below(parts.members.size())];
  const ReferenceJson& value = *parts.values[Below(parts.values.size())];
  const ReferenceJson& object = *parts.objects[Below(parts.objects.size())];
  std::vector<std::string> members = MembersOf(object);
  const size_t at = Below(members.size());
  switch (Below(12)) {
    case 0:  // A member is gone.
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(at));
      return Replace(record, object.raw, ObjectOf(members));
    case 1:  // They come in another order.
      for (size_t i = members.size(); i > 1; --i) std::swap(members[i - 1], members[Below(i)]);
      return Replace(record, object.raw, ObjectOf(members));
    case 2:  // There is a new one.
      members.insert(members.begin() + static_cast<std::ptrdiff_t>(at),
                     Member(R"("new\"field)" + std::to_string(Below(1000)) + "\"", Value()));
      return Replace(record, object.raw, ObjectOf(members));
    case 3:
      return Replace(record, member.raw, Member(Escaped(RawKey(member)), member.value.raw));
    case 4:
      return Replace(record, member.raw, Member(R"("renamed")", member.value.raw));
    case 5:
      return Replace(record, member.raw,
                     absl::StrCat(" ", std::string(RawKey(member)), "\n:\t ",
                                  std::string(member.value.raw), "  \r\n"));
    case 6:  // A number is written as a string, or a string without its quotes.
      if (value.type == Type::kNumber) {
        return Replace(record, value.raw, absl::StrCat("\"", std::string(value.raw), "\""));
      }
      return Replace(record, value.raw, "1571672154");
    case 7: {  // A list is longer than usual, or holds strange things.
      if (parts.arrays.empty()) return record;
      const ReferenceJson& array = *parts.arrays[Below(parts.arrays.size())];
      std::vector<std::string> elements;
      for (const ReferenceJson& element : array.elements) elements.emplace_back(element.raw);
      if (elements.empty()) elements.emplace_back(R"({"id":"e","type":"tag","name":"n"})");
      const size_t wanted = Below(3) == 0 ? 1 + Below(200) : elements.size();
      for (size_t i = 0; elements.size() < wanted; ++i) elements.push_back(elements[i]);
      if (Below(2) == 0) elements.push_back(Value());
      return Replace(record, array.raw, absl::StrCat("[", absl::StrJoin(elements, ","), "]"));
    }
    default:
      return Replace(record, value.raw, Value());
  }
}

std::string JsonMutation::RepeatKey(const std::string& record) {
  const std::optional<ReferenceJson> json = ReferenceJson::Parse(record);
  Parts parts;
  if (json.has_value()) Collect(*json, &parts);
  if (parts.members.empty()) return record;
  const ReferenceMember& member = *parts.members[Below(parts.members.size())];
  if (containers_.count(member.key) > 0) return record;
  const std::string again = Member(RawKey(member), Value());
  const std::string whole(member.raw);
  return Replace(record, member.raw,
                 Below(2) == 0 ? absl::StrCat(whole, ",", again) : absl::StrCat(again, ",", whole));
}

}  // namespace intercom_extractor

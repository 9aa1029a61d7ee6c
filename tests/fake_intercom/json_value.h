#ifndef TESTS_FAKE_INTERCOM_JSON_VALUE_H_
#define TESTS_FAKE_INTERCOM_JSON_VALUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace intercom_extractor::fake {

// A parsed JSON text that keeps what nlohmann::json's own tree loses: the text of
// each number. Immutable after parsing.
class JsonValue {
 public:
  enum class Kind { kAbsent, kNull, kBool, kNumber, kString, kArray, kObject };

  // Nullopt when `text` is not one complete JSON value.
  static std::optional<JsonValue> Parse(std::string_view text);

  Kind kind() const { return kind_; }
  bool IsAbsentOrNull() const { return kind_ == Kind::kAbsent || kind_ == Kind::kNull; }
  bool IsString() const { return kind_ == Kind::kString; }
  bool IsNumber() const { return kind_ == Kind::kNumber; }
  bool IsArray() const { return kind_ == Kind::kArray; }
  bool IsObject() const { return kind_ == Kind::kObject; }
  // A string's value, a number's text, "true" or "false".
  const std::string& text() const { return text_; }
  // The elements of an array; empty for anything else.
  const std::vector<JsonValue>& elements() const { return elements_; }
  // The member of an object; an absent value when there is none, or no object.
  const JsonValue& operator[](std::string_view name) const;

  // The value of an integer, or of a decimal string, that fits.
  std::optional<int64_t> AsInt() const;

 private:
  friend class JsonValueBuilder;

  Kind kind_ = Kind::kAbsent;
  std::string text_;
  std::vector<JsonValue> elements_;
  std::vector<std::pair<std::string, JsonValue>> members_;
};

// The text of the member `name` of the outermost object in `json`, exactly as it
// stands there; empty when there is none. `json` must be a valid object.
std::string_view RawMember(std::string_view json, std::string_view name);

// The texts of the elements of the outermost array in `json`.
std::vector<std::string> RawElements(std::string_view json);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_JSON_VALUE_H_

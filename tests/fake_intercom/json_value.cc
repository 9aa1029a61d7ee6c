#include "tests/fake_intercom/json_value.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace intercom_extractor::fake {

// Receives the parser's events.
class JsonValueBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonValueBuilder(JsonValue* root) : root_(*root) {}

  bool null() override { return Scalar(JsonValue::Kind::kNull, ""); }
  bool boolean(bool value) override {
    return Scalar(JsonValue::Kind::kBool, value ? "true" : "false");
  }
  bool number_integer(number_integer_t value) override {
    return Scalar(JsonValue::Kind::kNumber, std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Scalar(JsonValue::Kind::kNumber, std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    return Scalar(JsonValue::Kind::kNumber, text);
  }
  bool string(string_t& value) override {
    return Scalar(JsonValue::Kind::kString, std::move(value));
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(JsonValue::Kind::kObject); }
  bool start_array(std::size_t) override { return Open(JsonValue::Kind::kArray); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    open_.back()->members_.emplace_back(std::move(name), JsonValue());
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  // Where the next value goes. Pointers into vectors stay valid, as a container
  // only grows while it is the innermost one.
  JsonValue* Next() {
    if (open_.empty()) return &root_;
    JsonValue* parent = open_.back();
    if (parent->kind_ == JsonValue::Kind::kObject) return &parent->members_.back().second;
    return &parent->elements_.emplace_back();
  }

  bool Scalar(JsonValue::Kind kind, std::string text) {
    JsonValue* value = Next();
    value->kind_ = kind;
    value->text_ = std::move(text);
    return true;
  }

  bool Open(JsonValue::Kind kind) {
    JsonValue* value = Next();
    value->kind_ = kind;
    open_.push_back(value);
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  JsonValue& root_;
  std::vector<JsonValue*> open_;
};

std::optional<JsonValue> JsonValue::Parse(std::string_view text) {
  JsonValue root;
  JsonValueBuilder builder(&root);
  if (!nlohmann::json::sax_parse(text, &builder)) return std::nullopt;
  return root;
}

const JsonValue& JsonValue::operator[](std::string_view name) const {
  static const JsonValue& absent = *new JsonValue();
  for (const auto& [key, value] : members_) {
    if (key == name) return value;
  }
  return absent;
}

std::optional<int64_t> JsonValue::AsInt() const {
  if (kind_ != Kind::kNumber && kind_ != Kind::kString) return std::nullopt;
  int64_t number = 0;
  const char* const end = text_.data() + text_.size();
  const auto result = std::from_chars(text_.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

namespace {

size_t SkipSpace(std::string_view json, size_t i) {
  while (i < json.size() && std::string_view(" \t\r\n").find(json[i]) != std::string_view::npos) {
    ++i;
  }
  return i;
}

// The position behind the value that starts at `i`.
size_t SkipValue(std::string_view json, size_t i) {
  int depth = 0;
  bool in_string = false;
  for (; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
        if (depth == 0) return i + 1;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return i;  // A number or word at the end of its container.
      if (--depth == 0) return i + 1;
    } else if (depth == 0 && (c == ',' || SkipSpace(json, i) != i)) {
      return i;
    }
  }
  return i;
}

}  // namespace

std::string_view RawMember(std::string_view json, std::string_view name) {
  size_t i = SkipSpace(json, 0) + 1;
  while (true) {
    i = SkipSpace(json, i);
    if (i >= json.size() || json[i] == '}') return {};
    const size_t key_end = SkipValue(json, i);
    const std::string_view key = json.substr(i + 1, key_end - i - 2);
    const size_t start = SkipSpace(json, SkipSpace(json, key_end) + 1);  // Behind the colon.
    const size_t end = SkipValue(json, start);
    if (key == name) return json.substr(start, end - start);
    i = SkipSpace(json, end);
    if (i < json.size() && json[i] == ',') ++i;
  }
}

std::vector<std::string> RawElements(std::string_view json) {
  std::vector<std::string> elements;
  size_t i = SkipSpace(json, 0);
  if (i >= json.size() || json[i] != '[') return elements;
  ++i;
  while (true) {
    i = SkipSpace(json, i);
    if (i >= json.size() || json[i] == ']') return elements;
    const size_t end = SkipValue(json, i);
    elements.emplace_back(json.substr(i, end - i));
    i = SkipSpace(json, end);
    if (i < json.size() && json[i] == ',') ++i;
  }
}

}  // namespace intercom_extractor::fake

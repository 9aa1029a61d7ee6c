#ifndef TESTS_FAKE_INTERCOM_JSON_WRITER_H_
#define TESTS_FAKE_INTERCOM_JSON_WRITER_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace intercom_extractor::fake {

// Replaces a field of a generated record, so that edge cases are data.
struct Override {
  std::string_view field;
  // The JSON text to send, or one of the words below.
  std::string_view token;
};
using Overrides = std::vector<Override>;

inline constexpr std::string_view kAbsent = "@absent";
// The generated value as a JSON string, though it is a number.
inline constexpr std::string_view kQuoted = "@quoted";
// The generated string without its quotes: an id as a JSON number.
inline constexpr std::string_view kUnquoted = "@unquoted";

// How strings are written; the same value, other bytes.
enum class Escaping {
  kMinimal,
  // As Ruby on Rails does: <, >, & and everything beyond ASCII as \uXXXX.
  kRails,
};

// Appends JSON text to a string. Commas are put where they are needed; the caller
// balances what it opens. Not thread-safe; writes nothing but to `out`.
//
// Records are written and not kept as trees, as a workspace of a million contacts
// must fit, and as tests need control over each byte.
class JsonWriter {
 public:
  // `out` must outlive the writer, as must `overrides` where given.
  explicit JsonWriter(std::string* out, const Overrides* overrides = nullptr,
                      Escaping escaping = Escaping::kMinimal)
      : out_(*out), overrides_(overrides), escaping_(escaping) {}

  // Values in arrays, or after Key().
  void BeginObject();
  void EndObject() { out_ += '}'; }
  void BeginArray();
  void EndArray() { out_ += ']'; }
  void String(std::string_view text);
  void Int(int64_t number);
  void Raw(std::string_view json);
  void Key(std::string_view name);

  // Members of an object; these honour the overrides of this writer.
  void Field(std::string_view name, std::string_view text);
  void Field(std::string_view name, const char* text) { Field(name, std::string_view(text)); }
  void Field(std::string_view name, int64_t number);
  void Field(std::string_view name, bool value);
  void RawField(std::string_view name, std::string_view json);
  void NullField(std::string_view name) { RawField(name, "null"); }

  // Writes the override of `name` and returns true when there is one; for members
  // with nested content.
  bool Overridden(std::string_view name);

 private:
  void Comma();
  const Override* Find(std::string_view name) const;
  // True when the override was all there is to write.
  bool Apply(std::string_view name);

  std::string& out_;
  const Overrides* const overrides_;
  const Escaping escaping_;
};

// Appends `text` as a JSON string with its quotes. `text` must be valid UTF-8.
void AppendJsonString(std::string_view text, Escaping escaping, std::string* out);
std::string JsonString(std::string_view text);

}  // namespace intercom_extractor::fake

#endif  // TESTS_FAKE_INTERCOM_JSON_WRITER_H_

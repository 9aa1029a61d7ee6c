#ifndef CLIENTS_CLI_JSON_TEXT_H_
#define CLIENTS_CLI_JSON_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// Appends `text`, which is valid UTF-8, as a JSON string. Escapes only what JSON
// demands: the quote, the backslash and control characters.
void AppendJsonString(absl::string_view text, std::string* out);

// Appends `value` in decimal digits.
void AppendInt64(int64_t value, std::string* out);

// Appends `value` in the shortest form that reads back as the same double:
// "100", "0.1", "1e+300", "-0". Infinite and not-a-number, which neither JSON
// nor Intercom has, come out as "inf" and "nan".
void AppendDouble(double value, std::string* out);

// Writes one JSON document without white space, member by member:
//
//   JsonText json;
//   json.BeginObject();
//   json.Key("rows").Int(3);
//   json.EndObject();
//
// Sets commas by itself; that objects and arrays close is the caller's business.
class JsonText {
 public:
  JsonText& BeginObject();
  JsonText& EndObject();
  JsonText& BeginArray();
  JsonText& EndArray();
  JsonText& Key(absl::string_view name);
  JsonText& String(absl::string_view value);
  JsonText& Int(int64_t value);
  JsonText& Double(double value);  // Not finite: null.
  JsonText& Bool(bool value);
  JsonText& Null();

  const std::string& text() const { return text_; }

 private:
  // Sets the comma before a value or key where one is due.
  void BeginValue();

  std::string text_;
};

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_JSON_TEXT_H_

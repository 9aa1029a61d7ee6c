#include "tests/fake_intercom/json_edit.h"

#include "tests/fake_intercom/json_value.h"

namespace intercom_extractor::fake {

std::string WithMember(const std::string& json, std::string_view name, std::string_view value) {
  std::string edited = json;
  const std::string_view old = RawMember(json, name);
  if (!old.empty()) return edited.replace(old.data() - json.data(), old.size(), value);
  const size_t close = edited.rfind('}');
  const size_t last = edited.find_last_not_of(" \t\r\n", close - 1);
  std::string member = edited[last] == '{' ? "" : ",";
  member += '"';
  member += name;
  member += "\":";
  member += value;
  return edited.insert(close, member);
}

std::string WithoutMember(const std::string& json, std::string_view name) {
  const std::string_view value = RawMember(json, name);
  if (value.empty()) return json;
  const size_t value_start = value.data() - json.data();
  size_t begin = json.rfind("\"" + std::string(name) + "\"", value_start);
  size_t end = value_start + value.size();
  const size_t comma_before = json.find_last_not_of(" \t\r\n", begin - 1);
  if (json[comma_before] == ',') {
    begin = comma_before;
  } else {
    const size_t comma_after = json.find_first_not_of(" \t\r\n", end);
    if (json[comma_after] == ',') end = comma_after + 1;
  }
  return json.substr(0, begin) + json.substr(end);
}

std::string JsonArray(const std::vector<std::string>& elements) {
  std::string array = "[";
  for (const std::string& element : elements) {
    if (array.size() > 1) array += ',';
    array += element;
  }
  return array + "]";
}

}  // namespace intercom_extractor::fake

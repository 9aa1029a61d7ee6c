#include "server/config_section.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "extractor/tables/nearest_name.h"

namespace intercom_extractor {
namespace {

// What YAML calls it, for messages.
absl::string_view KindOf(const YAML::Node& node) {
  if (node.IsSequence()) return "a list";
  if (node.IsMap()) return "a mapping";
  return "a single value";
}

}  // namespace

bool IsConfigName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

absl::Status ConfigError(const std::string& file, const YAML::Mark& mark, absl::string_view path,
                         absl::string_view what) {
  std::string where = file;
  if (!mark.is_null()) absl::StrAppend(&where, ":", mark.line + 1);
  if (!path.empty()) absl::StrAppend(&where, ": ", path);
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

absl::StatusOr<ConfigSection> ConfigSection::Open(const std::string& file, const std::string& path,
                                                  const YAML::Node& node,
                                                  const std::vector<std::string>& known,
                                                  std::shared_ptr<const ValueSources> sources) {
  return Open(file, path, node, &known, std::move(sources));
}

absl::StatusOr<ConfigSection> ConfigSection::OpenChild(
    const std::string& key, const std::vector<std::string>& known) const {
  return Open(file_, PathOf(key), Get(key), &known, sources_);
}

absl::StatusOr<ConfigSection> ConfigSection::OpenFree(const std::string& file,
                                                      const std::string& path,
                                                      const YAML::Node& node) {
  return Open(file, path, node, nullptr, nullptr);
}

absl::StatusOr<ConfigSection> ConfigSection::Open(const std::string& file, const std::string& path,
                                                  const YAML::Node& node,
                                                  const std::vector<std::string>* known,
                                                  std::shared_ptr<const ValueSources> sources) {
  ConfigSection section(file, path, node, std::move(sources));
  if (!node.IsMap()) {
    return section.Error(absl::StrCat("must be a mapping (KEY: VALUE), not ", KindOf(node)));
  }
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) {
      return ConfigError(file, entry.first.Mark(), path, "a key must be a single word");
    }
    const std::string& key = entry.first.Scalar();
    const std::string key_path = section.PathOf(key);
    if (known != nullptr && std::find(known->begin(), known->end(), key) == known->end()) {
      // A key may be a pasted secret as well; nobody needs a long one repeated.
      if (key.size() > 64) {
        return ConfigError(file, entry.first.Mark(), path,
                           absl::StrCat("unknown key; ", Suggestion(key, *known)));
      }
      return ConfigError(file, entry.first.Mark(), key_path,
                         absl::StrCat("unknown key; ", Suggestion(key, *known)));
    }
    // yaml-cpp keeps the first and hides the rest.
    if (!seen.insert(key).second) {
      return ConfigError(file, entry.first.Mark(), key_path, "stands here twice; remove one");
    }
  }
  return section;
}

std::vector<std::string> ConfigSection::Keys() const {
  std::vector<std::string> keys;
  for (const auto& entry : node_) keys.push_back(entry.first.Scalar());
  return keys;
}

bool ConfigSection::Has(const std::string& key) const {
  const YAML::Node value = Get(key);
  return value.IsDefined() && !value.IsNull();
}

YAML::Node ConfigSection::Get(const std::string& key) const {
  // Through a const reference, or the look-up would add the key.
  const YAML::Node& node = node_;
  return node[key];
}

absl::StatusOr<bool> ConfigSection::ReadScalar(const std::string& key, std::string* text) const {
  const YAML::Node node = Get(key);
  if (!node.IsDefined()) return false;
  if (node.IsNull()) return Error(key, "has no value; write one or remove the key");
  if (!node.IsScalar()) {
    return Error(key, absl::StrCat("must be a single value, not ", KindOf(node)));
  }
  *text = node.Scalar();
  return true;
}

absl::Status ConfigSection::Read(const std::string& key, std::string* value) const {
  std::string text;
  const absl::StatusOr<bool> found = ReadScalar(key, &text);
  if (!found.ok()) return found.status();
  if (!*found) return absl::OkStatus();
  if (text.empty()) return Error(key, "is empty; write a value or remove the key");
  *value = text;
  return absl::OkStatus();
}

absl::Status ConfigSection::Read(const std::string& key, bool* value) const {
  std::string text;
  const absl::StatusOr<bool> found = ReadScalar(key, &text);
  if (!found.ok()) return found.status();
  if (!*found) return absl::OkStatus();
  if (!YAML::convert<bool>::decode(Get(key), *value)) {
    return Error(key, absl::StrCat("\"", text, "\" is neither true nor false"));
  }
  return absl::OkStatus();
}

absl::Status ConfigSection::Read(const std::string& key, std::vector<std::string>* values) const {
  const YAML::Node list = Get(key);
  if (!list.IsDefined() || !list.IsSequence()) {
    std::string value;
    const absl::Status read = Read(key, &value);
    if (read.ok() && !value.empty()) *values = {value};
    return read;
  }
  values->clear();
  for (const auto& entry : list) {
    if (!entry.IsScalar() || entry.Scalar().empty()) {
      return Error(key, "must be a list of values, none of them empty");
    }
    values->push_back(entry.Scalar());
  }
  return absl::OkStatus();
}

absl::Status ConfigSection::Read(const std::string& key, int min, int max, int* value) const {
  std::string text;
  const absl::StatusOr<bool> found = ReadScalar(key, &text);
  if (!found.ok()) return found.status();
  if (!*found) return absl::OkStatus();
  int number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < min || number > max) {
    return Error(key, absl::StrCat("\"", text, "\" is not a whole number from ", min, " to ", max));
  }
  *value = number;
  return absl::OkStatus();
}

absl::Status ConfigSection::ReadChoice(const std::string& key,
                                       const std::vector<std::string>& choices,
                                       std::string* value) const {
  std::string text;
  const absl::StatusOr<bool> found = ReadScalar(key, &text);
  if (!found.ok()) return found.status();
  if (!*found) return absl::OkStatus();
  if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
    return Error(key, absl::StrCat("\"", absl::CHexEscape(text.substr(0, 64)), "\" is none of ",
                                   absl::StrJoin(choices, ", ")));
  }
  *value = text;
  return absl::OkStatus();
}

absl::Status ConfigSection::ReadShare(const std::string& key, double* value) const {
  std::string text;
  const absl::StatusOr<bool> found = ReadScalar(key, &text);
  if (!found.ok()) return found.status();
  if (!*found) return absl::OkStatus();
  double number = 0;
  // Written so that NaN fails too.
  if (!absl::SimpleAtod(text, &number) || !(number >= 0 && number < 1)) {
    return Error(
        key, absl::StrCat("\"", text, "\" is not a number of at least 0 and below 1, such as 0.1"));
  }
  *value = number;
  return absl::OkStatus();
}

absl::Status ConfigSection::Read(const std::string& key, absl::Duration* value) const {
  std::string text;
  const absl::StatusOr<bool> found = ReadScalar(key, &text);
  if (!found.ok()) return found.status();
  if (!*found) return absl::OkStatus();
  absl::Duration duration;
  double number = 0;
  if (absl::SimpleAtod(text, &number) && std::isfinite(number) && number != 0) {
    return Error(key, absl::StrCat("\"", text, "\" has no unit; write ", text, "s for seconds"));
  }
  if (!absl::ParseDuration(text, &duration)) {
    return Error(key, absl::StrCat("\"", text, "\" is not a duration; write 90s or 1m30s"));
  }
  if (duration < absl::Seconds(1) || duration > absl::Hours(1)) {
    return Error(key, absl::StrCat("\"", text, "\" is not between 1s and 1h"));
  }
  *value = duration;
  return absl::OkStatus();
}

absl::Status ConfigSection::Error(const std::string& key, absl::string_view what) const {
  const std::string path = PathOf(key);
  if (sources_ != nullptr) {
    const auto source = sources_->find(path);
    if (source != sources_->end()) {
      return absl::InvalidArgumentError(absl::StrCat(source->second, ": ", what));
    }
  }
  // The key's own place: a value that is absent, or a block, has the line below.
  YAML::Mark mark = node_.Mark();
  for (const auto& entry : node_) {
    if (entry.first.Scalar() == key) mark = entry.first.Mark();
  }
  return ConfigError(file_, mark, path, what);
}

std::string ConfigSection::PathOf(const std::string& key) const {
  return path_.empty() ? key : absl::StrCat(path_, ".", key);
}

absl::Status ConfigSection::Error(absl::string_view what) const {
  return ConfigError(file_, node_.Mark(), path_, what);
}

}  // namespace intercom_extractor

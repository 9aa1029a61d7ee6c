#ifndef SERVER_SETTING_OVERRIDES_H_
#define SERVER_SETTING_OVERRIDES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// A value that comes before the file's.
struct SettingOverride {
  std::string value;
  // Where it is from, as errors call it: "--listen" or "INTERCOM_EXTRACTOR_LISTEN".
  std::string source;
};

// By key, as in the file: "tls.cert_file".
using SettingOverrides = std::map<std::string, SettingOverride>;

// The variable that names the configuration file.
constexpr char kConfigVariable[] = "INTERCOM_EXTRACTOR_CONFIG";

// Those of an environment ("NAME=VALUE" each) that name a setting and are not empty.
SettingOverrides OverridesOf(const std::vector<std::string>& environment);

// What to say of variables that look like settings and are none: a line each, with the
// nearest name and without the value. `secrets` are the names of those that hold secrets.
std::vector<std::string> UnknownVariables(const std::vector<std::string>& environment,
                                          const std::vector<std::string>& secrets);

// This process's own.
std::vector<std::string> Environment();

}  // namespace intercom_extractor

#endif  // SERVER_SETTING_OVERRIDES_H_

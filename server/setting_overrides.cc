#include "server/setting_overrides.h"

#include <unistd.h>

#include <regex>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "extractor/tables/nearest_name.h"
#include "server/setting_list.h"

namespace intercom_extractor {
namespace {

// Kubernetes tells each pod of the services around it: a service "intercom-extractor" makes
// INTERCOM_EXTRACTOR_SERVICE_HOST, INTERCOM_EXTRACTOR_PORT_50051_TCP_ADDR and their like.
bool IsOfKubernetes(const std::string& name) {
  static const auto* const pattern = new std::regex(
      ".*(_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?|_PORT(_[0-9]+_(TCP|UDP|SCTP)"
      "(_(PROTO|PORT|ADDR))?)?)");
  return std::regex_match(name, *pattern);
}

std::string NameOf(const std::string& entry) { return entry.substr(0, entry.find('=')); }

}  // namespace

SettingOverrides OverridesOf(const std::vector<std::string>& environment) {
  SettingOverrides overrides;
  for (const std::string& entry : environment) {
    const std::string name = NameOf(entry);
    if (entry.size() <= name.size() + 1) continue;
    for (const Setting& setting : SettingList()) {
      if (setting.variable() == name) {
        overrides[setting.key] = {entry.substr(name.size() + 1), name};
      }
    }
  }
  return overrides;
}

std::vector<std::string> UnknownVariables(const std::vector<std::string>& environment,
                                          const std::vector<std::string>& secrets) {
  std::vector<std::string> known = {kConfigVariable};
  for (const Setting& setting : SettingList()) known.push_back(setting.variable());
  std::vector<std::string> lines;
  for (const std::string& entry : environment) {
    const std::string name = NameOf(entry);
    if (!absl::StartsWith(name, kVariablePrefix) || absl::c_linear_search(known, name) ||
        absl::c_linear_search(secrets, name) || IsOfKubernetes(name)) {
      continue;
    }
    const std::string* const nearest = NearestName(name, known);
    lines.push_back(absl::StrCat("the environment variable ", absl::CHexEscape(name.substr(0, 100)),
                                 " is no setting",
                                 nearest != nullptr && EditDistance(name, *nearest) <= 3
                                     ? absl::StrCat("; did you mean ", *nearest, "?")
                                     : "; docs/configuration.md has all of them"));
  }
  return lines;
}

std::vector<std::string> Environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) entries.emplace_back(*entry);
  return entries;
}

}  // namespace intercom_extractor

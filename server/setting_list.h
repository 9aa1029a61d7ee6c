#ifndef SERVER_SETTING_LIST_H_
#define SERVER_SETTING_LIST_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/config_section.h"
#include "server/server_config.h"

namespace intercom_extractor {

// A setting of one value: a key of the configuration file, a flag and an environment
// variable of the same name. What comes in lists (connections, callers) is the file's alone.
struct Setting {
  // With its section: "tls.cert_file".
  const char* key;
  // What to write, for people: "FILE".
  const char* value;
  // Else a reload takes it over.
  bool needs_restart;
  // For --help and the document: a line or two, without a full stop at the end.
  const char* help;
  // Reads `name` of the setting's section, where it stands.
  absl::Status (*read)(const ConfigSection& section, const std::string& name, ServerConfig* config);
  // As people would write it; empty when it is not set.
  std::string (*text)(const ServerConfig& config);

  // True or false.
  bool is_switch() const { return absl::string_view(value) == "true|false"; }
  // "tls" of "tls.cert_file"; empty without a section.
  std::string section() const;
  // "cert_file".
  std::string name() const;
  // "--tls-cert-file".
  std::string flag() const;
  // "INTERCOM_EXTRACTOR_TLS_CERT_FILE".
  std::string variable() const;
};

// All of them, in the order of the sample.
const std::vector<Setting>& SettingList();

// What begins the names of all variables.
constexpr absl::string_view kVariablePrefix = "INTERCOM_EXTRACTOR_";

// docs/configuration.md.
std::string SettingsDocument();

}  // namespace intercom_extractor

#endif  // SERVER_SETTING_LIST_H_

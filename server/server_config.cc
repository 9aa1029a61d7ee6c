#include "server/server_config.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "server/caller_section.h"
#include "server/config_secret.h"
#include "server/config_section.h"
#include "server/listen_address.h"
#include "server/privacy_section.h"
#include "server/secrets.h"
#include "server/setting_list.h"
#include "yaml-cpp/yaml.h"

namespace intercom_extractor {
namespace {

// Tokens and PEM files aside, a configuration is a page of text.
constexpr size_t kMaxConfigBytes = size_t{1} << 20;
// Searches take 18 s and more, and a stream needs a few answers to get on.
constexpr absl::Duration kLeastConnectionAge = absl::Minutes(1);

// The first error, if any.
absl::Status FirstError(std::initializer_list<absl::Status> statuses) {
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Fails with the key's line where `status` does.
absl::Status At(const ConfigSection& section, const std::string& key, const absl::Status& status) {
  return status.ok() ? status : section.Error(key, status.message());
}

// The file's sections of single values, by name; those that are not there are left out.
using Sections = std::map<std::string, ConfigSection>;

absl::Status CheckTls(const Sections& sections) {
  const auto tls = sections.find("tls");
  if (tls == sections.end()) return absl::OkStatus();
  for (const char* key : {"cert_file", "key_file"}) {
    if (!tls->second.Has(key)) {
      return tls->second.Error(key, "is missing; TLS needs cert_file and key_file");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckMetrics(const Sections& sections, const ServerConfig& config) {
  const auto metrics = sections.find("metrics");
  if (metrics == sections.end()) return absl::OkStatus();
  if (!metrics->second.Has("listen")) {
    return metrics->second.Error("listen", "is missing; write HOST:PORT, such as 127.0.0.1:9464");
  }
  return At(metrics->second, "listen", ParseListenAddress(config.metrics_listen).status());
}

absl::Status CheckConnectionAge(const ConfigSection& root, const ServerConfig& config) {
  if (config.max_connection_age >= kLeastConnectionAge) return absl::OkStatus();
  return root.Error("max_connection_age",
                    "is below 1m; what an answer of Intercom's takes may be more than that, and "
                    "a stream that ends before it has one begins where the last began");
}

absl::Status CheckHttp(const Sections& sections, const ServerConfig& config) {
  const auto http = sections.find("http");
  if (http == sections.end() || !http->second.Has("ca_file") ||
      std::ifstream(config.http.ca_file)) {
    return absl::OkStatus();
  }
  return http->second.Error(
      "ca_file", absl::StrCat("cannot read ", config.http.ca_file, ": ", std::strerror(errno)));
}

// The keys of a section of single values; "" is the file itself.
std::vector<std::string> KeysOf(const std::string& section) {
  std::vector<std::string> keys;
  for (const Setting& setting : SettingList()) {
    if (setting.section() == section) {
      keys.push_back(setting.name());
    } else if (section.empty() &&
               std::find(keys.begin(), keys.end(), setting.section()) == keys.end()) {
      keys.push_back(setting.section());
    }
  }
  return keys;
}

// Reads and checks everything but connections and callers.
absl::Status ReadSettings(const ConfigSection& root, ServerConfig* config) {
  Sections sections;
  for (const Setting& setting : SettingList()) {
    const std::string name = setting.section();
    const ConfigSection* section = &root;
    if (!name.empty()) {
      if (!root.Has(name)) continue;
      auto opened = sections.find(name);
      if (opened == sections.end()) {
        absl::StatusOr<ConfigSection> child = root.OpenChild(name, KeysOf(name));
        if (!child.ok()) return child.status();
        opened = sections.emplace(name, *std::move(child)).first;
      }
      section = &opened->second;
    }
    const absl::Status read = setting.read(*section, setting.name(), config);
    if (!read.ok()) return read;
  }
  return FirstError({CheckConnectionAge(root, *config),
                     At(root, "listen", ParseListenAddress(config->listen).status()),
                     CheckTls(sections), CheckMetrics(sections, *config),
                     CheckHttp(sections, *config)});
}

absl::StatusOr<Connection> ReadConnection(const ConfigSection& section,
                                          const SecretSources& secrets) {
  Connection connection;
  const absl::Status read = FirstError(
      {section.Read("name", &connection.name), section.Read("base_url", &connection.base_url),
       section.Read("api_version", &connection.api_version),
       section.ReadShare("quota_reserve", &connection.quota_reserve)});
  if (!read.ok()) return read;
  // Names travel in requests, logs and error metadata.
  if (!IsConfigName(connection.name)) {
    return section.Error("name", "must be 1 to 64 letters, digits, '-', '_' or '.'");
  }
  if (section.Has("region")) {
    if (section.Has("base_url")) {
      return section.Error("region", "stands beside base_url; keep one of the two");
    }
    std::string region;
    const absl::Status region_read = section.Read("region", &region);
    if (!region_read.ok()) return region_read;
    const absl::StatusOr<std::string> base_url = RegionBaseUrl(region);
    if (!base_url.ok()) {
      return section.Error("region", absl::StripPrefix(base_url.status().message(), "region: "));
    }
    connection.base_url = *base_url;
  } else if (section.Get("region").IsDefined()) {
    return section.Error("region", "has no value; write us, eu or au");
  }
  // A trailing slash is how people copy URLs; it says nothing more.
  connection.base_url = std::string(absl::StripSuffix(connection.base_url, "/"));
  const absl::Status found =
      FirstError({ReadConfigSecret(section, "access_token", secrets, &connection.access_token),
                  ReadConfigSecret(section, "resume_key", secrets, &connection.resume_key)});
  if (!found.ok()) return found;
  if (connection.access_token.empty()) {
    return section.Error(
        "there is no access token; name its source with access_token_file, access_token_env or "
        "access_token_command");
  }
  const absl::Status valid = ValidateConnection(connection);
  if (!valid.ok()) {
    // The section's name and line already say which connection it is.
    const absl::string_view what =
        absl::StripPrefix(valid.message(), absl::StrCat("connection ", connection.name, ": "));
    const std::string key = absl::StartsWith(what, "base_url")      ? "base_url"
                            : absl::StartsWith(what, "api_version") ? "api_version"
                                                                    : "";
    if (key.empty()) return section.Error(what);
    return section.Error(key, absl::StripPrefix(absl::StripPrefix(what, key), ": "));
  }
  return connection;
}

absl::Status ReadConnections(const ConfigSection& root, const std::string& file,
                             const SecretSources& secrets, std::vector<Connection>* connections) {
  const YAML::Node list = root.Get("connections");
  if (!root.Has("connections") || !list.IsSequence() || list.size() == 0) {
    return root.Error("connections",
                      "must list at least one connection; write \"- name: default\" and its "
                      "access_token_env below it");
  }
  // By name, the line of each.
  std::map<std::string, int> lines;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string path = absl::StrCat("connections[", i, "]");
    const YAML::Node entry = list[i];
    if (entry.IsMap() && entry["access_token"]) {
      return ConfigError(
          file, entry["access_token"].Mark(), absl::StrCat(path, ".access_token"),
          "a token does not belong into this file, which gets copied and committed; put it into "
          "a file or an environment variable and name that with access_token_file or "
          "access_token_env");
    }
    const absl::StatusOr<ConfigSection> section =
        ConfigSection::Open(file, path, entry,
                            {"name", "region", "base_url", "access_token_env", "access_token_file",
                             "access_token_command", "resume_key_env", "resume_key_file",
                             "resume_key_command", "api_version", "quota_reserve", "privacy"});
    if (!section.ok()) return section.status();
    absl::StatusOr<Connection> connection = ReadConnection(*section, secrets);
    if (!connection.ok()) return connection.status();
    auto privacy = ReadPrivacy(*section, file, path, secrets);
    if (!privacy.ok()) return privacy.status();
    connection->privacy = *std::move(privacy);
    const auto inserted = lines.emplace(connection->name, entry.Mark().line + 1);
    if (!inserted.second) {
      return section->Error(
          "name", absl::StrCat("\"", connection->name, "\" is the name of the connection in line ",
                               inserted.first->second, " already; choose another"));
    }
    connections->push_back(*std::move(connection));
  }
  return absl::OkStatus();
}

// Puts values in the place of the file's, and says where they are from.
std::shared_ptr<const ValueSources> Override(const SettingOverrides& overrides,
                                             YAML::Node* document) {
  auto sources = std::make_shared<ValueSources>();
  for (const Setting& setting : SettingList()) {
    const auto found = overrides.find(setting.key);
    if (found == overrides.end()) continue;
    YAML::Node section = *document;
    if (!setting.section().empty()) {
      const YAML::Node present = (*document)[setting.section()];
      // What is no section is for its reader to refuse.
      if (present.IsDefined() && !present.IsNull() && !present.IsMap()) continue;
      section.reset((*document)[setting.section()]);
    }
    section[setting.name()] = found->second.value;
    sources->emplace(setting.key, found->second.source);
  }
  return sources;
}

// To YAML, what begins with a star is the name of something else, and what it says then
// helps nobody.
std::string HintAtStars(const std::string& text) {
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (!absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), "*.")) continue;
    return absl::StrCat("; line ", number, " begins with a star: write \"*.COLUMN\" in quotes");
  }
  return "";
}

absl::StatusOr<ServerConfig> ReadDocument(YAML::Node document, const std::string& file,
                                          const SecretSources& secrets,
                                          const SettingOverrides& overrides) {
  if (document.IsNull()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":1: connections: must list at least one connection"));
  }
  std::shared_ptr<const ValueSources> sources;
  if (document.IsMap()) sources = Override(overrides, &document);
  std::vector<std::string> keys = KeysOf("");
  keys.insert(keys.end(), {"connections", "callers"});
  const absl::StatusOr<ConfigSection> root =
      ConfigSection::Open(file, "", document, keys, std::move(sources));
  if (!root.ok()) return root.status();

  ServerConfig config;
  const absl::Status read = ReadSettings(*root, &config);
  if (!read.ok()) return read;
  SecretSources noted = secrets;
  noted.variable = [&](const std::string& variable) {
    config.secret_variables.push_back(variable);
    return secrets.variable(variable);
  };
  const absl::Status connections = ReadConnections(*root, file, noted, &config.connections);
  if (!connections.ok()) return connections;
  absl::StatusOr<std::vector<CallerConfig>> callers =
      ReadCallers(*root, file, config.connections, !config.tls_client_ca_file.empty());
  if (!callers.ok()) return callers.status();
  config.callers = *std::move(callers);
  return config;
}

}  // namespace

absl::StatusOr<ServerConfig> ParseServerConfig(const std::string& text, const std::string& file,
                                               const SecretSources& secrets,
                                               const SettingOverrides& overrides) {
  // yaml-cpp throws for what is no YAML, and later for a node that is not what it is asked
  // to be: a running server that reads its file again must survive that, too.
  try {
    return ReadDocument(YAML::Load(text), file, secrets, overrides);
  } catch (const YAML::Exception& error) {
    return ConfigError(file, error.mark, "",
                       absl::StrCat("not YAML: ", error.msg, HintAtStars(text)));
  }
}

absl::StatusOr<ServerConfig> LoadServerConfig(const std::string& file,
                                              const SettingOverrides& overrides) {
  const absl::StatusOr<std::string> text = ReadSmallFile(file, kMaxConfigBytes);
  if (!text.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": cannot read it: ", text.status().message()));
  }
  return ParseServerConfig(*text, file, SystemSecrets(), overrides);
}

}  // namespace intercom_extractor

#include "server/server_config.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "server/caller_section.h"
#include "server/config_secret.h"
#include "server/config_section.h"
#include "server/listen_address.h"
#include "server/privacy_section.h"
#include "server/secrets.h"
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

absl::Status ReadTls(const ConfigSection& root, const std::string& file, ServerConfig* config) {
  if (!root.Has("tls")) return absl::OkStatus();
  const absl::StatusOr<ConfigSection> tls = ConfigSection::Open(
      file, "tls", root.Get("tls"), {"cert_file", "key_file", "client_ca_file"});
  if (!tls.ok()) return tls.status();
  const absl::Status read = FirstError({tls->Read("cert_file", &config->tls_cert_file),
                                        tls->Read("key_file", &config->tls_key_file),
                                        tls->Read("client_ca_file", &config->tls_client_ca_file)});
  if (!read.ok()) return read;
  if (!tls->Has("cert_file"))
    return tls->Error("cert_file", "is missing; TLS needs cert_file and key_file");
  if (!tls->Has("key_file"))
    return tls->Error("key_file", "is missing; TLS needs cert_file and key_file");
  return absl::OkStatus();
}

absl::Status ReadMetrics(const ConfigSection& root, const std::string& file, ServerConfig* config) {
  if (!root.Has("metrics")) return absl::OkStatus();
  const absl::StatusOr<ConfigSection> metrics =
      ConfigSection::Open(file, "metrics", root.Get("metrics"), {"listen", "allow_plaintext"});
  if (!metrics.ok()) return metrics.status();
  const absl::Status read =
      FirstError({metrics->Read("listen", &config->metrics_listen),
                  metrics->Read("allow_plaintext", &config->metrics_allow_plaintext)});
  if (!read.ok()) return read;
  if (!metrics->Has("listen")) {
    return metrics->Error("listen", "is missing; write HOST:PORT, such as 127.0.0.1:9464");
  }
  return At(*metrics, "listen", ParseListenAddress(config->metrics_listen).status());
}

absl::Status ReadConnectionAge(const ConfigSection& root, ServerConfig* config) {
  const absl::Status read =
      FirstError({root.Read("max_connection_age", &config->max_connection_age),
                  root.Read("max_connection_age_grace", &config->max_connection_age_grace)});
  if (!read.ok()) return read;
  if (config->max_connection_age < kLeastConnectionAge) {
    return root.Error("max_connection_age",
                      "is below 1m; what an answer of Intercom's takes may be more than that, and "
                      "a stream that ends before it has one begins where the last began");
  }
  return absl::OkStatus();
}

absl::Status ReadHttp(const ConfigSection& root, const std::string& file,
                      HttpClient::Options* http) {
  if (!root.Has("http")) return absl::OkStatus();
  const absl::StatusOr<ConfigSection> section = ConfigSection::Open(
      file, "http", root.Get("http"),
      {"connect_timeout", "transfer_timeout", "low_speed_timeout", "max_connections", "ca_file"});
  if (!section.ok()) return section.status();
  const absl::Status read =
      FirstError({section->Read("connect_timeout", &http->connect_timeout),
                  section->Read("transfer_timeout", &http->transfer_timeout),
                  section->Read("low_speed_timeout", &http->low_speed_timeout),
                  section->Read("max_connections", 1, 1024, &http->max_connections),
                  section->Read("ca_file", &http->ca_file)});
  if (!read.ok()) return read;
  if (section->Has("ca_file") && !std::ifstream(http->ca_file)) {
    return section->Error("ca_file",
                          absl::StrCat("cannot read ", http->ca_file, ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<Connection> ReadConnection(const ConfigSection& section) {
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
  const absl::Status secrets =
      FirstError({ReadConfigSecret(section, "access_token", &connection.access_token),
                  ReadConfigSecret(section, "resume_key", &connection.resume_key)});
  if (!secrets.ok()) return secrets;
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
                             std::vector<Connection>* connections) {
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
    absl::StatusOr<Connection> connection = ReadConnection(*section);
    if (!connection.ok()) return connection.status();
    auto privacy = ReadPrivacy(*section, file, path);
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

absl::StatusOr<ServerConfig> ReadDocument(const YAML::Node& document, const std::string& file) {
  if (document.IsNull()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":1: connections: must list at least one connection"));
  }
  const absl::StatusOr<ConfigSection> root =
      ConfigSection::Open(file, "", document,
                          {"listen", "allow_plaintext", "tls", "reflection", "channelz", "metrics",
                           "handshake_timeout", "max_streams", "max_connection_age",
                           "max_connection_age_grace", "http", "connections", "callers"});
  if (!root.ok()) return root.status();

  ServerConfig config;
  const absl::Status read = FirstError(
      {root->Read("listen", &config.listen), root->Read("reflection", &config.reflection),
       root->Read("channelz", &config.channelz),
       root->Read("allow_plaintext", &config.allow_plaintext),
       root->Read("handshake_timeout", &config.handshake_timeout),
       root->Read("max_streams", 1, 100'000, &config.max_streams)});
  if (!read.ok()) return read;
  const absl::Status age = ReadConnectionAge(*root, &config);
  if (!age.ok()) return age;
  const absl::Status listen = At(*root, "listen", ParseListenAddress(config.listen).status());
  if (!listen.ok()) return listen;
  const absl::Status tls = ReadTls(*root, file, &config);
  if (!tls.ok()) return tls;
  const absl::Status metrics = ReadMetrics(*root, file, &config);
  if (!metrics.ok()) return metrics;
  const absl::Status http = ReadHttp(*root, file, &config.http);
  if (!http.ok()) return http;
  const absl::Status connections = ReadConnections(*root, file, &config.connections);
  if (!connections.ok()) return connections;
  absl::StatusOr<std::vector<CallerConfig>> callers =
      ReadCallers(*root, file, config.connections, !config.tls_client_ca_file.empty());
  if (!callers.ok()) return callers.status();
  config.callers = *std::move(callers);
  return config;
}

}  // namespace

absl::StatusOr<ServerConfig> LoadServerConfig(const std::string& file) {
  const absl::StatusOr<std::string> text = ReadSmallFile(file, kMaxConfigBytes);
  if (!text.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": cannot read it: ", text.status().message()));
  }
  // yaml-cpp throws for what is no YAML, and later for a node that is not what it is asked
  // to be: a running server that reads its file again must survive that, too.
  try {
    return ReadDocument(YAML::Load(*text), file);
  } catch (const YAML::Exception& error) {
    return ConfigError(file, error.mark, "", absl::StrCat("not YAML: ", error.msg));
  }
}

}  // namespace intercom_extractor

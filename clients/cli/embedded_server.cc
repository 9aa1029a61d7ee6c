#include "clients/cli/embedded_server.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "extractor/intercom/connection.h"
#include "server/secrets.h"
#include "server/server_config.h"

namespace intercom_extractor {
namespace {

constexpr char kTokenVariable[] = "INTERCOM_ACCESS_TOKEN";

bool IsSet(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

absl::StatusOr<std::string> ReadToken(const ConnectionOptions& options) {
  if (!options.access_token_file.empty()) return ReadSecretFile(options.access_token_file);
  if (!IsSet(kTokenVariable)) {
    return absl::InvalidArgumentError(
        absl::StrCat("no access token: set ", kTokenVariable,
                     ", or give --access-token-file FILE, --config FILE, or --server HOST:PORT"));
  }
  return ReadSecretVariable(kTokenVariable);
}

absl::StatusOr<Connection> ConnectionFromFlags(const ConnectionOptions& options) {
  Connection connection;
  connection.name = options.connection;
  if (!options.base_url.empty()) {
    connection.base_url = options.base_url;
    while (connection.base_url.size() > 1 && connection.base_url.back() == '/') {
      connection.base_url.pop_back();
    }
  } else if (!options.region.empty()) {
    auto base_url = RegionBaseUrl(options.region);
    if (!base_url.ok()) return base_url.status();
    connection.base_url = *std::move(base_url);
  }
  if (options.quota_reserve.has_value()) connection.quota_reserve = *options.quota_reserve;
  auto token = ReadToken(options);
  if (!token.ok()) return token.status();
  connection.access_token = *std::move(token);
  if (absl::Status status = ValidateConnection(connection); !status.ok()) return status;
  return connection;
}

}  // namespace

absl::StatusOr<ServerConfig> EmbeddedServerConfig(const ConnectionOptions& options,
                                                  bool needs_token) {
  ServerConfig config;
  if (!needs_token) {
    // A server has at least one connection. This one is never used: who needs no
    // token asks nothing of Intercom.
    Connection unused;
    unused.access_token = "unused";
    config.connections.push_back(std::move(unused));
  } else if (!options.config.empty()) {
    auto loaded = LoadServerConfig(options.config);
    if (!loaded.ok()) return loaded.status();
    config = *std::move(loaded);
    if (options.quota_reserve.has_value()) {
      for (Connection& connection : config.connections) {
        connection.quota_reserve = *options.quota_reserve;
      }
    }
  } else {
    auto connection = ConnectionFromFlags(options);
    if (!connection.ok()) return connection.status();
    config.connections.push_back(*std::move(connection));
  }
  // Nobody else is served, whatever a file says of ports and certificates.
  config.listen.clear();
  config.tls_cert_file.clear();
  config.tls_key_file.clear();
  config.tls_client_ca_file.clear();
  config.callers.clear();
  config.max_streams = 0;
  config.reflection = false;
  config.max_connection_age = absl::InfiniteDuration();
  if (!options.ca_file.empty()) config.http.ca_file = options.ca_file;
  return config;
}

absl::StatusOr<std::unique_ptr<ExtractorServer>> StartEmbeddedServer(
    const ConnectionOptions& options, bool needs_token) {
  auto config = EmbeddedServerConfig(options, needs_token);
  if (!config.ok()) return config.status();
  return ExtractorServer::Start(*config);
}

}  // namespace intercom_extractor

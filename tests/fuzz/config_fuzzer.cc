// What operators and users write: a server's configuration, addresses, hashes of tokens,
// URLs of sinks. A byte says which.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clients/sinks/kafka/kafka_url.h"
#include "clients/sinks/nats/nats_url.h"
#include "clients/sinks/postgres/postgres_url.h"
#include "clients/sinks/redis/redis_url.h"
#include "clients/sinks/sink_url.h"
#include "extractor/intercom/connection.h"
#include "server/caller_token.h"
#include "server/config_secret.h"
#include "server/config_section.h"
#include "server/listen_address.h"
#include "server/server_config.h"
#include "tests/fuzz/input_bytes.h"
#include "tests/fuzz/require.h"

namespace intercom_extractor::fuzz {
namespace {

constexpr absl::string_view kFile = "server.yaml";
// What a token or a password would be: it stands in the input where a byte 1 is.
constexpr absl::string_view kSecret = "Zm9vYmFyc2VjcmV0";

void RequireInvalidArgument(const absl::Status& status) {
  Require(absl::IsInvalidArgument(status), "what is wrong is INVALID_ARGUMENT", status.ToString());
  Require(!status.message().empty(), "and says why");
}

// Nothing outside of this process, whatever the configuration names.
SecretSources Secrets() {
  const auto secret = [](const std::string& name) -> absl::StatusOr<std::string> {
    if (name.size() % 3 == 1) return absl::InvalidArgumentError("there is none");
    return std::string(kSecret);
  };
  return {secret, secret, [secret](const std::vector<std::string>& command) {
            Require(!command.empty() && !command[0].empty(), "a command has a program");
            return secret(command[0]);
          }};
}

void CheckCaller(const CallerConfig& caller, const ServerConfig& config) {
  Require(IsConfigName(caller.name), "a caller's name may stand in a log");
  Require(!caller.token_hashes.empty() || !caller.certificate_names.empty(),
          "a caller shows something");
  Require(caller.certificate_names.empty() || !config.tls_client_ca_file.empty(),
          "certificates are asked for");
  for (const std::string& hash : caller.token_hashes) {
    Require(hash.size() == 32, "a hash has its size");
  }
  for (const std::string& connection : caller.connections) {
    Require(std::any_of(config.connections.begin(), config.connections.end(),
                        [&](const Connection& one) { return one.name == connection; }),
            "a caller's connections are there", connection);
  }
}

void CheckServerConfig(const std::string& text) {
  const absl::StatusOr<ServerConfig> config =
      ParseServerConfig(text, std::string(kFile), Secrets());
  if (!config.ok()) {
    RequireInvalidArgument(config.status());
    Require(absl::StartsWith(config.status().message(), kFile), "errors name the file",
            config.status().message());
    Require(
        absl::StrContains(text, kSecret) || !absl::StrContains(config.status().message(), kSecret),
        "errors never hold a secret", config.status().message());
    return;
  }
  Require(ParseListenAddress(config->listen).ok(), "where to listen can be told");
  Require(config->tls_cert_file.empty() == config->tls_key_file.empty(), "both or neither");
  Require(config->max_streams >= 1 && config->max_connection_age >= absl::Minutes(1) &&
              config->handshake_timeout >= absl::Seconds(1) &&
              config->handshake_timeout <= absl::Hours(1),
          "amounts are what can be");
  std::set<std::string> names;
  Require(!config->connections.empty(), "there is a connection");
  for (const Connection& connection : config->connections) {
    Require(IsConfigName(connection.name) && names.insert(connection.name).second,
            "connections can be told apart", connection.name);
    Require(ValidateConnection(connection).ok() && !connection.access_token.empty(),
            "connections can be used");
    Require(connection.quota_reserve >= 0 && connection.quota_reserve < 1, "a share is one");
  }
  for (const CallerConfig& caller : config->callers) CheckCaller(caller, *config);
}

// Names of parameters are repeated, unlike everything else.
bool NamesSecret(const std::string& url) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(url, absl::MaxSplits('?', 1));
  for (const absl::string_view parameter : absl::StrSplit(parts.second, '&')) {
    const std::vector<absl::string_view> sides = absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    if (absl::StrContains(sides[0], kSecret)) return true;
  }
  return false;
}

template <typename Target>
void CheckUrl(const std::string& url, const absl::StatusOr<Target>& target) {
  if (target.ok()) {
    Require(!target->name().empty(), "a target has a name");
    return;
  }
  RequireInvalidArgument(target.status());
  Require(NamesSecret(url) || !absl::StrContains(target.status().message(), kSecret),
          "errors quote nothing that may be a password",
          absl::StrCat(url, "\n", std::string(target.status().message())));
}

void CheckSinkUrl(const std::string& url) {
  if (IsPostgresUrl(url)) {
    const absl::StatusOr<PostgresTarget> target = ParsePostgresUrl(url);
    CheckUrl(url, target);
    if (!target.ok()) return;
    // What stands elsewhere is no password.
    const bool elsewhere =
        absl::StrContains(target->schema, kSecret) ||
        std::any_of(target->parameters.begin(), target->parameters.end(), [](const auto& one) {
          return one.first != "password" && absl::StrContains(one.second, kSecret);
        });
    Require(elsewhere || !absl::StrContains(target->name(), kSecret), "a password is not shown",
            url);
  }
  if (IsKafkaUrl(url)) CheckUrl(url, ParseKafkaUrl(url));
  if (IsNatsUrl(url)) CheckUrl(url, ParseNatsUrl(url));
  if (IsRedisUrl(url)) CheckUrl(url, ParseRedisUrl(url));
  const absl::StatusOr<SinkUrl> parts = ParseSinkUrl(url, "scheme://HOST:PORT/");
  if (!parts.ok()) return RequireInvalidArgument(parts.status());
  Require(!parts->hosts.empty(), "a URL has hosts");
  for (const std::string& text : parts->hosts) {
    std::string host;
    int port = 1;
    if (SplitHostPort(text, &host, &port)) {
      Require(port >= 0 && port <= 65535, "a port is one", text);
    }
  }
}

void CheckAddress(const std::string& text) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
  if (!address.ok()) return RequireInvalidArgument(address.status());
  Require(!address->text.empty() && address->is_unix_socket == address->host.empty(),
          "an address is one", text);
  // Whoever is not local needs TLS.
  Require(!address->is_local || address->is_unix_socket || address->host == "localhost" ||
              absl::StartsWith(address->host, "127.") || absl::StrContains(address->host, ':'),
          "only this machine is local", text);
}

void CheckTokenHash(const std::string& text) {
  const absl::StatusOr<std::string> hash = ParseCallerTokenHash(text);
  if (hash.ok()) {
    Require(text.size() == 64 && hash->size() == 32 && SameHash(*hash, *hash), "64 digits", text);
    return;
  }
  RequireInvalidArgument(hash.status());
  Require(!absl::StrContains(hash.status().message(), kSecret), "the text is not repeated");
}

}  // namespace
}  // namespace intercom_extractor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace intercom_extractor::fuzz;  // NOLINT(google-build-using-namespace)
  InputBytes input(data, size);
  const size_t what = input.Below(4);
  const std::string text =
      absl::StrReplaceAll(input.rest(), {{absl::string_view("\1", 1), kSecret}});
  switch (what) {
    case 0:
      CheckServerConfig(text);
      break;
    case 1:
      CheckSinkUrl(text);
      break;
    case 2:
      CheckAddress(text);
      break;
    default:
      CheckTokenHash(text);
  }
  return 0;
}

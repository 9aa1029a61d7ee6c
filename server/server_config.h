#ifndef SERVER_SERVER_CONFIG_H_
#define SERVER_SERVER_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "extractor/http/http_client.h"
#include "extractor/intercom/connection.h"
#include "server/caller_config.h"
#include "server/config_secret.h"
#include "server/setting_overrides.h"

namespace intercom_extractor {

// Everything that an operator can set.
struct ServerConfig {
  // "127.0.0.1:50051", "unix:/run/...". Other than loopback or unix needs TLS, or
  // `allow_plaintext`.
  std::string listen = "127.0.0.1:50051";
  bool allow_plaintext = false;
  // PEM files; both or neither. `tls_client_ca_file` demands client certificates.
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_client_ca_file;
  bool reflection = true;
  // Extractions that run at once, for all callers together; 0: any number.
  int max_streams = 256;
  // A connection that is not ready for calls after it is closed.
  absl::Duration handshake_timeout = absl::Seconds(10);
  // gRPC's own debugging service, which tells callers who else is connected.
  bool channelz = false;
  // HOST:PORT of the port for those who watch (see watch_http.h); empty: none. Other than
  // loopback needs `metrics_allow_plaintext`.
  std::string metrics_listen;
  bool metrics_allow_plaintext = false;
  // After it a connection takes no new calls and its streams end with a checkpoint, those
  // with what cannot be continued up to `max_connection_age_grace` later; a reader that
  // lags is cut after as long again. Infinite: lives on.
  absl::Duration max_connection_age = absl::InfiniteDuration();
  absl::Duration max_connection_age_grace = absl::Minutes(10);
  // "text" or "json"; "debug", "info", "warn" or "error".
  std::string log_format = "text";
  std::string log_level = "info";
  HttpClient::Options http;
  std::vector<Connection> connections;
  // Empty: everybody who can connect may use all connections.
  std::vector<CallerConfig> callers;
  // Names of the environment variables that hold secrets.
  std::vector<std::string> secret_variables;
};

// The text of a configuration; `file` is how errors call it. Otherwise as
// LoadServerConfig().
absl::StatusOr<ServerConfig> ParseServerConfig(const std::string& text, const std::string& file,
                                               const SecretSources& secrets,
                                               const SettingOverrides& overrides = {});

// Reads a YAML configuration file; the sample in docs/server.example.yaml says
// what can stand there. Secrets are read from the environment variable, file or
// command that a connection names. kInvalidArgument: "FILE:LINE: key: what is
// wrong; what to write instead" (did-you-mean for unknown keys), never a token. `overrides`
// come before what the file says; errors in them name their source instead of the file.
absl::StatusOr<ServerConfig> LoadServerConfig(const std::string& file,
                                              const SettingOverrides& overrides = {});

}  // namespace intercom_extractor

#endif  // SERVER_SERVER_CONFIG_H_

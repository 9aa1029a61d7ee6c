#include "server/config_changes.h"

namespace intercom_extractor {

std::vector<std::string> ChangesForRestart(const ServerConfig& running, const ServerConfig& next) {
  std::vector<std::string> changed;
  const auto compare = [&](const char* name, const auto& a, const auto& b) {
    if (a != b) changed.emplace_back(name);
  };
  compare("listen", running.listen, next.listen);
  compare("allow_plaintext", running.allow_plaintext, next.allow_plaintext);
  // The files' contents are read again; their names are not.
  compare("tls.cert_file", running.tls_cert_file, next.tls_cert_file);
  compare("tls.key_file", running.tls_key_file, next.tls_key_file);
  compare("tls.client_ca_file", running.tls_client_ca_file, next.tls_client_ca_file);
  compare("reflection", running.reflection, next.reflection);
  compare("handshake_timeout", running.handshake_timeout, next.handshake_timeout);
  compare("max_connection_age", running.max_connection_age, next.max_connection_age);
  compare("max_connection_age_grace", running.max_connection_age_grace,
          next.max_connection_age_grace);
  compare("http.connect_timeout", running.http.connect_timeout, next.http.connect_timeout);
  compare("http.transfer_timeout", running.http.transfer_timeout, next.http.transfer_timeout);
  compare("http.low_speed_timeout", running.http.low_speed_timeout, next.http.low_speed_timeout);
  compare("http.max_connections", running.http.max_connections, next.http.max_connections);
  compare("http.ca_file", running.http.ca_file, next.http.ca_file);
  return changed;
}

}  // namespace intercom_extractor

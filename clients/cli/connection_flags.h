#ifndef CLIENTS_CLI_CONNECTION_FLAGS_H_
#define CLIENTS_CLI_CONNECTION_FLAGS_H_

#include <optional>
#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace intercom_extractor {

// How the server, and through it Intercom, is reached.
struct ConnectionOptions {
  std::string connection = "default";

  // A server elsewhere, "host:port" or "unix:/path"; empty: the server runs
  // inside this process.
  std::string server;
  std::string caller_token_file;
  std::string cert_file;
  std::string key_file;
  // With `server` the authority of its certificate, else an extra one of
  // Intercom's.
  std::string ca_file;

  // Inside this process only.
  std::string config;
  std::string region;
  std::string base_url;
  std::string access_token_file;
  std::optional<double> quota_reserve;

  bool embedded() const { return server.empty(); }
};

// Lets `command` take the flags for these options; `embedded` becomes whether
// --embedded was given. Both must live until the arguments are parsed.
void AddConnectionFlags(CLI::App* command, ConnectionOptions* options, bool* embedded);

// What is wrong with the combination of connection flags; empty when nothing is.
std::string ConnectionMistake(const ConnectionOptions& options, bool embedded);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_CONNECTION_FLAGS_H_

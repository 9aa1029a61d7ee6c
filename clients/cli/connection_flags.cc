#include "clients/cli/connection_flags.h"

#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"

namespace intercom_extractor {

void AddConnectionFlags(CLI::App* command, ConnectionOptions* options, bool* embedded) {
  const std::string where = "Connection";
  command->add_option("--connection", options->connection, "Name of the connection to Intercom")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(where);
  command
      ->add_flag("--embedded", *embedded,
                 "Run the server inside this process; the default without --server. The access "
                 "token comes from INTERCOM_ACCESS_TOKEN, --access-token-file or --config")
      ->group(where);
  command
      ->add_option("--server", options->server,
                   "Use this server instead. Plain text to the loopback and unix:/path, TLS "
                   "elsewhere or with --ca-file")
      ->type_name("HOST:PORT")
      ->group(where);
  const std::string inside = "Connection, embedded";
  command
      ->add_option("--access-token-file", options->access_token_file,
                   "File with Intercom's access token")
      ->type_name("FILE")
      ->group(inside);
  command->add_option("--region", options->region, "Where the workspace's data lives: us, eu, au")
      ->type_name("REGION")
      ->check(CLI::IsMember({"us", "eu", "au"}))
      ->group(inside);
  command
      ->add_option("--base-url", options->base_url,
                   "Another address of Intercom's API; plain http to the loopback only")
      ->type_name("URL")
      ->group(inside);
  command
      ->add_option("--config", options->config,
                   "Server configuration (YAML) that names the connections")
      ->type_name("FILE")
      ->group(inside);
  command
      ->add_option("--quota-reserve", options->quota_reserve,
                   "Share of the request quota left to the workspace's other apps, at least 0 and "
                   "below 1 [0.1]")
      ->type_name("SHARE")
      ->group(inside);
  const std::string remote = "Connection, with --server";
  command
      ->add_option("--caller-token-file", options->caller_token_file,
                   "File with the token that the server asks its callers for")
      ->type_name("FILE")
      ->group(remote);
  command
      ->add_option("--ca-file", options->ca_file,
                   "Certificate authorities to trust (PEM): the server's, or embedded an extra "
                   "one for Intercom's HTTPS")
      ->type_name("FILE")
      ->group(remote);
  command->add_option("--cert-file", options->cert_file, "Client certificate (PEM)")
      ->type_name("FILE")
      ->group(remote);
  command->add_option("--key-file", options->key_file, "Key of --cert-file (PEM)")
      ->type_name("FILE")
      ->group(remote);
}

std::string ConnectionMistake(const ConnectionOptions& options, bool embedded) {
  if (!options.server.empty()) {
    if (embedded) return "--server and --embedded exclude each other: name one of them";
    const std::pair<const char*, bool> of_the_server[] = {
        {"--base-url", !options.base_url.empty()},
        {"--region", !options.region.empty()},
        {"--config", !options.config.empty()},
        {"--quota-reserve", options.quota_reserve.has_value()},
        {"--access-token-file", !options.access_token_file.empty()},
    };
    for (const auto& [flag, given] : of_the_server) {
      if (!given) continue;
      return absl::StrCat(flag,
                          " cannot be used with --server: the server's own configuration "
                          "says how Intercom is reached; choose one with --connection");
    }
    if (options.cert_file.empty() != options.key_file.empty()) {
      return "--cert-file and --key-file belong together: give both";
    }
    return "";
  }
  const std::pair<const char*, bool> of_a_caller[] = {
      {"--caller-token-file", !options.caller_token_file.empty()},
      {"--cert-file", !options.cert_file.empty()},
      {"--key-file", !options.key_file.empty()},
  };
  for (const auto& [flag, given] : of_a_caller) {
    if (given) return absl::StrCat(flag, " is for a server: add --server HOST:PORT or drop it");
  }
  if (!options.base_url.empty() && !options.region.empty()) {
    return "--base-url and --region exclude each other: a region is a base URL";
  }
  if (!options.config.empty() && (!options.base_url.empty() || !options.region.empty() ||
                                  !options.access_token_file.empty())) {
    return "--base-url, --region and --access-token-file cannot be used with --config: the file "
           "says them for each connection; choose one with --connection";
  }
  if (options.quota_reserve.has_value() &&
      !(*options.quota_reserve >= 0 && *options.quota_reserve < 1)) {
    return "--quota-reserve must be at least 0 and below 1, such as 0.1";
  }
  return "";
}

}  // namespace intercom_extractor

#ifndef CLIENTS_CLI_LOGIN_FLAGS_H_
#define CLIENTS_CLI_LOGIN_FLAGS_H_

#include <string>

#include "absl/time/time.h"
#include "clients/cli/connection_flags.h"

namespace CLI {
class App;
}  // namespace CLI

namespace intercom_extractor {

struct LoginOptions {
  // Name, region or base URL, and extra authority; `access_token_file` is where the token goes:
  // "-" for standard output, empty for a file of that connection's.
  ConnectionOptions connection;
  std::string client_id;           // Empty: from INTERCOM_CLIENT_ID.
  std::string client_secret_file;  // Empty: from INTERCOM_CLIENT_SECRET.
  std::string redirect_url = "https://localhost:8765/callback";
  absl::Duration timeout = absl::Minutes(10);
};

// The command `login` of `app`, which fills `options` and writes --timeout to `timeout`. Both
// must live until the arguments are parsed.
CLI::App* AddLoginCommand(CLI::App* app, LoginOptions* options, std::string* timeout);

// What is wrong with the flags; empty when nothing is.
std::string ReadLoginFlags(const std::string& timeout, LoginOptions* options);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_LOGIN_FLAGS_H_

#ifndef CLIENTS_CLI_LOGIN_COMMAND_H_
#define CLIENTS_CLI_LOGIN_COMMAND_H_

#include <string>

#include "absl/status/statusor.h"
#include "clients/cli/console.h"
#include "clients/cli/exit_code.h"
#include "clients/cli/login_flags.h"
#include "clients/cpp/cancellation.h"

namespace intercom_extractor {

// `intercom-extract login`: gets an access token by Intercom's OAuth and keeps it. Waits for
// the browser at the redirect URL, where that is this machine's, and for its address as a
// line of `input_fd`. Blocks until one came, the time is over, or `interrupt`. After success
// `options->connection.access_token_file` names where the token is. The outcome's message is
// not printed yet.
Outcome RunLogin(LoginOptions* options, int input_fd, const Console& console,
                 Cancellation* interrupt);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_LOGIN_COMMAND_H_

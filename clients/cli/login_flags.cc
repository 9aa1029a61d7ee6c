#include "clients/cli/login_flags.h"

#include "CLI/CLI.hpp"
#include "clients/cli/flag_help.h"
#include "clients/cli/help_texts.h"

namespace intercom_extractor {

CLI::App* AddLoginCommand(CLI::App* app, LoginOptions* options, std::string* timeout) {
  CLI::App* command =
      app->add_subcommand("login", "Get an access token by logging in to Intercom with a browser");
  command->footer(kLoginFooter);
  ConnectionOptions& connection = options->connection;
  command->add_option("--connection", connection.connection, "Whose token this is")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_option("--region", connection.region, "Where the workspace's data lives: us, eu, au")
      ->type_name("REGION")
      ->check(CLI::IsMember({"us", "eu", "au"}));
  command
      ->add_option("--access-token-file", connection.access_token_file,
                   "Where to keep the token, - for stdout "
                   "[~/.config/intercom-extractor/NAME.token]")
      ->type_name("FILE");
  command
      ->add_option("--client-id", options->client_id,
                   "Of the app in Intercom's Developer Hub [INTERCOM_CLIENT_ID]")
      ->type_name("ID");
  command
      ->add_option("--client-secret-file", options->client_secret_file,
                   "File with the app's client secret [the secret in INTERCOM_CLIENT_SECRET]")
      ->type_name("FILE");
  command
      ->add_option("--redirect-url", options->redirect_url,
                   "A redirect URL that the app names. On this machine the program waits there; "
                   "with any other, paste the address that the browser ends at")
      ->type_name("URL")
      ->capture_default_str();
  command->add_option("--timeout", *timeout, "How long to wait for the browser")
      ->type_name("DURATION")
      ->default_str("10m");
  command
      ->add_option("--base-url", connection.base_url,
                   "Another address of Intercom's API, which serves /oauth, too; plain http to the "
                   "loopback only")
      ->type_name("URL");
  command
      ->add_option("--ca-file", connection.ca_file,
                   "An extra certificate authority for Intercom's HTTPS (PEM)")
      ->type_name("FILE");
  WrapHelp(command);
  return command;
}

std::string ReadLoginFlags(const std::string& timeout, LoginOptions* options) {
  if (!timeout.empty() &&
      (!absl::ParseDuration(timeout, &options->timeout) || options->timeout < absl::Seconds(1) ||
       options->timeout > absl::Hours(24))) {
    return "--timeout is a duration from 1s to 24h, such as 10m";
  }
  return ConnectionMistake(options->connection, /*embedded=*/true);
}

}  // namespace intercom_extractor

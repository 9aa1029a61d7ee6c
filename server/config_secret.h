#ifndef SERVER_CONFIG_SECRET_H_
#define SERVER_CONFIG_SECRET_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/config_section.h"

namespace intercom_extractor {

// Where secrets are looked for. Each gives kInvalidArgument where there is none.
struct SecretSources {
  std::function<absl::StatusOr<std::string>(const std::string& variable)> variable;
  std::function<absl::StatusOr<std::string>(const std::string& file)> file;
  std::function<absl::StatusOr<std::string>(const std::vector<std::string>& command)> command;
};

// Those of this process and machine.
SecretSources SystemSecrets();

// Reads the secret from what `<key>_env`, `<key>_file` or `<key>_command` names; leaves it
// empty when none is there. kInvalidArgument with the line, never with the secret.
absl::Status ReadConfigSecret(const ConfigSection& section, const std::string& key,
                              const SecretSources& secrets, std::string* secret);

}  // namespace intercom_extractor

#endif  // SERVER_CONFIG_SECRET_H_

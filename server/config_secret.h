#ifndef SERVER_CONFIG_SECRET_H_
#define SERVER_CONFIG_SECRET_H_

#include <string>

#include "absl/status/status.h"
#include "server/config_section.h"

namespace intercom_extractor {

// Reads the secret from what `<key>_env`, `<key>_file` or `<key>_command` names; leaves it
// empty when none is there. kInvalidArgument with the line, never with the secret.
absl::Status ReadConfigSecret(const ConfigSection& section, const std::string& key,
                              std::string* secret);

}  // namespace intercom_extractor

#endif  // SERVER_CONFIG_SECRET_H_

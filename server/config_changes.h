#ifndef SERVER_CONFIG_CHANGES_H_
#define SERVER_CONFIG_CHANGES_H_

#include <string>
#include <vector>

#include "server/server_config.h"

namespace intercom_extractor {

// The settings, as the file calls them, that `next` has otherwise than `running` and that
// a server can only take over when it starts. All others can be reloaded.
std::vector<std::string> ChangesForRestart(const ServerConfig& running, const ServerConfig& next);

}  // namespace intercom_extractor

#endif  // SERVER_CONFIG_CHANGES_H_

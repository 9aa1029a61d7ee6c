#ifndef SERVER_CONFIG_SUMMARY_H_
#define SERVER_CONFIG_SUMMARY_H_

#include <string>

#include "server/server_config.h"

namespace intercom_extractor {

// What a server with this configuration would serve and to whom, for people: some lines,
// without secrets.
std::string DescribeConfig(const ServerConfig& config);

}  // namespace intercom_extractor

#endif  // SERVER_CONFIG_SUMMARY_H_

#ifndef SERVER_CALLER_SECTION_H_
#define SERVER_CALLER_SECTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "extractor/intercom/connection.h"
#include "server/caller_config.h"
#include "server/config_section.h"

namespace intercom_extractor {

// The callers of a configuration; none when it has no `callers`. `has_client_ca`: whether
// clients must show certificates. kInvalidArgument as LoadServerConfig(): also for a caller
// that nothing recognises, one who could not be told from another, and for connections and
// tables that there are not.
absl::StatusOr<std::vector<CallerConfig>> ReadCallers(const ConfigSection& root,
                                                      const std::string& file,
                                                      const std::vector<Connection>& connections,
                                                      bool has_client_ca);

}  // namespace intercom_extractor

#endif  // SERVER_CALLER_SECTION_H_

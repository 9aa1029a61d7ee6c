#ifndef SERVER_PRIVACY_SECTION_H_
#define SERVER_PRIVACY_SECTION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "extractor/tables/privacy_rules.h"
#include "server/config_secret.h"
#include "server/config_section.h"

namespace intercom_extractor {

// What a connection's key `privacy` says; null where there is nothing. `path` is the
// connection's own. kInvalidArgument for a column that does not exist or cannot be treated
// so, and for hashes without a key of PrivacyRules::kMinKeyBytes.
absl::StatusOr<std::shared_ptr<const PrivacyRules>> ReadPrivacy(const ConfigSection& connection,
                                                                const std::string& file,
                                                                const std::string& path,
                                                                const SecretSources& secrets);

}  // namespace intercom_extractor

#endif  // SERVER_PRIVACY_SECTION_H_

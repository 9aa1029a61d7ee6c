#ifndef CLIENTS_CLI_PRIVATE_FILE_H_
#define CLIENTS_CLI_PRIVATE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// Small files that nobody but their owner may read. `what` is how errors call the file:
// "the state file". Errors as in OutputError().

// Replaces the file as a whole: after a crash it is the older or the newer one. Durable
// when it returns.
absl::Status ReplacePrivateFile(absl::string_view what, const std::string& path,
                                absl::string_view content);

// Durable, too. A file that is not there is no error.
absl::Status RemovePrivateFile(absl::string_view what, const std::string& path);

// Whether ReplacePrivateFile() may work: found now, it costs nothing.
absl::Status CheckPrivateFile(absl::string_view what, const std::string& path);

}  // namespace intercom_extractor

#endif  // CLIENTS_CLI_PRIVATE_FILE_H_

#ifndef SERVER_SECRETS_H_
#define SERVER_SECRETS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace intercom_extractor {

// Secrets, from where they are kept. White space around one is dropped; one that holds any is
// refused. Errors (kInvalidArgument) name the place, never what is there.

absl::StatusOr<std::string> ReadSecretFile(const std::string& file);
absl::StatusOr<std::string> ReadSecretVariable(const std::string& variable);

// What a program, given with its arguments, writes to its standard output. No shell reads
// them; the program has no standard input, and its standard error is this process's. It must
// end with 0 within `patience`, after which it is killed.
absl::StatusOr<std::string> ReadSecretOfCommand(const std::vector<std::string>& command,
                                                absl::Duration patience);

// A small file of any kind. The error is a phrase without the file's name.
absl::StatusOr<std::string> ReadSmallFile(const std::string& file, size_t max_bytes);

// From now on neither this process nor one that it starts leaves a core file: secrets and
// customers' data would be in it.
void ForbidCoreFiles();

}  // namespace intercom_extractor

#endif  // SERVER_SECRETS_H_

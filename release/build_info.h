#ifndef RELEASE_BUILD_INFO_H_
#define RELEASE_BUILD_INFO_H_

#include <string>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// "0.1.0", from version.txt beside this file.
absl::string_view Version();

// What --version says: the program and its version, then a line each for the revision it was
// built from, the compiler, the libraries as they are loaded, and the contracts it speaks.
// Ends with a line end.
std::string VersionText(absl::string_view program);

}  // namespace intercom_extractor

#endif  // RELEASE_BUILD_INFO_H_

#ifndef SERVER_PRINTABLE_NAME_H_
#define SERVER_PRINTABLE_NAME_H_

#include <string>

#include "absl/strings/string_view.h"

namespace intercom_extractor {

// A name that a caller sent, fit for a message: short, without control characters.
std::string PrintableName(absl::string_view name);

}  // namespace intercom_extractor

#endif  // SERVER_PRINTABLE_NAME_H_

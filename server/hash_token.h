#ifndef SERVER_HASH_TOKEN_H_
#define SERVER_HASH_TOKEN_H_

#include <istream>
#include <ostream>

#include "absl/status/status.h"

namespace intercom_extractor {

// `intercom-extractor-server hash-token`: reads a caller's token from `in`, or makes a new
// one, and prints the line for the configuration; a new token is printed as well.
// kInvalidArgument for what is no token, or one that could be guessed; never repeats it.
absl::Status PrintTokenHash(bool make_new, std::istream& in, std::ostream& out);

}  // namespace intercom_extractor

#endif  // SERVER_HASH_TOKEN_H_

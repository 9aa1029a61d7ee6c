#ifndef SERVER_CALLER_TOKEN_H_
#define SERVER_CALLER_TOKEN_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace intercom_extractor {

// Tokens that callers show. Only their hashes are kept: a plain SHA-256 is enough
// because tokens are long and random, so that nobody can try all that there are.

// What is shorter was probably thought up by somebody, and can be guessed.
constexpr size_t kMinCallerTokenBytes = 32;

// 256 random bits in base64url: 43 characters.
std::string NewCallerToken();

// The SHA-256 of a token, 32 bytes.
std::string HashCallerToken(absl::string_view token);

// `hash` from 64 hex digits of either case. kInvalidArgument never repeats the text,
// which may be a token put into the wrong place.
absl::StatusOr<std::string> ParseCallerTokenHash(absl::string_view hex);

// Whether two hashes are the same, in a time that says nothing about where they differ.
bool SameHash(absl::string_view a, absl::string_view b);

}  // namespace intercom_extractor

#endif  // SERVER_CALLER_TOKEN_H_

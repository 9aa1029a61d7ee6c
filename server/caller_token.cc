#include "server/caller_token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

namespace intercom_extractor {

std::string NewCallerToken() {
  std::string bytes(32, '\0');
  // Never a token that somebody could foresee.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&bytes[0]), static_cast<int>(bytes.size())) !=
      1) {
    std::abort();
  }
  return absl::WebSafeBase64Escape(bytes);
}

std::string HashCallerToken(absl::string_view token) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         reinterpret_cast<unsigned char*>(&hash[0]));
  return hash;
}

absl::StatusOr<std::string> ParseCallerTokenHash(absl::string_view hex) {
  const bool is_hash = hex.size() == size_t{2} * SHA256_DIGEST_LENGTH &&
                       std::all_of(hex.begin(), hex.end(), [](char c) {
                         return absl::ascii_isxdigit(static_cast<unsigned char>(c));
                       });
  if (!is_hash) {
    return absl::InvalidArgumentError(
        "must be the 64 hex digits that intercom-extractor-server hash-token prints; the token "
        "itself does not belong into this file");
  }
  return absl::HexStringToBytes(hex);
}

bool SameHash(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace intercom_extractor

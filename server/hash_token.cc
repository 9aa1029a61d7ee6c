#include "server/hash_token.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/caller_token.h"

namespace intercom_extractor {
namespace {

// gRPC takes 8 KiB of metadata for all that a call sends.
constexpr size_t kMaxTokenBytes = 4096;

absl::Status CheckToken(const std::string& token) {
  if (token.size() < kMinCallerTokenBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the token has less than ", kMinCallerTokenBytes,
                     " characters; short ones can be guessed from their hash: let --new make one"));
  }
  const bool printable = std::all_of(token.begin(), token.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (token.size() > kMaxTokenBytes || !printable) {
    return absl::InvalidArgumentError(
        "this is no token: it has white space, control characters or more than 4096 characters");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PrintTokenHash(bool make_new, std::istream& in, std::ostream& out) {
  std::string token;
  if (make_new) {
    token = NewCallerToken();
    out << "# Give the caller this token; it stands nowhere else:\n# " << token << "\n";
  } else {
    // One more than is taken, so that what is too long shows.
    token.resize(kMaxTokenBytes + 3);
    in.read(&token[0], static_cast<std::streamsize>(token.size()));
    token.resize(static_cast<size_t>(in.gcount()));
    token = std::string(absl::StripAsciiWhitespace(token));
    const absl::Status good = CheckToken(token);
    if (!good.ok()) return good;
  }
  out << "token_sha256: " << absl::BytesToHexString(HashCallerToken(token)) << std::endl;
  return absl::OkStatus();
}

}  // namespace intercom_extractor

#ifndef EXTRACTOR_CHECKPOINT_RESUME_TOKEN_H_
#define EXTRACTOR_CHECKPOINT_RESUME_TOKEN_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "extractor/intercom/connection.h"
#include "resume_state.pb.h"

namespace intercom_extractor {

// Makes resume tokens of states, and states of tokens that come back from anybody.
// A token is a version, an HMAC-SHA256 and the state's bytes: it can be read by who
// has it, but not changed. Immutable, thus thread-safe.
class ResumeTokenCodec {
 public:
  // Clients must be able to keep it anywhere.
  static constexpr size_t kMaxTokenBytes = size_t{64} << 10;

  // Tokens are bound to the connection: to its `resume_key`, or else to a key that
  // is derived (HKDF-SHA256) from its access token, so that any server with the same
  // configuration takes them.
  explicit ResumeTokenCodec(const Connection& connection);

  std::string Seal(const resume::State& state) const;

  // kFailedPrecondition with the reason RESUME_TOKEN_INVALID or
  // RESUME_TOKEN_VERSION.
  absl::StatusOr<resume::State> Open(absl::string_view token) const;

 private:
  std::string Authenticate(absl::string_view bytes) const;

  std::string key_;
};

}  // namespace intercom_extractor

#endif  // EXTRACTOR_CHECKPOINT_RESUME_TOKEN_H_

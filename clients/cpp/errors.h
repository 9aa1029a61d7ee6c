#ifndef CLIENTS_CPP_ERRORS_H_
#define CLIENTS_CPP_ERRORS_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"

namespace intercom_extractor {

// What an extractor server says of an error besides its code and message.
struct ErrorDetails {
  // One of those in docs/errors.md, such as "TOKEN_INVALID"; empty when the server did not
  // say one, as when gRPC or this library itself ended the call.
  std::string reason;
  // What it is about, such as {"connection", "default"}.
  std::map<std::string, std::string> metadata;
  // After how long another try may help.
  std::optional<absl::Duration> retry_delay;
};

// How a call ended, with the details as payloads under their type URLs.
absl::Status FromGrpc(const grpc::Status& status);

// The details of a status that this library gave.
ErrorDetails DetailsOf(const absl::Status& status);

// The reason alone.
std::string ErrorReason(const absl::Status& status);

// Whether the server refused a resume token, which it will do each time: extract anew.
bool RefusesResumeToken(const absl::Status& status);

// Whether another call can make up for it, as the server was lost, or ends its streams:
// nothing is wrong with the request or with Intercom. Nobody here cancelled the call.
bool IsLostConnection(const absl::Status& status);

}  // namespace intercom_extractor

#endif  // CLIENTS_CPP_ERRORS_H_

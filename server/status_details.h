#ifndef SERVER_STATUS_DETAILS_H_
#define SERVER_STATUS_DETAILS_H_

#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace intercom_extractor {

// What an error concerns; empty where it does not apply.
struct ErrorContext {
  // The connection that the request names.
  std::string connection;
  // The request's field that is wrong, for BAD_REQUEST.
  std::string field;
};

// The status that goes to the client: same code and message, with a serialized
// `google.rpc.Status` as error details (gRPC sends it as
// `grpc-status-details-bin`):
//   ErrorInfo     always: ReasonOf(status) or else the code's name, domain
//                 "intercom-extractor", the connection as metadata
//   RetryInfo     where waiting helps: kUnavailable, RATE_LIMITED, a retry delay in the status
//   QuotaFailure  RATE_LIMITED
//   BadRequest    kInvalidArgument with a known field
//
// The message is cut to 1 KiB: it travels twice in the trailers, and clients
// refuse more than 8 KiB of metadata, which would hide the error itself.
grpc::Status ToGrpcStatus(const absl::Status& status, const ErrorContext& context);

}  // namespace intercom_extractor

#endif  // SERVER_STATUS_DETAILS_H_

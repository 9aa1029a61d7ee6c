#ifndef SERVER_TLS_FILES_H_
#define SERVER_TLS_FILES_H_

#include <memory>

#include "absl/status/statusor.h"
#include "grpcpp/security/server_credentials.h"
#include "server/server_config.h"

namespace intercom_extractor {

// The credentials that a configuration asks for: TLS with its `tls_*` files,
// which demand a client certificate when `tls_client_ca_file` is set; plain text
// without them. The files are read once; a renewed certificate needs a restart.
//
// kInvalidArgument for a file that cannot be read, is not PEM, or a key that is
// not the certificate's. Checked here because gRPC itself would only say that
// the port cannot be bound.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const ServerConfig& config);

}  // namespace intercom_extractor

#endif  // SERVER_TLS_FILES_H_

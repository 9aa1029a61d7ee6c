#ifndef SERVER_TLS_CREDENTIALS_H_
#define SERVER_TLS_CREDENTIALS_H_

#include <memory>

#include "grpcpp/security/server_credentials.h"
#include "server/certificate_source.h"

namespace intercom_extractor {

// TLS with what `source` has when a connection begins; a client certificate is demanded
// where it has authorities for them. Connections that exist are not touched by new
// certificates. `source` must outlive the server that uses them, up to the end of its
// shutdown. Null only when gRPC refuses what the source gives.
std::shared_ptr<grpc::ServerCredentials> MakeTlsCredentials(CertificateSource* source);

}  // namespace intercom_extractor

#endif  // SERVER_TLS_CREDENTIALS_H_
